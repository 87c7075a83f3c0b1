/** Translation of addresses and ports (src/evaluate.c, stmt_evaluate_nat; src/netlink_linearize.c, netlink_gen_nat_stmt). */
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Nat } from '../../expressions/index.js'
import { at, type Fields, fieldsOf, optionalWord, wordsIn } from '../../json/fields.js'
import { protocolNamed } from '../../vocabulary/protocols.js'
import type { Shape } from '../../vocabulary/value-type.js'
import { spanOf } from '../constant.js'
import { emit, register, reserved } from '../emit.js'
import type { Lowering } from '../lowering.js'
import { behind, operand } from '../operand.js'
import { familyOf } from '../selectors/keys.js'
import { inOrder, type Mapped, type Term } from '../terms.js'
import { ADDRESS, PORT } from './forward.js'

const FLAGS = ['random', 'fully-random', 'persistent', 'netmap'] as const
const TYPE_FLAGS = ['interval', 'prefix', 'concat'] as const
type Flags = NonNullable<Nat['flags']>

/** Registers of the first and of the last of addresses and of ports. */
interface Places {
  readonly addressMin?: number | undefined
  readonly addressMax?: number | undefined
  readonly portMin?: number | undefined
  readonly portMax?: number | undefined
}

/** Both ends of a range, or a value. */
type Ends = readonly [first: Term, last?: Term | undefined]

function endsOf(given: unknown, shape: Shape, rule: Lowering): Ends {
  if (behind(given, 'range') === undefined && behind(given, 'prefix') === undefined)
    return [inOrder(operand(rule, given, [shape]), 'network')]
  const { from, to } = spanOf(given, shape)
  const constant = (value: bigint): Term => ({ kind: 'constant', value, shape, width: shape.bits })
  const isValue = from === to && behind(given, 'range') !== undefined
  return isValue ? [constant(from)] : [constant(from), constant(to)]
}

/** Puts values into registers, one after the other. */
class Registers {
  readonly #rule: Lowering
  #step = 0

  constructor(rule: Lowering) {
    this.#rule = rule
  }

  #put(term: Term, steps: number = reserved(term)): number {
    const at = this.#step
    this.#step += steps
    this.#rule.add(...emit(term, at, this.#step))
    return at
  }

  range([first, last]: Ends): readonly [min: number, max?: number | undefined] {
    if (last !== undefined) return [register(this.#put(first)), register(this.#put(last))]
    if (first.kind !== 'map' || !first.ranges) return [register(this.#put(first))]
    const steps = Math.ceil(first.width / 32)
    const at = this.#put(first, Math.max(2 * steps, reserved(first)))
    return [register(at), register(at + steps)]
  }

  /** A map to addresses and ports at once. */
  both(term: Mapped): Places {
    const steps = term.shapes.map(({ bits }) => Math.ceil(bits / 32))
    const [address = 1] = steps
    const all = steps.reduce((sum, count) => sum + count, 0)
    const first = this.#put(term)
    const max = term.ranges ? { addressMax: register(first + all), portMax: register(first + all + address) } : {}
    return { addressMin: register(first), portMin: register(first + address), ...max }
  }
}

export const nat =
  (type: 'snat' | 'dnat') =>
  (given: unknown, rule: Lowering): void => {
    const fields = fieldsOf(given, ['addr', 'family', 'port', 'flags', 'type_flags'])
    checkChain(rule, type)
    const [addr, port] = [fields.addr, fields.port]
    if (addr === undefined && port === undefined)
      throw new BadValue('type', 'is missing: give addr, port, or both').within('addr')
    const family = familyFor(fields, addr, rule)
    wordsIn(fields, 'type_flags', TYPE_FLAGS)
    const flags: Flags = [...(wordsIn(fields, 'flags', FLAGS) ?? [])]
    const places = placesOf(addr, port, family === 'inet' ? 'ip' : family, rule)
    if (places.portMin !== undefined && !looksAtPorts(addr)) checkTransport(rule)
    rule.add({ kind: 'nat', type, family, ...places, ...flagsOf(flags) })
  }

const flagsOf = (flags: Flags): { readonly flags?: Flags } => (flags.length > 0 ? { flags } : {})

/** All terms come before their registers, for they may need matches. */
function placesOf(addr: unknown, port: unknown, family: 'ip' | 'ip6', rule: Lowering): Places {
  const registers = new Registers(rule)
  if (mapsToBoth(addr, rule)) {
    const term = at('addr', () => operand(rule, addr, [ADDRESS[family], PORT]))
    if (term.kind === 'map') return registers.both(term)
  }
  const address = addr === undefined ? undefined : at('addr', () => endsOf(addr, ADDRESS[family], rule))
  const ports = port === undefined ? undefined : at('port', () => endsOf(port, PORT, rule))
  const [addressMin, addressMax] = address === undefined ? [] : registers.range(address)
  const [portMin, portMax] = ports === undefined ? [] : registers.range(ports)
  return given({ addressMin, addressMax, portMin, portMax })
}

const given = (places: Places): Places => Object.fromEntries(Object.entries(places).filter(([, place]) => place !== undefined))

/** Whether a map gives an address and a port. */
function mapsToBoth(addr: unknown, rule: Lowering): boolean {
  const map = behind(addr, 'map')
  if (map === undefined) return false
  const { data } = fieldsOf(map, ['key', 'data'])
  if (typeof data === 'string') {
    const set = at('map', () => at('data', () => rule.setNamed(data)))
    return Array.isArray(set.data) && set.data.length > 1
  }
  const items = behind(data, 'set')
  const [first] = Array.isArray(items) ? items : [items]
  return Array.isArray(first) && first.length === 2 && behind(first[1], 'concat') !== undefined
}

function familyFor(fields: Fields, addr: unknown, rule: Lowering): 'ip' | 'ip6' | 'inet' {
  const wanted = optionalWord(fields, 'family', ['ip', 'ip6'] as const)
  const known = familyOf(rule)
  const { family } = rule.context
  if (wanted !== undefined && (family === 'ip' || family === 'ip6') && wanted !== family)
    throw new BadValue('type', `${shown(wanted)}: the table is of the family ${family}`).within('family')
  if (wanted !== undefined) return wanted
  if (family !== 'inet') return family === 'ip6' ? 'ip6' : 'ip'
  if (known !== undefined) return known
  if (addr === undefined) return 'inet'
  throw new BadValue('type', 'is missing: give "ip" or "ip6", for the table is of both').within('family')
}

function checkChain({ context }: Lowering, statement: string): void {
  const { type } = context.chain
  if (type === undefined || type === 'nat') return
  throw new BadValue('type', `${statement} is for chains of the type nat: this one is of the type ${type}`)
}

function checkTransport({ packet }: Lowering): void {
  if (packet.transport === undefined)
    throw new BadValue(
      'type',
      'ports need a match before them that says of which protocol: as { "meta": { "key": "l4proto" } }',
    ).within('port')
}

/** Whether a map's key has a port or protocol in it: then its data may have a port (nat_evaluate_addr_has_th_expr). */
function looksAtPorts(addr: unknown): boolean {
  const map = behind(addr, 'map') as Fields | undefined
  const parts = map && behind(map.key, 'concat')
  return (
    Array.isArray(parts) &&
    parts.some(part => {
      const { protocol, base } = (behind(part, 'payload') ?? {}) as Fields
      const known = typeof protocol === 'string' ? protocolNamed(protocol) : undefined
      return base === 'th' || known?.layer === 'transport' || (behind(part, 'meta') as Fields | undefined)?.key === 'l4proto'
    })
  )
}

/** `masquerade` and `redirect`: ports only. */
export const portNat =
  (kind: 'masq' | 'redir') =>
  (given: unknown, rule: Lowering): void => {
    checkChain(rule, kind === 'masq' ? 'masquerade' : 'redirect')
    const fields = given === null ? {} : fieldsOf(given, ['port', 'flags'])
    const flags = wordsIn(fields, 'flags', FLAGS) ?? []
    const { port } = fields
    if (port === undefined) return rule.add({ kind, ...flagsOf(flags) })
    const ends = at('port', () => endsOf(port, PORT, rule))
    checkTransport(rule)
    const [portMin, portMax] = new Registers(rule).range(ends)
    // Unlike nat, the kernel looks at ports only where the flags say so (nft_masq.c; nft_redir.c where there are flags).
    rule.add({ kind, portMin, ...(portMax !== undefined && { portMax }), ...flagsOf(['proto-specified', ...flags]) })
  }
