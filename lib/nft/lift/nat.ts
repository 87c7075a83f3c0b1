/** Statements that send packets elsewhere (src/netlink_delinearize.c, netlink_parse_nat and those of its kind). */
import type { Dup, Fwd, Masq, Nat, Queue, Redir, Tproxy } from '../expressions/index.js'
import type * as json from '../json/index.js'
import { shapesOf } from '../vocabulary/shapes.js'
import { knownType } from '../vocabulary/types.js'
import type { Shape } from '../vocabulary/value-type.js'
import { complete } from './complete.js'
import { forget } from './dependencies.js'
import { express } from './express.js'
import { add, type Reading } from './reading.js'
import { HOST_NUMBER } from './shape.js'
import { word } from './source.js'
import { asNumber, prefixOf } from './typed.js'
import { type MappedValue, unliftable, type Value } from './value.js'
import { assigned } from './write.js'

const shape = (name: string, order: 'network' | 'host' = 'network'): Shape => {
  const type = knownType(name)
  return { type, bits: type.bits, order }
}
const PORT = shape('inet_service')
const DEVICE = shape('iface_index', 'host')
const addressShape = (family: string): Shape => shape(family === 'ip6' ? 'ipv6_addr' : 'ipv4_addr')

/** In nft's order (src/json.c, nat_flags_json). */
const FLAGS = ['random', 'fully-random', 'persistent', 'netmap'] as const
/** What the kernel tells beside them: that there are addresses, and ports. */
const TOLD: ReadonlySet<unknown> = new Set([...FLAGS, 'map-ips', 'proto-specified'])

/** One is told alone, several as a list. */
export function oneOrMore<T>(values: readonly T[]): T | readonly T[] | undefined {
  return values.length > 1 ? values : values[0]
}

function natFlags(flags: readonly (string | number)[] = []): { readonly flags?: json.NatFlag | readonly json.NatFlag[] } {
  if (flags.some(flag => !TOLD.has(flag))) unliftable('flags')
  const known = oneOrMore(FLAGS.filter(flag => flags.includes(flag)))
  return known === undefined ? {} : { flags: known }
}

/** From one register to another: a value, or a range. */
function span(reading: Reading, from: number, to: number | undefined, type: Shape): json.Expression {
  const first = assigned(reading, from, type)
  if (to === undefined || to === from) return first
  return { range: [first as json.Immediate, assigned(reading, to, type) as json.Immediate] }
}

const dataOf = ({ map }: MappedValue): readonly Shape[] =>
  map.set.data === undefined || map.set.data === 'verdict' ? [] : shapesOf(map.set.data)

export function readNat(reading: Reading, expression: Nat): void {
  const { type, addressMin, addressMax, portMin, portMax, flags } = expression
  const family = word<'inet' | 'ip' | 'ip6'>(expression.family)
  const given = natFlags(flags)
  const inet = reading.context.family === 'inet' && family !== 'inet' ? { family } : {}
  const netmap = flags?.includes('netmap') ? { type_flags: 'prefix' as const } : {}
  const name = word<'snat' | 'dnat'>(type)
  const statement = (nat: json.Nat): void => {
    add(reading, { [name]: { ...nat, ...given, ...netmap } } as unknown as json.NatStatement)
  }
  const ports = portMin === undefined ? {} : { port: () => span(reading, portMin, portMax, PORT) }
  if (addressMin === undefined) return statement({ ...inet, ...called(ports) })
  const address = reading.registers.get(addressMin)
  if (address.kind === 'mapped') {
    const told = family === 'inet' ? {} : { family }
    const pairs = dataOf(address).length > 1
    const own = pairs || address.map.set.dataInterval ? told : inet
    const addr = express(reading.context, complete(reading, address))
    return statement({ ...own, addr, ...(pairs ? {} : called(ports)) })
  }
  const addr = natAddress(reading, addressMin, addressMax, addressShape(family))
  statement({ ...inet, addr, ...called(ports) })
}

/** Registers are read in nft's order: the addresses before the ports. */
const called = ({ port }: { readonly port?: () => json.Expression }): { readonly port?: json.Expression } =>
  port ? { port: port() } : {}

/** A range that is a prefix is told as one. */
function natAddress(reading: Reading, from: number, to: number | undefined, type: Shape): json.Expression {
  const first = reading.registers.get(from)
  const last = to === undefined || to === from ? undefined : reading.registers.get(to)
  if (first.kind !== 'constant' || last?.kind !== 'constant') return span(reading, from, to, type)
  const mask = ((1n << BigInt(type.bits)) - 1n) ^ asNumber(first) ^ asNumber(last)
  const len = (asNumber(first) & mask) === asNumber(first) ? prefixOf(mask, type.bits) : undefined
  return len === undefined
    ? span(reading, from, to, type)
    : { prefix: { addr: assigned(reading, from, type) as json.Immediate, len } }
}

export function readPortNat(reading: Reading, { kind, flags, portMin, portMax }: Masq | Redir): void {
  const port = portMin === undefined ? {} : { port: span(reading, portMin, portMax, PORT) }
  const given = { ...port, ...natFlags(flags) }
  const nat = Object.keys(given).length > 0 ? given : null
  add(reading, kind === 'masq' ? { masquerade: nat } : { redirect: nat })
}

export function readTproxy(reading: Reading, { family, address, port }: Tproxy): void {
  const name = word<'unspecified' | 'ip' | 'ip6'>(family)
  const told = reading.context.family === 'inet' && name !== 'unspecified' ? { family: name } : {}
  const own = name === 'unspecified' ? reading.context.family : name
  const addr = address === undefined ? {} : { addr: assigned(reading, address, addressShape(own)) }
  // In a port nft does not look at what is told before it.
  forget(reading.packet)
  const ports = port === undefined ? {} : { port: assigned(reading, port, PORT) }
  add(reading, { tproxy: { ...told, ...addr, ...ports } })
}

export function readDup(reading: Reading, { address, device }: Dup): void {
  const { family } = reading.context
  if (address === undefined) {
    if (device === undefined) unliftable('dup')
    add(reading, { dup: { addr: assigned(reading, device, DEVICE) } })
    return
  }
  if (family !== 'ip' && family !== 'ip6') {
    // nft reads an address only where it knows its family.
    const value: Value = complete(reading, reading.registers.get(address))
    if (value.kind === 'constant') unliftable('an address without a family')
  }
  const addr = assigned(reading, address, addressShape(family))
  add(reading, { dup: device === undefined ? { addr } : { addr, dev: assigned(reading, device, DEVICE) } })
}

export function readFwd(reading: Reading, { device, address, family }: Fwd): void {
  const dev = assigned(reading, device, DEVICE)
  if (address === undefined) {
    add(reading, { fwd: { dev } })
    return
  }
  const name = word<'ip' | 'ip6'>(family)
  add(reading, { fwd: { dev, family: name, addr: assigned(reading, address, addressShape(name)) } })
}

export function readQueue(reading: Reading, { number = 0, total = 1, flags = [], source }: Queue): void {
  const known = (['bypass', 'fanout'] as const).filter(flag => flags.includes(flag))
  if (known.length !== flags.length) unliftable('flags')
  const several: json.Expression = total > 1 ? { range: [number, number + total - 1] } : number
  const num = source === undefined ? several : assigned(reading, source, { ...HOST_NUMBER, bits: 16 })
  const given = oneOrMore(known)
  add(reading, { queue: given === undefined ? { num } : { num, flags: given } })
}
