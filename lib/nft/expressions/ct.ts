import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice, u8 } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** NFT_CT_* by nft's words (nft(8), CONNTRACK EXPRESSIONS) */
export const KEYS = {
  state: 0,
  direction: 1,
  status: 2,
  mark: 3,
  secmark: 4,
  expiration: 5,
  helper: 6,
  l3proto: 7,
  saddr: 8,
  daddr: 9,
  protocol: 10,
  'proto-src': 11,
  'proto-dst': 12,
  label: 13,
  packets: 14,
  bytes: 15,
  avgpkt: 16,
  zone: 17,
  event: 18,
  'ip saddr': 19,
  'ip daddr': 20,
  'ip6 saddr': 21,
  'ip6 daddr': 22,
  id: 23,
} as const

/** Reads and writes what connection tracking knows (net/netfilter/nft_ct.c). */
export const ct = expressionCodec(
  'ct',
  {
    /** Where to, for a load. */
    destination: [1, register],
    /**
     * `saddr` and `daddr` have the length of the table's family, so inet needs those with `ip` or `ip6`. Written can be `mark`, `secmark`,
     * `label`, `zone`, and `event`.
     */
    key: [2, required(choice(be32, KEYS))],
    /** Which side of the connection: needed by addresses and ports, allowed for `packets`, `bytes`, `avgpkt`, `zone`. */
    direction: [3, choice(u8, { original: 0, reply: 1 })],
    /** Where from, for a change of the connection. */
    source: [4, register],
  },
  {
    check({ destination, source }) {
      if ((destination === undefined) === (source === undefined))
        throw new BadValue('type', 'give either destination, to load, or source, to change').within('destination')
    },
  },
)
/** Loads what connection tracking knows of the packet's connection, or changes it with `source`. */
export interface Ct extends ExpressionOf<typeof ct> {}
