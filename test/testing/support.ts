/** Requests whose attributes are bytes, and memory kernels to send them to. */
import { command, info, ipvsFamily, request } from '../../lib/ipvs/wire.js'
import { Limit } from '../../lib/netlink/channel.js'
import { errnoName } from '../../lib/netlink/error.js'
import { type FamilyMessage, GenericFamily, Refusal } from '../../lib/netlink/generic.js'
import { NLM_F_ACK } from '../../lib/netlink/message.js'
import { attributes, nested, raw } from '../../lib/netlink/schema.js'
import { type MemoryKernel, type MemoryKernelOptions, memoryKernel } from '../../lib/testing/index.js'

/** Attributes by the names of include/uapi/linux/ip_vs.h, as bytes. */
export const table = attributes({
  service: [
    1,
    nested(
      attributes({
        AF: [1, raw],
        PROTOCOL: [2, raw],
        ADDR: [3, raw],
        PORT: [4, raw],
        FWMARK: [5, raw],
        SCHED_NAME: [6, raw],
        FLAGS: [7, raw],
        TIMEOUT: [8, raw],
        NETMASK: [9, raw],
        PE_NAME: [11, raw],
        UNKNOWN: [60, raw],
      }),
    ),
  ],
  dest: [
    2,
    nested(
      attributes({
        ADDR: [1, raw],
        PORT: [2, raw],
        FWD_METHOD: [3, raw],
        WEIGHT: [4, raw],
        U_THRESH: [5, raw],
        L_THRESH: [6, raw],
        ADDR_FAMILY: [11, raw],
        TUN_TYPE: [13, raw],
        TUN_PORT: [14, raw],
        TUN_FLAGS: [15, raw],
      }),
    ),
  ],
  daemon: [
    3,
    nested(
      attributes({
        STATE: [1, raw],
        MCAST_IFN: [2, raw],
        SYNC_ID: [3, raw],
        SYNC_MAXLEN: [4, raw],
        MCAST_GROUP: [5, raw],
        MCAST_GROUP6: [6, raw],
        MCAST_PORT: [7, raw],
        MCAST_TTL: [8, raw],
      }),
    ),
  ],
  TIMEOUT_TCP: [4, raw],
  TIMEOUT_TCP_FIN: [5, raw],
  TIMEOUT_UDP: [6, raw],
  UNKNOWN: [60, raw],
})

export type Attributes = Parameters<typeof table.encode>[1]
export type Command = keyof typeof command | number
/** A request. */
export type Step = readonly [command: Command, attributes?: Attributes]

const machine = (array: Uint16Array | Uint32Array): Uint8Array => new Uint8Array(array.buffer)
export const u8 = (value: number): Uint8Array => Uint8Array.of(value)
export const u16 = (value: number): Uint8Array => machine(Uint16Array.of(value))
export const u32 = (...values: number[]): Uint8Array => machine(Uint32Array.from(values))
export const be16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value)
export const zeros = (length: number): Uint8Array => new Uint8Array(length)
/** With its NUL. */
export const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(`${value}\0`))
export const unended = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value))
/** `struct ip_vs_flags` */
export const flags = (value: number, mask = 0xffffffff): Uint8Array => u32(value, mask)
export const ipv4 = (address: string): Uint8Array => Uint8Array.from(address.split('.'), Number)
/** All eight groups. */
export const ipv6 = (groups: string): Uint8Array =>
  Uint8Array.from(groups.split(':').flatMap(group => [...be16(Number.parseInt(group, 16))]))
export const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')

/** What names the virtual server of these tests. */
export const key = { AF: u16(2), PROTOCOL: u16(6), ADDR: ipv4('10.0.0.1'), PORT: be16(80) }
/** All that adding it takes. */
export const full = { ...key, SCHED_NAME: text('rr'), FLAGS: flags(0), TIMEOUT: u32(0), NETMASK: u32(0xffffffff) }
export const key6 = { ...key, AF: u16(10), ADDR: ipv6('2001:db8:0:0:0:0:0:1') }
export const full6 = { ...full, ...key6, NETMASK: u32(128) }
export const marked = { ...full, FWMARK: u32(5) }

export const destKey = { ADDR: ipv4('10.1.0.1'), PORT: be16(8080) }
export const dest = { ...destKey, FWD_METHOD: u32(0), WEIGHT: u32(1), U_THRESH: u32(0), L_THRESH: u32(0) }
export const dest6 = { ...dest, ADDR: ipv6('2001:db8:1:0:0:0:0:1'), ADDR_FAMILY: u16(10) }

export const master = { STATE: u32(1), MCAST_IFN: text('lo'), SYNC_ID: u32(7) }

export const addService: Step = ['newService', { service: full }]
export const addService6: Step = ['newService', { service: full6 }]
export const addDest: Step = ['newDest', { service: key, dest }]
export const startMaster: Step = ['newDaemon', { daemon: master }]

/** What came back: `OK` or the name of an errno, and the messages by the tables of the library. */
export interface Answer {
  readonly code: string
  readonly records: readonly ReturnType<typeof decode>[]
  readonly refusal?: Refusal
}

/** A kernel and what speaks to it. */
export class Booted {
  readonly kernel: MemoryKernel
  readonly family: GenericFamily

  constructor(kernel: MemoryKernel) {
    this.kernel = kernel
    this.family = new GenericFamily(kernel, ipvsFamily)
  }

  do(name: Command, given: Attributes = {}): Promise<Answer> {
    return answer(() => this.family.request(numberOf(name), NLM_F_ACK, writer => table.encode(writer, given), limit()))
  }

  dump(name: Command, given: Attributes = {}): Promise<Answer> {
    return answer(async () => {
      const messages: FamilyMessage[] = []
      const pages = this.family.dump(numberOf(name), writer => table.encode(writer, given), 1 << 20, limit)
      for await (const page of pages) messages.push(...page.messages)
      return messages
    })
  }
}

export const limit = (seconds = 60): Limit => new Limit(undefined, seconds)

export const numberOf = (name: Command): number => (typeof name === 'number' ? name : command[name])

async function answer(ask: () => Promise<readonly FamilyMessage[]>): Promise<Answer> {
  try {
    return { code: 'OK', records: (await ask()).map(decode) }
  } catch (error) {
    if (error instanceof Refusal) return { code: errnoName(error.acknowledgement.errno), records: [], refusal: error }
    throw error
  }
}

function decode({ reader, start, end, command: id }: FamilyMessage) {
  const { version, connectionTableSize } = info.decode(reader, start, end)
  return { ...request.decode(reader, start, end), ...(id === command.setInfo && { version, connectionTableSize }) }
}

export function boot(options?: MemoryKernelOptions): Booted {
  return new Booted(memoryKernel(options))
}

/** A kernel that has carried out some requests. */
export async function bootAfter(steps: readonly Step[], options?: MemoryKernelOptions): Promise<Booted> {
  const booted = boot(options)
  for (const [name, given] of steps) {
    const { code } = await booted.do(name, given)
    if (code !== 'OK') throw new Error(`${name}: ${code}`)
  }
  return booted
}
