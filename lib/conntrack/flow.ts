/** Flows: plain object to message and back. */
import { AF_INET, AF_INET6 } from '../netlink/address.js'
import type { MessageReader, MessageWriter } from '../netlink/buffer.js'
import { bits, type Check, Fields, listOf, whole, within } from '../netlink/fields.js'
import { BadValue, shown } from '../netlink/schema.js'
import { familyNumberOf, inverse, tupleCheck } from './tuple.js'
import type { Flow, FlowChange, FlowConfig, FlowKey, State, Tuple } from './types.js'
import { flowAttributes, header } from './wire.js'
import { STATES, STATUS, statusOf } from './words.js'

export type FlowRecord = NonNullable<ReturnType<typeof flowAttributes.decode>>

const zoneCheck = whole(0, 0xffff)
const markCheck = whole(0, 0xffff_ffff)
/** The kernel keeps jiffies in 32 bits, at most 1000 a second. */
const timeoutCheck = whole(1, 2_147_483)
/** Bits of labels: 128, in words of the machine's byte order, which put together are its own long numbers. */
const LABELS = 128

/** A flow's message. Undefined where it is of another family, or makes no sense. */
export function readFlow(reader: MessageReader, start: number, end: number): Flow | undefined {
  const family = reader.bytes[start]
  if (end - start < header.size || (family !== AF_INET && family !== AF_INET6)) return undefined
  const found = flowAttributes.decode(reader, start + header.size, end)
  if (!found?.original || !found.reply) return undefined
  return flowOf(family === AF_INET6 ? 'ipv6' : 'ipv4', found.original, found.reply, found)
}

function flowOf(family: Flow['family'], original: Tuple, reply: Tuple, found: FlowRecord): Flow {
  const { status = 0, timeout, mark, zone, id, timestamp, labels, helper, master, countersOriginal, countersReply } = found
  const state = stateOf(found)
  const flow: { -readonly [K in keyof Flow]: Flow[K] } = { family, original, reply, status: statusOf(status) }
  // Not spread from parts: there may be a hundred thousand.
  if (state !== undefined) flow.state = state
  if (timeout !== undefined) flow.timeout = timeout
  if (mark !== undefined) flow.mark = mark
  if (zone !== undefined) flow.zone = zone
  if (id !== undefined) flow.id = id
  if (countersOriginal && countersReply)
    flow.counters = { original: countersFromWire(countersOriginal), reply: countersFromWire(countersReply) }
  if (timestamp?.start !== undefined)
    flow.times = { start: timestamp.start, ...(timestamp.stop !== undefined && { stop: timestamp.stop }) }
  if (labels) flow.labels = labelsFromWire(labels)
  if (helper?.name !== undefined) flow.helper = helper.name
  if (master) flow.master = master
  return flow
}

const countersFromWire = ({ packets = 0n, bytes = 0n }: NonNullable<FlowRecord['countersOriginal']>) => ({ packets, bytes })

function stateOf({ state }: FlowRecord): State | number | undefined {
  if (state === undefined) return undefined
  const protocol = state.tcp ? 'tcp' : state.sctp ? 'sctp' : 'dccp'
  const number = state[protocol]?.state
  return number === undefined ? undefined : (STATES[protocol][number] ?? number)
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1
/** The byte that holds a label: the kernel's longs have 8 bytes where this runs. */
const byteOf = (label: number): number => (LITTLE_ENDIAN ? label >> 3 : ((label >> 6) << 3) + 7 - ((label >> 3) & 7))

function labelsFromWire(bytes: Uint8Array): number[] {
  const labels: number[] = []
  for (let label = 0; label < 8 * bytes.length; label++) if ((bytes[byteOf(label)] ?? 0) & (1 << (label & 7))) labels.push(label)
  return labels
}

function labelsToWire(labels: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(LABELS / 8)
  for (const label of labels) bytes[byteOf(label)] = (bytes[byteOf(label)] as number) | (1 << (label & 7))
  return bytes
}

/** A state of a protocol, as its number. */
export function stateCheck(protocol: keyof typeof STATES): Check<number> {
  return value => {
    if (typeof value === 'number') return whole(0, 255)(value)
    const number = STATES[protocol].indexOf(value as State)
    if (number >= 0) return number
    throw new BadValue(
      typeof value === 'string' ? 'range' : 'type',
      `${shown(value)}: give one of ${STATES[protocol].join(', ')}`,
    )
  }
}

/** What is to be put into the table. Throws a `BadValue`. */
export function checkFlow(given: FlowConfig): FlowRecord {
  const known = ['original', 'reply', 'timeout', 'state', 'status', 'mark', 'zone', 'labels']
  // What reading adds may be given: what was read can be written.
  const fields = new Fields(given, [...known, 'family', 'id', 'counters', 'times', 'helper', 'master'])
  const original = fields.required('original', tupleCheck)
  const reply = fields.optional('reply', tupleCheck) ?? within('original', () => inverse(original))
  if (familyNumberOf(original) !== familyNumberOf(reply)) throw new BadValue('range', 'is of another family').within('reply')
  const protocol = stateful(original)
  if (fields.has('state') && protocol === undefined)
    throw new BadValue('range', 'is for TCP, SCTP and DCCP alone: leave it out').within('state')
  const state = protocol && fields.optional('state', stateCheck(protocol))
  const labels = fields.optional('labels', listOf(whole(0, LABELS - 1)))
  const status = fields.optional('status', bits(STATUS))
  return {
    original,
    reply,
    timeout: fields.required('timeout', timeoutCheck),
    state: protocol && state !== undefined ? { [protocol]: { state, ...WITH_STATE[protocol] } } : undefined,
    // The kernel refuses to take back that it is confirmed (ctnetlink_change_status).
    status: status === undefined ? undefined : status | STATUS.confirmed,
    mark: fields.optional('mark', markCheck),
    zone: fields.optional('zone', zoneCheck) || undefined,
    labels: labels && labels.length > 0 ? labelsToWire(labels) : undefined,
  }
}

/** What the kernel wants to know together with a state (nlattr_to_sctp, nlattr_to_dccp). */
const WITH_STATE = { tcp: {}, sctp: { tagOriginal: 0, tagReply: 0 }, dccp: { role: 0 } }

const stateful = ({ protocol }: Tuple): keyof typeof STATES | undefined =>
  protocol === 'tcp' || protocol === 'sctp' || protocol === 'dccp' ? protocol : undefined

/** What names a flow. Throws a `BadValue`. */
export function checkKey(given: FlowKey): FlowRecord {
  const known = ['original', 'reply', 'zone', 'id']
  const more = ['family', 'status', 'state', 'timeout', 'mark', 'counters', 'times', 'labels', 'helper', 'master']
  const fields = new Fields(given, [...known, ...more])
  const original = fields.optional('original', tupleCheck)
  const reply = fields.optional('reply', tupleCheck)
  // Without a tuple the kernel would delete everything (ctnetlink_del_conntrack).
  if (!original && !reply) throw new BadValue('type', 'is missing: give original or reply').within('original')
  return {
    ...(original ? { original } : { reply }),
    zone: fields.optional('zone', zoneCheck) || undefined,
    id: fields.optional('id', whole(0, 0xffff_ffff)),
  }
}

/** What is changed. Throws a `BadValue`. */
export function checkChange(given: FlowChange): FlowRecord {
  const fields = new Fields(given, ['timeout', 'mark', 'mask'])
  if (fields.has('mask') && !fields.has('mark')) throw new BadValue('type', 'is of no use without mark').within('mask')
  return {
    timeout: fields.optional('timeout', timeoutCheck),
    mark: fields.optional('mark', markCheck),
    markMask: fields.optional('mask', markCheck),
  }
}

/** Writes a flow's message. */
export function writeFlow(writer: MessageWriter, record: FlowRecord): void {
  const one = record.original ?? record.reply
  header.write(writer, { family: one && familyNumberOf(one) })
  flowAttributes.encode(writer, record)
}
