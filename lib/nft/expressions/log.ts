import { BadValue } from '../../netlink/schema.js'
import { be16, be32, choice, flags, text } from '../../netlink/values.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Syslog's words, and `audit` (NFT_LOGLEVEL_*) */
const LEVELS = { emerg: 0, alert: 1, crit: 2, err: 3, warn: 4, notice: 5, info: 6, debug: 7, audit: 8 } as const
/** NF_LOG_* (include/uapi/linux/netfilter/nf_log.h) */
const FLAGS = { 'tcp sequence': 1, 'tcp options': 2, 'ip options': 4, skuid: 8, ether: 32 } as const

/** Logs (net/netfilter/nft_log.c). */
export const log = expressionCodec(
  'log',
  {
    /** Group of nfnetlink_log that gets the packets, instead of the kernel's log. The header's comment of 32 bits is wrong. */
    group: [1, be16],
    /** At most 127 bytes. */
    prefix: [2, text(127)],
    /** Bytes of each packet that a group gets. Default: all. */
    snaplen: [3, be32],
    /** How many packets a group gets at once. */
    queueThreshold: [4, be16],
    /** Of the kernel's log, default `warn`. `audit` writes to the audit log. */
    level: [5, choice(be32, LEVELS)],
    /** What more is written to the kernel's log. */
    flags: [6, flags(be32, FLAGS)],
  },
  {
    check({ group, level, flags, snaplen, queueThreshold }) {
      if (group !== undefined && level !== undefined)
        throw new BadValue('type', 'give group or level, not both: packets go to a group or to the log').within('level')
      if (group !== undefined && flags !== undefined)
        throw new BadValue('type', 'is only of the log, not of a group').within('flags')
      if (group === undefined && snaplen !== undefined) throw new BadValue('type', 'is only of a group').within('snaplen')
      if (group === undefined && queueThreshold !== undefined)
        throw new BadValue('type', 'is only of a group').within('queueThreshold')
    },
  },
)
/** Writes the packet to the kernel's log, or sends it to a group of nfnetlink_log. */
export interface Log extends ExpressionOf<typeof log> {}
