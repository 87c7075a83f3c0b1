import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice, flags } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Reads and writes packets (net/netfilter/nft_payload.c). */
export const payload = expressionCodec(
  'payload',
  {
    /** Where to, for a load. */
    destination: [1, register],
    /** `inner` is what follows the transport header; `tunnel` the tunnel's header, only within the expression `inner`. */
    base: [2, required(choice(be32, { link: 0, network: 1, transport: 2, inner: 3, tunnel: 4 }))],
    /** Bytes from the base, 0 to 65535; before Linux 6.18 to 255. */
    offset: [3, required(be32)],
    /** Bytes: as many as fit from the register to the last one, at most 64. */
    length: [4, required(be32)],
    /** Where from, for a change of the packet. */
    source: [5, register],
    /** Which checksum changes with it. Default `none`. */
    checksumType: [6, choice(be32, { none: 0, internet: 1, sctp: 2 })],
    /** Where that one stands: bytes from the base. Default 0. */
    checksumOffset: [7, be32],
    /** `pseudo-header`: the checksum of the transport protocol changes as well. */
    checksumFlags: [8, flags(be32, { 'pseudo-header': 1 })],
  },
  {
    check({ destination, source, checksumType, checksumOffset, checksumFlags }) {
      if ((destination === undefined) === (source === undefined))
        throw new BadValue('type', 'give either destination, to load, or source, to change').within('destination')
      if (source !== undefined) return
      if (checksumType !== undefined) throw new BadValue('type', 'is only for a change, with source').within('checksumType')
      if (checksumOffset !== undefined) throw new BadValue('type', 'is only for a change, with source').within('checksumOffset')
      if (checksumFlags !== undefined) throw new BadValue('type', 'is only for a change, with source').within('checksumFlags')
    },
  },
)
/** Loads bytes of the packet into a register, or writes them back with `source`. */
export interface Payload extends ExpressionOf<typeof payload> {}
