import { record } from '../../../netlink/record.js'
import { required } from '../../../netlink/schema.js'
import { be16, u8, u32 } from '../../../netlink/values.js'
import { layer3 } from './layer3.js'

/** net/netfilter/nft_ct.c, nft_ct_expect_obj_init. The time-out is nftables' only number in the machine's own byte order. */
export const expectationData = record({
  layer3: [1, layer3],
  protocol: [2, required(u8)],
  port: [3, required(be16)],
  timeout: [4, required(u32)],
  size: [5, required(u8)],
})
