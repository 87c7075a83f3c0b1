import { required } from '../../netlink/schema.js'
import { be32, choice, flags, u8 } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'

/** Guesses the operating system (net/netfilter/nft_osf.c). */
export const osf = expressionCodec(
  'osf',
  {
    destination: [1, required(register)],
    /** How the TTL is compared with the fingerprint's: `loose` for less, `skip` for not at all. Default `strict`. */
    ttl: [2, choice(u8, { strict: 0, loose: 1, skip: 2 })],
    /** `version`: with the system's version. */
    flags: [3, flags(be32, { version: 1 })],
  },
  {
    // The kernel tells that there are no flags, and refuses to be told so.
    sent: ({ flags, ...osf }) => (flags?.length === 0 ? osf : { ...osf, flags }),
  },
)
/** The name of the sender's operating system, by the fingerprints that were loaded (nfnl_osf). In TCP's SYN packets. */
export interface Osf extends ExpressionOf<typeof osf> {}
