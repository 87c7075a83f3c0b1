/** `NODE_DEBUG=ts-ipvs` prints every message, decoded. */
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import type { RecordTable } from '../netlink/record.js'
import type { Definition } from '../netlink/schema.js'
import { trace } from '../netlink/trace.js'
import * as wire from './wire.js'

const TABLES: Readonly<Record<string, RecordTable<never>>> = {
  Table: wire.tableAttributes as RecordTable<never>,
  Chain: wire.chainAttributes as RecordTable<never>,
  Rule: wire.ruleAttributes as RecordTable<never>,
  Set: wire.setAttributes as RecordTable<never>,
  Elements: wire.setElementListAttributes as RecordTable<never>,
  Object: wire.objectAttributes as RecordTable<never>,
  Flowtable: wire.flowtableAttributes as RecordTable<never>,
  Generation: wire.generationAttributes as RecordTable<never>,
}

const NAMES = new Map<number, string>(Object.entries(wire.message).map(([name, number]) => [number, name]))

/** The attributes of a message by its number: `newRule` are those of rules. */
export function tableOf(number: number): RecordTable<Definition> | undefined {
  const word = /(Table|Chain|Rule|Set|Elements|Object|Flowtable|Generation)(Reset)?$/.exec(NAMES.get(number) ?? '')?.[1]
  return word === undefined ? undefined : (TABLES[word] as unknown as RecordTable<Definition>)
}

export const nftTrace = trace((reader, { type, payload, end }) => {
  if (type === wire.BATCH_BEGIN)
    return { name: 'begin', attributes: wire.batchAttributes.decode(reader, payload + NETFILTER_HEADER, end) ?? {} }
  if (type === wire.BATCH_END) return { name: 'end', attributes: {} }
  if (type >> 8 !== wire.NFNL_SUBSYS_NFTABLES) return undefined
  const number = type & 255
  return {
    name: NAMES.get(number) ?? String(number),
    attributes: tableOf(number)?.decode(reader, payload + NETFILTER_HEADER, end),
  }
})
