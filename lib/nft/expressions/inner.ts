import { required } from '../../netlink/schema.js'
import { be32, choice, flags } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec, expressionOf } from '../expression.js'
import { type Meta, meta } from './meta.js'
import { type Payload, payload } from './payload.js'

/** Looks into tunnels (net/netfilter/nft_inner.c). Linux 6.2. */
export const inner = expressionCodec('inner', {
  /** Which header, when there are several: the kernel knows 0 only. */
  number: [1, required(be32)],
  /** Which tunnel. `vxlan` also checks that it is one; `geneve` adds the length of its options. Others: 0. */
  type: [2, required(choice(be32, { unspecified: 0, vxlan: 1, geneve: 2 }))],
  /** What stands in the tunnel: a header of its own of `headerSize` bytes, a link layer, a network, and a transport header. */
  flags: [3, required(flags(be32, { 'header-size': 1, link: 2, network: 4, transport: 8 }))],
  /** Bytes of the tunnel's own header, up to 64. */
  headerSize: [4, required(be32)],
  /** What is loaded, from the inner packet: `payload`, or `meta` with the keys `protocol` and `l4proto`. */
  expression: [5, required(expressionOf<Payload | Meta>([payload, meta]))],
})
/** Loads something of the packet within a tunnel. Linux 6.2. */
export interface Inner extends ExpressionOf<typeof inner> {}
