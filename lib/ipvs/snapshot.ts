/**
 * Reading everything. IPVS dumps go on by index: what is removed by others between two datagrams of a dump makes the kernel leave out
 * what is still there, without a mark (ip_vs_ctl.c, ip_vs_genl_dump_services). A dump in one datagram was made under the kernel's lock;
 * any other is read again until it comes out the same.
 */
import { AF_INET6 } from '../netlink/address.js'
import type { MessageReader } from '../netlink/buffer.js'
import type { Limit } from '../netlink/channel.js'
import type { Body, FamilyMessage } from '../netlink/generic.js'
import { attributeEnd, findAttribute } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import type { Kernel } from './kernel.js'
import {
  command,
  type DestinationRecord,
  destination,
  plainDestination,
  plainService,
  request,
  type ServiceRecord,
  service,
} from './wire.js'

/** How an object is read: the number of its nest, and its tables without counters, with those of 64 bits, and with those of 32, too. */
const ofService = { id: 1, plain: plainService, wide: service.without('statistics32'), full: service }
const ofDestination = { id: 2, plain: plainDestination, wide: destination.without('statistics32'), full: destination }

const PAGE = 256 << 10
/** The datagrams of a dump that was made in one go: IPVS puts NLMSG_DONE into one of its own, unless there is nothing else. */
const ONE_AND_DONE = 2
/** How often a dump that keeps changing is read. */
const TRIES = 5
/** Bytes of answers that one crossing should bring. More would only touch more memory: what was decoded is garbage before the next comes. */
const CROSSING = 128 << 10
const MOST_DUMPS = 128
/** A dump that may have taken more than one datagram: the kernel's smallest is a page less an skb's overhead. */
const ONE_DATAGRAM = 3000

export interface Read<T> {
  readonly records: T[]
  /** False when it never came out the same twice. */
  readonly consistent: boolean
}

export interface WalkOptions {
  readonly statistics: boolean
  /** Virtual servers by mark, family, protocol, address and port, instead of in the kernel's order. */
  readonly sorted?: boolean | undefined
  /** AF_*: only virtual servers of this family. */
  readonly addressFamily?: number | undefined
}

/** A virtual server with its real servers, as records. */
export interface Entry {
  readonly service: ServiceRecord
  readonly destinations: DestinationRecord[]
  readonly consistent: boolean
}

/** Distinct for distinct keys. */
export function serviceKey({ firewallMark, addressFamily, protocol, address, port }: ServiceRecord): string {
  if (firewallMark) return `${firewallMark}m${addressFamily}`
  return `${protocol}/${port}/${addressFamily === AF_INET6 ? latin1(address) : ipv4(address)}/${addressFamily}`
}

function compareServices(a: ServiceRecord, b: ServiceRecord): number {
  return (
    (a.firewallMark ?? 0) - (b.firewallMark ?? 0) ||
    (a.addressFamily ?? 0) - (b.addressFamily ?? 0) ||
    (a.protocol ?? 0) - (b.protocol ?? 0) ||
    Buffer.compare(a.address ?? NO_ADDRESS, b.address ?? NO_ADDRESS) ||
    (a.port ?? 0) - (b.port ?? 0)
  )
}

const NO_ADDRESS = new Uint8Array()

/** A number for IPv4, which costs no memory. */
export function destinationKey({ addressFamily, address, port = 0 }: DestinationRecord): string | number {
  return addressFamily === AF_INET6 ? `${latin1(address)}${port}` : ipv4(address) * 65536 + port
}

function ipv4(bytes: Uint8Array | undefined): number {
  let number = 0
  if (bytes) for (let i = 0; i < 4; i++) number = number * 256 + (bytes[i] as number)
  return number
}

function latin1(bytes: Uint8Array | undefined): string {
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') : ''
}

/** All virtual servers, once each. */
export async function readServices(kernel: Kernel, limit: Limit, options: WalkOptions): Promise<Read<ServiceRecord>> {
  return settled(serviceKey, take => dumpServices(kernel, limit, options, take))
}

async function dumpServices(
  kernel: Kernel,
  limit: Limit,
  options: WalkOptions,
  take: (records: readonly ServiceRecord[]) => void,
): Promise<boolean> {
  let datagrams = 0
  for await (const page of kernel.reads.dump(command.getService, undefined, PAGE, () => limit)) {
    datagrams += page.datagrams
    take(decodeServices(page.messages, options))
  }
  return datagrams <= ONE_AND_DONE
}

/** Reads until two readings agree on what there is, or one was whole: `read` hands over what comes, and says whether it was. */
async function settled<T>(
  keyOf: (record: T) => string | number,
  read: (take: (records: readonly T[]) => void) => Promise<boolean>,
): Promise<Read<T>> {
  let before: Map<string | number, T> | undefined
  for (let tries = 0; tries < TRIES; tries++) {
    const now = new Map<string | number, T>()
    let same = 0
    const whole = await read(records => {
      for (const record of records) {
        const key = keyOf(record)
        if (before?.has(key) && !now.has(key)) same++
        now.set(key, record)
      }
    })
    if (whole || (before && same === before.size && same === now.size)) return { records: [...now.values()], consistent: true }
    before = before && tries === TRIES - 1 ? new Map([...before, ...now]) : now
  }
  return { records: [...(before?.values() ?? [])], consistent: false }
}

/** Everything, in groups of virtual servers. */
export async function* walk(kernel: Kernel, limit: Limit, options: WalkOptions): AsyncGenerator<Entry[]> {
  const { records: all, consistent } = await readServices(kernel, limit, options)
  const { addressFamily } = options
  const records = addressFamily === undefined ? all : all.filter(record => record.addressFamily === addressFamily)
  if (options.sorted) records.sort(compareServices)
  let size = 16
  let pending = crossing(kernel, limit, records, 0, size)
  try {
    for (let at = 0; at < records.length; ) {
      const group = records.slice(at, at + size)
      const { dumps, datagrams } = await pending
      at += group.length
      const bytes = dumps.reduce((sum, dump) => sum + sizeOf(dump), 0)
      size = Math.max(1, Math.min(MOST_DUMPS, Math.floor((CROSSING / Math.max(bytes, 1)) * group.length)))
      const suspicious = datagrams > dumps.reduce((sum, dump) => sum + (dump.length > 0 ? ONE_AND_DONE : 1), 0)
      // The kernel works on the next group while this one is decoded; but not while some of it has to be read again.
      if (!suspicious) pending = crossing(kernel, limit, records, at, size)
      const entries = await decode(kernel, limit, group, dumps, suspicious, consistent, options)
      if (suspicious) pending = crossing(kernel, limit, records, at, size)
      yield entries
    }
  } finally {
    await pending.catch(() => {}) // left in the middle: nothing may be in flight when the next call begins
  }
}

type Crossing = ReturnType<Kernel['reads']['dumpMany']>

function crossing(kernel: Kernel, limit: Limit, records: readonly ServiceRecord[], at: number, size: number): Crossing {
  if (at >= records.length) return Promise.resolve({ dumps: [], datagrams: 0 })
  const dumps = kernel.reads.dumpMany(command.getDest, records.slice(at, at + size).map(bodyOf), limit)
  dumps.catch(() => {}) // looked at when the group before was decoded
  return dumps
}

function bodyOf({ addressFamily, protocol, address, port, firewallMark }: ServiceRecord): Body {
  const service = firewallMark ? { addressFamily, firewallMark } : { addressFamily, protocol, address, port }
  return writer => request.encode(writer, { service })
}

function sizeOf(dump: readonly FamilyMessage[]): number {
  const [first] = dump
  const last = dump.at(-1)
  return first && last ? last.end - first.start : 0
}

async function decode(
  kernel: Kernel,
  limit: Limit,
  group: readonly ServiceRecord[],
  dumps: readonly FamilyMessage[][],
  suspicious: boolean,
  consistent: boolean,
  options: WalkOptions,
): Promise<Entry[]> {
  const entries: Entry[] = []
  const turns = new Turns()
  for (const [i, service] of group.entries()) {
    const dump = dumps[i] ?? []
    const read =
      suspicious && sizeOf(dump) > ONE_DATAGRAM
        ? await readDestinations(kernel, limit, service, options, dump)
        : { records: decodeDestinations(dump, service, options), consistent: true }
    entries.push({ service, destinations: read.records, consistent: consistent && read.consistent })
    if (turns.due(1 + read.records.length)) await turns.give()
  }
  return entries
}

/** The real servers of one virtual server, once each. `first` is a reading that is there already. */
export async function readDestinations(
  kernel: Kernel,
  limit: Limit,
  service: ServiceRecord,
  options: WalkOptions,
  first?: readonly FamilyMessage[],
): Promise<Read<DestinationRecord>> {
  let given = first
  return settled(destinationKey, async take => {
    if (given) {
      take(decodeDestinations(given, service, options))
      given = undefined
      return false
    }
    const { dumps, datagrams } = await kernel.reads.dumpMany(command.getDest, [bodyOf(service)], limit)
    take(decodeDestinations(dumps[0] ?? [], service, options))
    return datagrams <= ONE_AND_DONE
  })
}

/** Decodes real servers of a page. */
export function decodeDestinations(
  messages: readonly FamilyMessage[],
  { addressFamily }: ServiceRecord,
  { statistics }: WalkOptions,
): DestinationRecord[] {
  const records: DestinationRecord[] = []
  for (const message of messages) {
    const record = decodeObject<DestinationRecord>(message, ofDestination, statistics)
    // Kernels before 3.18 do not say: it is that of the virtual server.
    if (record) records.push(record.addressFamily ? record : { ...record, addressFamily })
  }
  return records
}

/** Decodes virtual servers of a page. */
export function decodeServices(messages: readonly FamilyMessage[], { statistics }: WalkOptions): ServiceRecord[] {
  const records: ServiceRecord[] = []
  for (const message of messages) {
    const record = decodeObject<ServiceRecord>(message, ofService, statistics)
    if (record) records.push(record)
  }
  return records
}

interface Table<T> {
  decode(reader: MessageReader, start: number, end: number): T
}

function decodeObject<T extends Pick<ServiceRecord, 'statistics64'>>(
  { reader, start, end }: FamilyMessage,
  { id, plain, wide, full }: { id: number; plain: Table<T>; wide: Table<T>; full: Table<T> },
  statistics: boolean,
): T | undefined {
  const nest = findAttribute(reader, start, end, id)
  if (nest < 0) return undefined
  const nestEnd = attributeEnd(reader, nest)
  const record = (statistics ? wide : plain).decode(reader, nest + 4, nestEnd)
  // Since Linux 4.1 all counters come twice, and those of 32 bits are not worth decoding.
  return statistics && !record.statistics64 ? full.decode(reader, nest + 4, nestEnd) : record
}
