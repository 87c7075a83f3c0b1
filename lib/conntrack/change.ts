/** Flows one by one, and many at once. Each checks what it is given before anything is sent: it throws a `BadValue`. */
import type { CallOptions, Limit } from '../netlink/channel.js'
import { within, word } from '../netlink/fields.js'
import type { Ask, Kernel } from '../netlink/kernel.js'
import { BadValue } from '../netlink/schema.js'
import type { CheckedFilter } from './filter.js'
import { checkChange, checkFlow, checkKey, type FlowRecord, readFlow, writeFlow } from './flow.js'
import { FlowList } from './flow-list.js'
import { isMissing } from './reasons.js'
import type { Count, CpuStatistics, Flow, FlowChange, FlowConfig, FlowKey } from './types.js'
import { cpuAttributes, flowAttributes, globalAttributes, header, message, messageType } from './wire.js'

const NLM_F_EXCL = 0x200
const NLM_F_CREATE = 0x400

function ask(number: number, record: FlowRecord, flags = 0): Ask {
  return {
    type: messageType(number),
    flags,
    header: header.size,
    attributes: flowAttributes,
    body: writer => writeFlow(writer, record),
  }
}

export async function getFlow(kernel: Kernel, key: FlowKey, limit: Limit): Promise<Flow | undefined> {
  const record = within('key', () => checkKey(key))
  try {
    const answer = await kernel.request(ask(message.get, record), limit, 'no')
    for (const { payload, end } of answer.messages()) {
      const flow = readFlow(answer.reader, payload, end)
      // The kernel looks at the id only when it deletes.
      return flow && record.id !== undefined && flow.id !== record.id ? undefined : flow
    }
    return undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export async function addFlow(kernel: Kernel, config: FlowConfig, limit: Limit): Promise<void> {
  const record = within('flow', () => checkFlow(config))
  await kernel.request(ask(message.new, record, NLM_F_CREATE | NLM_F_EXCL), limit, 'unknown')
}

export async function updateFlow(kernel: Kernel, key: FlowKey, change: FlowChange, limit: Limit): Promise<boolean> {
  const { id: _, ...named } = within('key', () => checkKey(key))
  const record = { ...named, ...within('change', () => checkChange(change)) }
  return done(kernel, ask(message.new, record), limit)
}

export function deleteFlow(kernel: Kernel, key: FlowKey, limit: Limit): Promise<boolean> {
  const record = within('key', () => checkKey(key))
  return done(kernel, ask(message.delete, record), limit)
}

/** False when there is no such flow. */
async function done(kernel: Kernel, what: Ask, limit: Limit): Promise<boolean> {
  try {
    await kernel.request(what, limit, 'unknown')
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** Deletes the flows that a filter lets through, each by its direction and id. Returns how many it were. */
export async function deleteMatching(kernel: Kernel, filter: CheckedFilter, options: CallOptions): Promise<number> {
  let deleted = 0
  for await (const page of new FlowList(kernel, filter, options).pages()) {
    const asks = page.map(({ original, zone, id }) => ask(message.delete, { original, zone, id }))
    if (asks.length === 0) continue
    for (const refusal of await kernel.call(options, limit => kernel.requests(asks, limit))) {
      if (refusal === undefined) deleted++
      else if (!isMissing(refusal)) throw refusal
    }
  }
  return deleted
}

const FAMILIES = { all: 0, ipv4: 2, ipv6: 10 }

/** Deletes all flows, or all of a family. */
export async function flush(kernel: Kernel, which: unknown, limit: Limit): Promise<void> {
  if (which === undefined) throw new BadValue('type', "is missing: give 'all', 'ipv4' or 'ipv6'").within('which')
  const family = within('which', () => word(FAMILIES)(which))
  const what: Ask = {
    type: messageType(message.delete),
    header: header.size,
    body: writer => header.write(writer, { family, version: 1 }),
  }
  await kernel.request(what, limit, 'unknown')
}

export async function count(kernel: Kernel, limit: Limit): Promise<Count> {
  const answer = await kernel.request(statisticsAsk(message.getStatistics), limit, 'no')
  for (const { payload, end } of answer.messages()) {
    const { entries = 0, maximum = 0 } = globalAttributes.decode(answer.reader, payload + header.size, end) ?? {}
    return { entries, maximum }
  }
  return { entries: 0, maximum: 0 }
}

export async function statistics(kernel: Kernel, limit: Limit): Promise<CpuStatistics[]> {
  const answer = await kernel.dump(statisticsAsk(message.getStatisticsCpu), limit)
  const cpus: CpuStatistics[] = []
  for (const { payload, end } of answer.messages()) {
    const { bytes } = answer.reader
    const found = cpuAttributes.decode(answer.reader, payload + header.size, end)
    if (found) cpus.push(cpuOf(((bytes[payload + 2] as number) << 8) | (bytes[payload + 3] as number), found))
  }
  return cpus
}

function cpuOf(cpu: number, found: NonNullable<ReturnType<typeof cpuAttributes.decode>>): CpuStatistics {
  const { invalid = 0, insert = 0, insertFailed = 0, drop = 0, earlyDrop = 0, error = 0 } = found
  const { searchRestart = 0, clashResolve = 0, chainTooLong = 0 } = found
  return {
    cpu,
    found: found.found ?? 0,
    invalid,
    insert,
    insertFailed,
    drop,
    earlyDrop,
    error,
    searchRestart,
    clashResolve,
    chainTooLong,
  }
}

function statisticsAsk(number: number): Ask {
  return { type: messageType(number), header: header.size, body: writer => header.write(writer, {}) }
}
