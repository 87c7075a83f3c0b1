/** Changes of the packet and of what belongs to it (src/evaluate.c, stmt_evaluate_payload and those beside it). */
import { nearest } from '../../../netlink/nearest.js'
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Ct, Expression, Meta, Payload } from '../../expressions/index.js'
import { at, fieldsOf } from '../../json/fields.js'
import type { Shape } from '../../vocabulary/value-type.js'
import { bytesOf, emit, register } from '../emit.js'
import type { Lowering } from '../lowering.js'
import { wordOf } from '../operand.js'
import { loadPlace } from '../place.js'
import { ctKey, metaKey, shapeOfKey } from '../selectors/keys.js'
import { tcpOptionPlace } from '../selectors/option.js'
import { placeOf } from '../selectors/payload.js'
import { inOrder, type Place, type Term } from '../terms.js'
import { valueFor } from './value.js'

const META = ['mark', 'priority', 'nftrace', 'pkttype', 'secmark', 'broute']
const CT = ['mark', 'label', 'zone', 'event', 'secmark']

export function mangle(given: unknown, rule: Lowering): void {
  const fields = fieldsOf(given, ['key', 'value'])
  for (const name of ['key', 'value'])
    if (fields[name] === undefined) throw new BadValue('type', 'is missing: give an expression').within(name)
  const { key, value } = fields
  const [word, target] = at('key', () => wordOf(key)) ?? []
  const change = word === undefined ? undefined : CHANGES[word]
  if (word === undefined || change === undefined)
    throw new BadValue('type', `${shown(key)}: can not be changed: give ${Object.keys(CHANGES).join(', ')}`).within('key')
  const { shape, write } = at('key', () => at(word, () => change(target, rule)))
  at('value', () => write(rule.whileSetting(() => valueFor(value, shape, rule))))
}

interface Target {
  readonly shape: Shape
  write(value: Term): void
}

const CHANGES: Readonly<Record<string, (given: unknown, rule: Lowering) => Target>> = {
  payload: (given, rule) => {
    const place = placeOf(given, rule)
    const write = (value: Term): void => {
      checkType(value, place.shape)
      writePayload(place, value, rule)
    }
    return { shape: place.shape, write }
  },
  meta: (given, rule) => {
    const key = metaKey(given)
    checkKey(key.name, META, 'meta')
    const shape = shapeOfKey(key)
    const write = (value: Term): void => {
      if (key.name === 'priority') checkType(value, shape)
      if (key.name === 'mark') checkLength(value)
      rule.add(...emit(value), { kind: 'meta', key: key.kernel as Meta['key'], source: register(0) })
    }
    return { shape, write }
  },
  ct: (given, rule) => {
    const { key, direction } = ctKey(given, rule)
    checkKey(key.name, CT, 'ct')
    const more = direction === undefined ? {} : { direction }
    const write = (source: number): Expression => ({ kind: 'ct', key: key.kernel as Ct['key'], source, ...more })
    return { shape: shapeOfKey(key), write: value => rule.add(...emit(value), write(register(0))) }
  },
  'tcp option': (given, rule) => {
    const { type, offset, bits, shape, present } = tcpOptionPlace(given)
    if (present) throw new BadValue('type', 'is missing: which field is changed').within('field')
    const write: Expression = {
      kind: 'exthdr',
      type,
      offset: offset >> 3,
      length: (bits + 7) >> 3,
      operation: 'tcpopt',
      source: 1,
    }
    return { shape, write: value => rule.add(...emit(inOrder(value, 'network')), write) }
  },
}

function checkKey(name: string, writable: readonly string[], noun: string): void {
  if (!writable.includes(name))
    throw new BadValue(
      'type',
      `${shown(name)}: this key of ${noun} can not be set${nearest(name, writable).replace('the fields are', 'there are')}`,
    ).within('key')
}

/** Only plain numbers stand for values of another type (src/evaluate.c, __stmt_evaluate_arg). */
function checkType(value: Term, { type }: Shape): void {
  if (value.kind === 'swap') return checkType(value.term, { ...value.shape, type })
  const own = value.shape.type.name
  if (value.kind === 'source' && own !== 'integer' && own !== type.name)
    throw new BadValue('type', `is of the type ${own}: give a value of the type ${type.name}`)
}

/** Marks take numbers of their own length, and whatever has a type of its own. */
function checkLength(value: Term): void {
  if (value.kind === 'swap') return checkLength(value.term)
  const isNumber = value.kind === 'source' && value.place?.field !== undefined && value.shape.type.name === 'integer'
  if (isNumber && value.width !== 32)
    throw new BadValue('type', `is a number of ${value.width} bits, and marks have 32: give a number of that length`)
}

type Checksum = Pick<Payload, 'checksumType' | 'checksumOffset' | 'checksumFlags'>

/** Fields that the checksums of transport protocols cover (src/proto.c, pseudohdr). */
const PSEUDO_HEADER: Readonly<Record<string, readonly string[]>> = {
  ip: ['saddr', 'daddr', 'protocol', 'length'],
  ip6: ['saddr', 'daddr', 'nexthdr', 'length'],
}

/** How the checksum follows. UDP's may be absent, which the kernel looks at where it is told of the pseudo-header only. */
function checksumOf({ base, protocol, field, tunnel }: Place): Checksum {
  const none = { checksumType: 'none', checksumOffset: 0 } as const
  // What stands within a transport protocol is covered by its checksum.
  if (base === 'inner' && protocol === undefined) return { ...none, checksumFlags: ['pseudo-header'] }
  if (protocol === undefined || tunnel !== undefined) return none
  if (protocol.name === 'udp') return { ...none, checksumFlags: ['pseudo-header'] }
  const isPseudo = PSEUDO_HEADER[protocol.name]?.includes(field?.name ?? '')
  const flags = isPseudo ? { checksumFlags: ['pseudo-header'] as const } : {}
  const own = protocol.fields.find(({ name }) => name === protocol.checksum?.field)
  if (own === undefined) return { ...none, ...flags }
  return { checksumType: protocol.name === 'sctp' ? 'sctp' : 'internet', checksumOffset: own.offset >> 3, ...flags }
}

/** Checksums are of 16 bits each, so an even number of bytes is written where there is one, or may be one (payload_needs_csum). */
function writePayload(place: Place & { readonly shape: Shape }, value: Term, rule: Lowering): void {
  const checksum = checksumOf(place)
  const isCovered = checksum.checksumType !== 'none' || (place.base === 'inner' && place.protocol === undefined)
  // The kernel writes tags of VLANs as a whole.
  const isEven = isCovered || place.protocol?.name === 'vlan'
  const [begin, stop] = [place.offset & ~7, (place.offset + place.bits + 7) & ~7]
  const isMore = isEven && ((stop - begin) & 8) !== 0
  const first = isMore && (begin & 8) !== 0 ? begin - 8 : begin
  const end = isMore && first === begin ? stop + 8 : stop
  const whole = { ...place, offset: first, bits: end - first }
  if (whole.offset === place.offset && whole.bits === place.bits) {
    rule.add(...emit(value), written(whole, checksum))
    return
  }
  if (isField(value, place)) throw new BadValue('type', 'is what is written: leave the statement out, or change some of its bits')
  const { kept, flipped } = changeOf(value, place)
  const shift = BigInt(end - place.offset - place.bits)
  const all = (1n << BigInt(place.bits)) - 1n
  const mask = ((1n << BigInt(whole.bits)) - 1n) ^ ((all & ~kept) << shift)
  const shape: Shape = { ...place.shape, order: 'network' }
  rule.add(
    loadPlace(whole, 1),
    {
      kind: 'bitwise',
      source: 1,
      destination: 1,
      length: whole.bits >> 3,
      operator: 'mask-xor',
      mask: bytesOf(mask, shape, whole.bits),
      xor: bytesOf(flipped << shift, shape, whole.bits),
    },
    written(whole, checksum),
  )
}

interface Change {
  /** Which bits stay as they are … */
  readonly kept: bigint
  /** … and which are turned then. */
  readonly flipped: bigint
}

/** What becomes of a part of what is written: a constant, or the part itself after calculations with constants. */
function changeOf(value: Term, place: Place): Change {
  if (value.kind === 'constant') return { kept: 0n, flipped: value.value }
  if (value.kind === 'swap') return changeOf(value.term, place)
  const isCalculated = value.kind === 'binary' && value.right.kind === 'constant'
  if (isCalculated && value.operator !== '<<' && value.operator !== '>>' && !isField(value, place)) {
    const { kept, flipped } = changeOf(value.left, place)
    const operand = value.right.value
    if (value.operator === '&') return { kept: kept & operand, flipped: flipped & operand }
    if (value.operator === '^') return { kept, flipped: flipped ^ operand }
    return { kept: kept & ~operand, flipped: (flipped & ~operand) | operand }
  }
  if (isField(value, place)) return { kept: (1n << BigInt(place.bits)) - 1n, flipped: 0n }
  throw new BadValue(
    'type',
    'a field that is no whole number of 16 bits can only be set to a constant, or to itself with some bits changed',
  )
}

/** Whether a term is the field that is written. */
function isField(term: Term, place: Place): boolean {
  if (term.kind === 'source')
    return (
      term.place !== undefined &&
      term.place.base === place.base &&
      term.place.field === place.field &&
      term.place.protocol === place.protocol &&
      term.place.offset === (place.offset & ~7)
    )
  if (term.kind === 'swap') return isField(term.term, place)
  const isShift = term.kind === 'binary' && term.operator === '>>' && term.isField === true
  if (isShift) return isField(term.left, place)
  const isMask = term.kind === 'binary' && term.operator === '&' && term.left.kind === 'source' && term.right.kind === 'constant'
  return isMask && term.left.width > term.shape.bits && isField(term.left, place)
}

const written = ({ base, offset, bits }: Place, checksum: Checksum): Expression => ({
  kind: 'payload',
  base,
  offset: offset >> 3,
  length: bits >> 3,
  source: 1,
  ...checksum,
})
