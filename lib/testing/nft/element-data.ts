/** What elements refer to: chains that verdicts jump to, and objects. Each element counts as a user. */
import { isVerdict } from './data.js'
import type { Element } from './set-elements.js'

/** nft_setelem_data_deactivate */
export function releaseData(element: Element): void {
  count(element, -1)
}

/** nft_setelem_data_activate */
export function retainData(element: Element): void {
  count(element, 1)
}

function count({ data, object }: Element, change: 1 | -1): void {
  if (data && isVerdict(data) && data.chain) data.chain.use += change
  if (object) object.use += change
}
