/** Which flows a dump tells (nf_conntrack_netlink.c, ctnetlink_filter_match). */
import type { questionAttributes } from '../../conntrack/wire.js'
import { protocolOf } from '../../conntrack/words.js'
import type { Flow } from './table.js'

export type Question = NonNullable<ReturnType<typeof questionAttributes.decode>>
type TuplePart = NonNullable<Question['original']>

/** CTA_FILTER_F_* */
const PART = { source: 1, destination: 2, protocol: 8, sourcePort: 0x10, destinationPort: 0x20 }

export function isMeant(flow: Flow, family: number, question: Question): boolean {
  const { mark, markMask = 0xffff_ffff, status = 0, statusMask = status, zone, filter, original, reply } = question
  if (family !== 0 && flow.family !== family) return false
  if (mark !== undefined && (flow.mark & markMask) >>> 0 !== mark) return false
  if ((flow.status & statusMask) >>> 0 !== status) return false
  if (zone !== undefined && flow.zone !== zone) return false
  return fits(flow.original, original, filter?.original ?? 0) && fits(flow.reply, reply, filter?.reply ?? 0)
}

function fits(tuple: Flow['original'], { ip, protocol }: TuplePart = {}, flags: number): boolean {
  if (flags & PART.source && tuple.source !== (ip?.source ?? ip?.source6)) return false
  if (flags & PART.destination && tuple.destination !== (ip?.destination ?? ip?.destination6)) return false
  if (flags & PART.protocol && tuple.protocol !== protocolOf(protocol?.number ?? 0)) return false
  if (flags & PART.sourcePort && tuple.sourcePort !== protocol?.sourcePort) return false
  return !(flags & PART.destinationPort) || tuple.destinationPort === protocol?.destinationPort
}
