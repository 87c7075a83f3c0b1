import { be32, flags } from '../../netlink/values.js'

/**
 * NF_NAT_RANGE_* (include/uapi/linux/netfilter/nf_nat.h). `map-ips` and `proto-specified` say that there are addresses and ports: the kernel
 * adds them itself. `random` and `fully-random` choose ports at random, `persistent` gives a client the same address each time, `netmap`
 * maps a prefix to another, keeping the host's part, `proto-offset` shifts ports by as much as their range is shifted.
 */
export const natFlags = flags(be32, {
  'map-ips': 1,
  'proto-specified': 2,
  random: 4,
  persistent: 8,
  'fully-random': 16,
  'proto-offset': 32,
  netmap: 64,
})
