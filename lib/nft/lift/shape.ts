/** Types and lengths of values. */
import { EXTENSION_HEADERS } from '../vocabulary/exthdr.js'
import { IP_OPTIONS } from '../vocabulary/ip-option.js'
import type { Option } from '../vocabulary/option.js'
import type { HeaderField } from '../vocabulary/protocol.js'
import { SCTP_CHUNKS } from '../vocabulary/sctp-chunk.js'
import { shapesOf as shapesOfTypes } from '../vocabulary/shapes.js'
import { TCP_OPTIONS } from '../vocabulary/tcp-option.js'
import { BOOLEAN, INTEGER, RAW_INTEGER } from '../vocabulary/types.js'
import type { Shape } from '../vocabulary/value-type.js'
import type { OptionKind, OptionValue, Value } from './value.js'

export const HOST_NUMBER: Shape = { type: INTEGER, bits: 32, order: 'host' }
export const EXISTS: Shape = { type: BOOLEAN, bits: 1, order: 'none' }

const shapeOfField = (field: HeaderField): Shape => ({
  type: field.type,
  bits: field.bits,
  order: field.order ?? (field.type.text ? 'host' : 'network'),
})
const rawShape = (bits: number): Shape => ({ type: RAW_INTEGER, bits, order: 'network' })

const TABLES: Readonly<Record<OptionKind, readonly Option[]>> = {
  exthdr: EXTENSION_HEADERS,
  'tcp option': TCP_OPTIONS,
  'ip option': IP_OPTIONS,
  'sctp chunk': SCTP_CHUNKS,
  'dccp option': [],
}

/** Options of TCP that nft writes and does not read (src/tcpopt.c, tcpopt_protocols). */
const UNREAD: ReadonlySet<string> = new Set(['echo', 'echo-reply'])

export const tcpOptionName = (type: number): string | undefined =>
  TCP_OPTIONS.find(option => option.type === type && !UNREAD.has(option.name))?.name

/** The option that a value is of, and its field: of several by the same number the first that has it. */
export function optionOf(value: OptionValue): { readonly option: Option; readonly field?: HeaderField | undefined } | undefined {
  const options = TABLES[value.of].filter(option => option.type === value.type && !UNREAD.has(option.name))
  if (value.present) {
    const option = options.find(({ fields: [first] }) => first?.offset === value.offset) ?? options[0]
    return option && { option }
  }
  for (const option of options) {
    const field = option.fields.find(field => field.offset === value.offset && field.bits === value.bits)
    if (field) return { option, field }
  }
  return undefined
}

export function bitsOf(value: Value): number {
  switch (value.kind) {
    case 'constant':
      return 8 * value.bytes.length
    case 'packet':
    case 'calculated':
    case 'swapped':
      return value.bits
    case 'option':
      return value.present ? 8 : value.bits
    case 'selector':
      return value.shape.bits
    case 'hash':
      return 32
    case 'concatenated':
      return value.parts.reduce((sum, part) => sum + 32 * Math.ceil(bitsOf(part) / 32), 0)
    case 'mapped':
      return dataShapes(value).reduce((sum, shape) => sum + 32 * Math.ceil(shape.bits / 32), 0)
  }
}

const dataShapes = (value: Extract<Value, { readonly kind: 'mapped' }>): readonly Shape[] => {
  const { data } = value.map.set
  if (data === undefined || data === 'verdict') return []
  return shapesOfTypes(data)
}

const keepsOrder = (value: Value): boolean =>
  value.kind === 'packet' || (value.kind === 'selector' && 'ct' in value.json && value.json.ct.key.startsWith('proto-'))

/**
 * Whether nft knows no order of a value: it does not of pieces of the packet that are no fields, of ports of whatever protocol, and of the
 * headers of tunnels. What it turns round is then in the machine's order (expr_postprocess, EXPR_UNARY).
 */
function isUnordered(value: Value): boolean {
  if (value.kind === 'swapped') return !isUnordered(value.of)
  if (value.kind === 'calculated') return value.operator !== '<<' && value.operator !== '>>' && isUnordered(value.left)
  if (value.kind !== 'packet') return false
  return value.field === undefined || value.protocol?.name === 'th' || value.protocol?.name === value.tunnel
}

/** Whether it is calculated from the packet. */
export function isOfPacket(value: Value): boolean {
  if (value.kind === 'calculated') return isOfPacket(value.left)
  return value.kind === 'swapped' ? isOfPacket(value.of) : value.kind === 'packet'
}

const WORDS: ReadonlySet<string> = new Set(['iface_type', 'fib_addrtype'])

/** The type of a value; of a concatenation there are several, and none of a constant. */
export function shapeOf(value: Value): Shape {
  switch (value.kind) {
    case 'constant':
      return rawShape(bitsOf(value))
    case 'packet':
      return value.field ? { ...shapeOfField(value.field), bits: value.bits } : rawShape(value.bits)
    case 'option': {
      const found = optionOf(value)
      if (value.present) return EXISTS
      return found?.field ? shapeOfField(found.field) : rawShape(value.bits)
    }
    case 'selector':
      return value.shape
    case 'hash':
      return HOST_NUMBER
    case 'calculated':
      return value.operator === '<<' || value.operator === '>>'
        ? { ...HOST_NUMBER, bits: value.bits }
        : { ...shapeOf(value.left), bits: value.bits }
    case 'swapped': {
      const shape = shapeOf(value.of)
      if (isUnordered(value.of)) return { ...shape, order: 'host' }
      // Of packets nft knows the order whatever is done with it.
      if (keepsOrder(value.of)) return shape
      // Their words are found by numbers of the machine's order only.
      const type = WORDS.has(shape.type.name) ? INTEGER : shape.type
      // What has the network's order gets none at all, and is read as if it still had it (expr_set_type).
      return { ...shape, type, order: 'network' }
    }
    case 'concatenated':
      return rawShape(bitsOf(value))
    case 'mapped':
      return dataShapes(value)[0] ?? HOST_NUMBER
  }
}
