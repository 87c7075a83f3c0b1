import { record } from '../../../netlink/record.js'
import { required } from '../../../netlink/schema.js'
import { text, u8 } from '../../../netlink/values.js'
import { layer3 } from './layer3.js'

/** NF_CT_HELPER_NAME_LEN less the NUL. */
const NAME = 15

/** net/netfilter/nft_ct.c, nft_ct_helper_obj_init */
export const helperData = record({
  helper: [1, required(text(NAME))],
  layer3: [2, layer3],
  protocol: [3, required(u8)],
})
