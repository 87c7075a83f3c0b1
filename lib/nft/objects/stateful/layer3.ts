import { be16, choice } from '../../../netlink/values.js'

/** A family in the attributes of connection tracking, which have 16 bits for it. */
export const layer3 = choice(be16, { inet: 1, ip: 2, ip6: 10 })
