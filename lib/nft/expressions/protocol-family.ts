import { be32, choice } from '../../netlink/values.js'

/** Of which family an address in a register is (NFPROTO_*). */
export const protocolFamily = choice(be32, { inet: 1, ip: 2, ip6: 10 })
