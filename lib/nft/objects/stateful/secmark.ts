import { record } from '../../../netlink/record.js'
import { required } from '../../../netlink/schema.js'
import { text } from '../../../netlink/values.js'

/** NFT_SECMARK_CTX_MAXLEN */
const CONTEXT = 4096

/** net/netfilter/nft_meta.c, nft_secmark_obj_init */
export const secmarkData = record({ context: [1, required(text(CONTEXT))] })
