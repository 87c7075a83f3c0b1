import { type Trace, trace } from '../netlink/trace.js'
import { cpuAttributes, flowAttributes, globalAttributes, header, message, NFNL_SUBSYS_CTNETLINK } from './wire.js'

const NAMES = new Map<number, string>(Object.entries(message).map(([name, number]) => [number, name]))
const TABLES = new Map([
  [message.getStatisticsCpu as number, cpuAttributes],
  [message.getStatistics, globalAttributes],
])

export const conntrackTrace: Trace = trace((reader, { type, payload, end }) => {
  if (type >> 8 !== NFNL_SUBSYS_CTNETLINK) return undefined
  const number = type & 255
  const table = TABLES.get(number) ?? flowAttributes
  return { name: `flow ${NAMES.get(number) ?? number}`, attributes: table.decode(reader, payload + header.size, end) }
})
