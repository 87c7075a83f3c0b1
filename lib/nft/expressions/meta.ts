import { BadValue, required } from '../../netlink/schema.js'
import { be32, choice } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** NFT_META_* by nft's words (nft(8), META EXPRESSIONS) */
export const KEYS = {
  length: 0,
  protocol: 1,
  priority: 2,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  iiftype: 8,
  oiftype: 9,
  skuid: 10,
  skgid: 11,
  nftrace: 12,
  rtclassid: 13,
  secmark: 14,
  nfproto: 15,
  l4proto: 16,
  ibrname: 17,
  obrname: 18,
  pkttype: 19,
  cpu: 20,
  iifgroup: 21,
  oifgroup: 22,
  cgroup: 23,
  random: 24,
  ipsec: 25,
  iifkind: 26,
  oifkind: 27,
  ibrpvid: 28,
  ibrvproto: 29,
  time: 30,
  day: 31,
  hour: 32,
  sdif: 33,
  sdifname: 34,
  broute: 35,
  ibrhwaddr: 37,
} as const

/** Reads and writes what belongs to a packet and is not in it (net/netfilter/nft_meta.c, net/bridge/netfilter/nft_meta_bridge.c). */
export const meta = expressionCodec(
  'meta',
  {
    /** Where to, for a load. */
    destination: [1, register],
    /**
     * Numbers are in the machine's order. `time` is nanoseconds since 1970; `day` is 0 for Sunday to 6, `hour` seconds since midnight, both in
     * the kernel's own time zone. Only in bridge: `ibrname`, `obrname`, `ibrpvid`, `ibrvproto`, `broute` (Linux 6.4), `ibrhwaddr` (Linux 6.18).
     * Written can be `mark`, `priority`, `nftrace`, `pkttype`, `secmark`, and `broute`.
     */
    key: [2, required(choice(be32, KEYS))],
    /** Where from, for a change of the packet. */
    source: [3, register],
  },
  {
    check({ destination, source }) {
      if ((destination === undefined) === (source === undefined))
        throw new BadValue('type', 'give either destination, to load, or source, to change').within('destination')
    },
  },
)
/** Loads what belongs to the packet and is not in it, or changes it with `source`. */
export interface Meta extends ExpressionOf<typeof meta> {}
