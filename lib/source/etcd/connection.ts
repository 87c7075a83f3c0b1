/** One member of etcd, through the package etcd3 (etcd.io/docs/v3.5/learning/api). */
import { readFile } from 'node:fs/promises'
import type { IKeyValue, IOptions, IRangeResponse, IWatchResponse } from 'etcd3'
import { loadPeer } from '../peer.js'
import type { EtcdAccess } from './access.js'

/** What has this prefix: from it to the next key that has not (etcd.io/docs/v3.5/learning/api, key ranges). */
export interface KeyRange {
  readonly key: Buffer
  readonly range_end: Buffer
}

/** A key as it is, or was until it was deleted. */
export type KeyValue = Pick<IKeyValue, 'key' | 'value' | 'mod_revision'>

/** What was asked for has been compacted. */
export class Compacted extends Error {
  override readonly name = 'Compacted'
}

export interface RangeOptions {
  /** Default: the newest, of which a majority of the members knows. */
  readonly revision?: string
  readonly limit: number
  readonly keysOnly?: boolean
}

export interface Connection {
  range(range: KeyRange, options: RangeOptions): Promise<IRangeResponse>
  /** What happened from a revision on, until `signal` is aborted. Rejects with `Compacted` where that is not known any more. */
  watch(range: KeyRange, revision: bigint, signal: AbortSignal): AsyncIterable<IWatchResponse>
  close(): void
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>

/** Errors as they are: etcd3 would try again by itself, and then refuse to try. */
const direct: Policy = {
  _altReturn: undefined as never,
  onSuccess: () => ({ dispose: () => {} }),
  onFailure: () => ({ dispose: () => {} }),
  execute: async (run, signal = new AbortController().signal) => run({ signal }),
}

type Package = typeof import('etcd3')

/** Rejects with what to do where it is not there. */
export const loadEtcd3 = (): Promise<Package> =>
  loadPeer({ name: 'etcd3', range: '^1.1.2', use: 'reading etcd', load: () => import('etcd3') })

/** @param patience milliseconds that an answer may take */
export async function connect({ Etcd3 }: Package, endpoint: string, access: EtcdAccess, patience: number): Promise<Connection> {
  const client = new Etcd3({
    hosts: endpoint,
    ...(await credentialsOf(endpoint, access)),
    ...(access.user === undefined ? {} : { auth: { username: access.user, password: access.password ?? '' } }),
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + patience }),
    // A value may have 1.5 MB, and a page of them more than the 4 MB that gRPC takes.
    grpcOptions: { 'grpc.max_receive_message_length': -1 },
    faultHandling: { host: () => direct, global: direct },
  })
  return {
    range: (range, { revision, limit, keysOnly = false }) =>
      client.kv
        .range({ ...range, limit, keys_only: keysOnly, ...(revision === undefined ? {} : { revision }) })
        .catch((error: Error) => Promise.reject(COMPACTED.test(error.message) ? new Compacted(error.message) : error)),
    async *watch(range, revision, signal) {
      const stream = await client.watchClient.watch()
      const cancel = (): void => stream.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      try {
        signal.throwIfAborted()
        stream.write({ create_request: { ...range, start_revision: `${revision}` } })
        // It is a stream of Node.js; etcd3 declares less of it.
        yield* responses(stream as unknown as AsyncIterable<IWatchResponse>)
      } finally {
        signal.removeEventListener('abort', cancel)
        cancel()
      }
    },
    close: () => client.close(),
  }
}

const COMPACTED = /required revision has been compacted/

async function* responses(stream: AsyncIterable<IWatchResponse>): AsyncGenerator<IWatchResponse, void, undefined> {
  for await (const response of stream) {
    if (response.canceled && response.compact_revision !== '0')
      throw new Compacted(`what was before revision ${response.compact_revision} is compacted`)
    if (response.canceled) throw new Error(`the watch was refused: ${response.cancel_reason || 'permission denied'}`)
    yield response
  }
}

async function credentialsOf(endpoint: string, { ca, cert, key }: EtcdAccess): Promise<Pick<IOptions, 'credentials'>> {
  if (!endpoint.startsWith('https:') || (ca ?? cert) === undefined) return {}
  const [rootCertificate, certChain, privateKey] = await Promise.all(
    [ca, cert, key].map(file => (file === undefined ? undefined : readFile(file))),
  )
  return { credentials: { rootCertificate, certChain, privateKey } as NonNullable<IOptions['credentials']> }
}
