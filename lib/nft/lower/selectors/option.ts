/** Extension headers, options and chunks (src/exthdr.c, src/tcpopt.c, src/ipopt.c, src/sctp_chunk.c, src/dccpopt.c). */
import { nearest } from '../../../netlink/nearest.js'
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Exthdr } from '../../expressions/index.js'
import { type Fields, fieldsOf, numberIn, optionalNumber, optionalText, textIn } from '../../json/fields.js'
import { EXTENSION_HEADERS } from '../../vocabulary/exthdr.js'
import { IP_OPTIONS } from '../../vocabulary/ip-option.js'
import { type Option, optionField, optionNamed } from '../../vocabulary/option.js'
import { SCTP_CHUNKS } from '../../vocabulary/sctp-chunk.js'
import { TCP_OPTIONS } from '../../vocabulary/tcp-option.js'
import { BOOLEAN, RAW_INTEGER } from '../../vocabulary/types.js'
import type { Shape } from '../../vocabulary/value-type.js'
import { register } from '../emit.js'
import type { Lowering } from '../lowering.js'
import type { Source, Term } from '../terms.js'
import { withinBytes } from './bits.js'
import { protocolCalled } from './payload.js'

type Operation = NonNullable<Exthdr['operation']>

/** Where a field of an option stands. */
export interface OptionPlace {
  readonly operation: Operation
  readonly type: number
  /** Bits. */
  readonly offset: number
  readonly bits: number
  readonly shape: Shape
  /** Whether only its presence is asked for. */
  readonly present?: boolean
}

interface Table {
  readonly operation: Operation
  readonly options: readonly Option[]
  readonly noun: string
}

const EXTHDR: Table = { operation: 'ipv6', options: EXTENSION_HEADERS, noun: 'extension header' }
const TCP: Table = { operation: 'tcpopt', options: TCP_OPTIONS, noun: 'TCP option' }
const IP: Table = { operation: 'ipv4', options: IP_OPTIONS, noun: 'IP option' }
const SCTP: Table = { operation: 'sctp', options: SCTP_CHUNKS, noun: 'SCTP chunk' }

const PRESENT = { shape: { type: BOOLEAN, bits: 1, order: 'host' }, offset: 0, bits: 8, present: true } as const

function namedOption(
  { operation, options, noun }: Table,
  fields: Fields,
): { readonly option: Option; readonly place: OptionPlace } {
  const name = textIn(fields, 'name')
  const option = optionNamed(options, name)
  if (option === undefined) {
    const names = options.map(known => known.name)
    throw new BadValue('type', `${shown(name)}: there is no such ${noun}${nearest(name, names)}`).within('name')
  }
  const fieldName = optionalText(fields, 'field')
  if (fieldName === undefined) return { option, place: { operation, type: option.type, ...PRESENT } }
  const field = optionField(option, fieldName)
  if (field === undefined) {
    const names = option.fields.map(known => known.name)
    throw new BadValue('type', `${shown(fieldName)}: ${name} has no such field${nearest(fieldName, names)}`).within('field')
  }
  const shape: Shape = { type: field.type, bits: field.bits, order: field.order ?? 'network' }
  return { option, place: { operation, type: option.type, offset: field.offset, bits: field.bits, shape } }
}

function termOf(place: OptionPlace): Term {
  const { operation, type, shape, present } = place
  return withinBytes(place, ({ offset, bits }): Source => {
    const flags = present ? { flags: ['present'] as const } : {}
    const load = (step: number): Exthdr[] => [
      { kind: 'exthdr', destination: register(step), type, offset: offset >> 3, length: bits >> 3, ...flags, operation },
    ]
    return { kind: 'source', shape, width: bits, load }
  })
}

export function exthdr(given: unknown, rule: Lowering): Term {
  const fields = fieldsOf(given, ['name', 'field', 'offset'])
  const { option, place } = namedOption(EXTHDR, fields)
  // A header is asked for by its first field: of routing headers of one kind that stands behind what all of them have.
  const start = place.present ? (option.fields[0]?.offset ?? 0) : place.offset
  if (rule.context.family === 'arp') throw new BadValue('type', 'extension headers are of IPv6: ARP has none')
  // nft puts what it adds for these before the whole rule (src/evaluate.c, exthdr_gen_dependency).
  rule.atBeginning(() => rule.requireNetwork(protocolCalled('ip6')))
  return termOf({ ...place, offset: start + 8 * (optionalNumber(fields, 'offset', 0, 255) ?? 0) })
}

/** Which part of which TCP option: its field, or its bits. */
export function tcpOptionPlace(given: unknown): OptionPlace {
  const fields = fieldsOf(given, ['name', 'field', 'base', 'offset', 'len'])
  if (fields.base === undefined) return namedOption(TCP, fields).place
  const type = numberIn(fields, 'base', 0, 255)
  const offset = numberIn(fields, 'offset', 0, 2040)
  const bits = numberIn(fields, 'len', 0, 512)
  // nft takes its first byte for the question whether it is there.
  if (bits === 0 || (offset === 0 && bits === 8)) return { operation: 'tcpopt', type, ...PRESENT }
  return { operation: 'tcpopt', type, offset, bits, shape: { type: RAW_INTEGER, bits, order: 'network' } }
}

export const tcpOption = (given: unknown): Term => termOf(tcpOptionPlace(given))

export function ipOption(given: unknown, rule: Lowering): Term {
  const { place } = namedOption(IP, fieldsOf(given, ['name', 'field']))
  rule.atBeginning(() => rule.requireNetwork(protocolCalled('ip')))
  return termOf(place)
}

export const sctpChunk = (given: unknown): Term => termOf(namedOption(SCTP, fieldsOf(given, ['name', 'field'])).place)

export function dccpOption(given: unknown): Term {
  const type = numberIn(fieldsOf(given, ['type']), 'type', 0, 255)
  return termOf({ operation: 'dccp', type, ...PRESENT })
}
