import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice, u8 } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** What the codes of each type mean (nft(8), REJECT STATEMENT). The table's family says whether `icmp` is ICMP or ICMPv6. */
export const rejectCodes = {
  icmp: {
    'net-unreachable': 0,
    'host-unreachable': 1,
    'prot-unreachable': 2,
    'port-unreachable': 3,
    'net-prohibited': 9,
    'host-prohibited': 10,
    'admin-prohibited': 13,
  },
  icmpv6: {
    'no-route': 0,
    'admin-prohibited': 1,
    'addr-unreachable': 3,
    'port-unreachable': 4,
    'policy-fail': 5,
    'reject-route': 6,
  },
  /** NFT_REJECT_ICMPX_* */
  icmpx: { 'no-route': 0, 'port-unreachable': 1, 'host-unreachable': 2, 'admin-prohibited': 3 },
} as const

/** Drops and says so (net/netfilter/nft_reject.c). */
export const reject = expressionCodec(
  'reject',
  {
    /** `icmpx` is for inet, bridge and netdev: ICMP or ICMPv6, as the packet is. */
    type: [1, required(choice(be32, { icmp: 0, 'tcp reset': 1, icmpx: 2 }))],
    /** Code of the ICMP message. Of ICMP 3 is port unreachable, of ICMPv6 4, of `icmpx` 1, with codes of its own from 0 to 3. */
    code: [2, u8],
  },
  {
    check({ type, code }) {
      if ((type === 'icmp' || type === 'icmpx') && code === undefined)
        throw new BadValue('type', `is missing: ${type} needs one`).within('code')
    },
  },
)
/** Drops the packet, and answers with an error: an ICMP message, or TCP's RST. */
export interface Reject extends ExpressionOf<typeof reject> {}
