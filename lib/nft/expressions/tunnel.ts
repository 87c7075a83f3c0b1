import { required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Metadata of tunnels (net/netfilter/nft_tunnel.c). */
export const tunnel = expressionCodec('tunnel', {
  /** Whether there is such metadata, or the id of the tunnel. */
  key: [1, required(choice(be32, { path: 0, id: 1 }))],
  destination: [2, required(register)],
  /** Of packets that were received, or are to be sent. Default `none`: of both. */
  mode: [3, choice(be32, { none: 0, rx: 1, tx: 2 })],
})
/** Loads what a tunnel interface in metadata mode (lwtunnel) told of the packet. In chains of netdev. */
export interface Tunnel extends ExpressionOf<typeof tunnel> {}
