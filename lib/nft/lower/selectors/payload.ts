/** Fields of headers, and bytes of the packet (src/payload.c, src/evaluate.c). */
import { nearest } from '../../../netlink/nearest.js'
import { BadValue, shown } from '../../../netlink/schema.js'
import { fieldsOf, numberIn, optionalText, optionalWord, textIn } from '../../json/fields.js'
import type { HeaderField, Layer, Protocol } from '../../vocabulary/protocol.js'
import { fieldNamed, PROTOCOLS, protocolNamed } from '../../vocabulary/protocols.js'
import { RAW_INTEGER } from '../../vocabulary/types.js'
import type { Shape, ValueType } from '../../vocabulary/value-type.js'
import { register } from '../emit.js'
import type { Lowering } from '../lowering.js'
import { loadPlace } from '../place.js'
import type { Place, Source, Term } from '../terms.js'
import { withinBytes } from './bits.js'

const BASES = { ll: 'link', nh: 'network', th: 'transport', ih: 'inner' } as const
const BASE_NAMES = Object.keys(BASES) as (keyof typeof BASES)[]
const BASE_OF: Readonly<Record<Layer, Place['base']>> = {
  link: 'link',
  network: 'network',
  transport: 'transport',
  inner: 'tunnel',
}
/** What fits into the registers. */
const MOST_BITS = 512

/** A field of the packet, after the matches that it needs. */
export function payload(given: unknown, rule: Lowering): Term {
  const place = placeOf(given, rule)
  return withinBytes(place, part => sourceOf({ ...place, ...part }))
}

/** Where it stands, whether or not those are whole bytes. */
export function placeOf(given: unknown, rule: Lowering): Place & { readonly shape: Shape } {
  const fields = fieldsOf(given, ['protocol', 'field', 'base', 'offset', 'len', 'tunnel'])
  const tunnel = tunnelNamed(optionalText(fields, 'tunnel'), rule)
  if (fields.base !== undefined) {
    const base = optionalWord(fields, 'base', BASE_NAMES) ?? 'll'
    const bits = numberIn(fields, 'len', 1, MOST_BITS)
    const offset = numberIn(fields, 'offset', 0, 8 * 65_535)
    const shape: Shape = { type: rawType(base, offset, bits), bits, order: 'network' }
    return { base: BASES[base], offset, bits, tunnel, shape }
  }
  return namedPlace(textIn(fields, 'protocol'), textIn(fields, 'field'), tunnel, rule)
}

/** Ports have their type where they are told by their place, too (payload_init_raw). */
function rawType(base: string, offset: number, bits: number): ValueType {
  const ports = base === 'th' ? (protocolNamed('th')?.fields ?? []) : []
  return ports.find(port => port.offset === offset && port.bits === bits)?.type ?? RAW_INTEGER
}

function namedPlace(
  name: string,
  fieldName: string,
  tunnel: Protocol | undefined,
  rule: Lowering,
): Place & { readonly shape: Shape } {
  const protocol = protocolCalled(name)
  const field = fieldCalled(protocol, fieldName)
  rule.require(protocol, field.name, tunnel)
  const packet = tunnel === undefined ? rule.packet : rule.innerOf(tunnel)
  const offset = packet.offsetOf(protocol) + field.offset
  const own = protocol.layer === 'inner' ? protocol : tunnel
  const shape: Shape = { type: field.type, bits: field.bits, order: field.order ?? 'network' }
  return { base: BASE_OF[protocol.layer], offset, bits: field.bits, field, protocol, tunnel: own, shape }
}

export function protocolCalled(name: string): Protocol {
  const protocol = protocolNamed(name)
  if (protocol !== undefined) return protocol
  const names = PROTOCOLS.map(known => known.name)
  throw new BadValue('type', `${shown(name)}: there is no such protocol${nearest(name, names)}`).within('protocol')
}

function fieldCalled(protocol: Protocol, name: string): HeaderField {
  const field = fieldNamed(protocol, name)
  if (field !== undefined) return field
  const names = protocol.fields.map(known => known.name)
  throw new BadValue('type', `${shown(name)}: ${protocol.name} has no such field${nearest(name, names)}`).within('field')
}

/** What the packet has to be for the tunnel is matched at once. */
function tunnelNamed(name: string | undefined, rule: Lowering): Protocol | undefined {
  if (name === undefined) return undefined
  const tunnel = protocolNamed(name)
  if (tunnel?.tunnel === undefined) {
    const names = PROTOCOLS.filter(known => known.tunnel !== undefined).map(known => known.name)
    throw new BadValue('type', `${shown(name)}: is no tunnel${nearest(name, names)}`).within('tunnel')
  }
  rule.require(tunnel.name === 'gretap' ? protocolCalled('gre') : tunnel, '')
  return tunnel
}

function sourceOf(place: Place & { readonly shape: Shape }): Source {
  const { protocol, field, tunnel, shape, bits } = place
  const isKey = protocol !== undefined && protocol.next !== undefined && field?.name === protocol.next
  return {
    kind: 'source',
    shape,
    width: bits,
    load: step => [loadPlace(place, register(step))],
    place,
    protocolKey: isKey ? { protocol, tunnel } : undefined,
  }
}
