/** Apart from the connection: its types name etcd3, which not every user has. */

/** Who asks, and who may answer. */
export interface EtcdAccess {
  /** File with the certificates of authorities that the members' ones are of. Default: those of Node.js. */
  readonly ca?: string | undefined
  /** Files with the certificate of this client, and its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
}
