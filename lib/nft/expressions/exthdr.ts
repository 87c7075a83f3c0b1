import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice, flags, u8 } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Extension headers, options and chunks (net/netfilter/nft_exthdr.c). */
export const exthdr = expressionCodec(
  'exthdr',
  {
    /** Where to, for a load. */
    destination: [1, register],
    /** Number of the extension header (IPPROTO_*), the TCP option, the IP option, the SCTP chunk, the DCCP option. */
    type: [2, required(u8)],
    /** Bytes from its beginning. */
    offset: [3, be32],
    /** Bytes. */
    length: [4, be32],
    /** `present`: loads 1 byte that is 1 or 0, whether it is there. All that can be asked of DCCP. */
    flags: [5, flags(be32, { present: 1 })],
    /** Default `ipv6`. */
    operation: [6, choice(be32, { ipv6: 0, tcpopt: 1, ipv4: 2, sctp: 3, dccp: 4 })],
    /** Where from, for a change of a TCP option of 2 or 4 bytes. */
    source: [7, register],
  },
  {
    check({ destination, source, operation = 'ipv6', offset, length }) {
      if (destination !== undefined && source !== undefined)
        throw new BadValue('type', 'give either destination, to load, or source, to change').within('source')
      if (destination === undefined && operation !== 'tcpopt')
        throw new BadValue('type', `is missing: ${operation} can only be loaded`).within('destination')
      if (destination === undefined && source === undefined) return
      if (offset === undefined) throw new BadValue('type', 'is missing').within('offset')
      if (length === undefined) throw new BadValue('type', 'is missing').within('length')
    },
    // The kernel tells these of changes and removals, too, and refuses to be told so.
    sent({ offset, length, flags, ...exthdr }) {
      if (exthdr.destination !== undefined) return { ...exthdr, offset, length, flags }
      const rest = flags?.length === 0 ? exthdr : { ...exthdr, flags }
      return exthdr.source === undefined && length === 0 ? rest : { ...rest, offset, length }
    },
  },
)
/**
 * Loads a part of an extension header, an option, or a chunk; with `source` changes a TCP option, with neither `source` nor `destination`
 * overwrites it with NOPs.
 */
export interface Exthdr extends ExpressionOf<typeof exthdr> {}
