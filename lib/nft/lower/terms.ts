/** What the expressions of a rule calculate, once their types are known. */
import type { ByteOrder } from '../data-types.js'
import type { Expression, Payload } from '../expressions/index.js'
import type * as json from '../json/index.js'
import type { HeaderField, Protocol } from '../vocabulary/protocol.js'
import type { Shape } from '../vocabulary/value-type.js'

/** Where a part of the packet stands. Bits. */
export interface Place {
  readonly base: Payload['base']
  readonly offset: number
  readonly bits: number
  /** Not of raw ones. */
  readonly field?: HeaderField | undefined
  readonly protocol?: Protocol | undefined
  /** Of a tunnel, what stands within. */
  readonly tunnel?: Protocol | undefined
}

/** What one expression of the kernel loads. */
export interface Source {
  readonly kind: 'source'
  readonly shape: Shape
  /** Bits in the register. */
  readonly width: number
  load(register: number, free: number): readonly Expression[]
  readonly place?: Place | undefined
  /** The fields that say which protocol comes next. */
  readonly protocolKey?: ProtocolKey | undefined
}

export type ProtocolKey =
  | { readonly meta: 'nfproto' | 'l4proto' | 'protocol' | 'iiftype' }
  | { readonly ct: 'l3proto' | 'protocol' }
  | { readonly protocol: Protocol; readonly tunnel?: Protocol | undefined }

export interface Constant {
  readonly kind: 'constant'
  readonly value: bigint
  readonly shape: Shape
  readonly width: number
}

export type BinaryOperator = '&' | '|' | '^' | '<<' | '>>'

export interface Binary {
  readonly kind: 'binary'
  readonly operator: BinaryOperator
  readonly left: Term
  readonly right: Term
  /** What a field needs that is no whole bytes: nobody asked for it. */
  readonly isField?: true
  readonly shape: Shape
  readonly width: number
}

/** The bytes of numbers in the other order. */
export interface Swap {
  readonly kind: 'swap'
  readonly operator: 'ntoh' | 'hton'
  readonly term: Term
  readonly shape: Shape
  readonly width: number
}

export interface Concatenation {
  readonly kind: 'concat'
  readonly parts: readonly Term[]
  /** As it was given. */
  readonly given: { readonly concat: readonly json.Expression[] }
  readonly shape: Shape
  readonly width: number
}

/** What a map has for a key. */
export interface Mapped {
  readonly kind: 'map'
  readonly key: Term
  readonly set: { readonly name: string; readonly id?: number | undefined }
  readonly shapes: readonly Shape[]
  /** Whether it gives ranges: the last ones stand behind the first ones. */
  readonly ranges: boolean
  /** Of the first of them. */
  readonly shape: Shape
  readonly width: number
}

export type Term = Source | Constant | Binary | Swap | Concatenation | Mapped

/** Bits of whole bytes. */
export const wholeBytes = (bits: number): number => (bits + 7) & ~7

/** What a term gives as the fields of a set's key or data. */
export function shapesOfTerm(term: Term): readonly Shape[] {
  if (term.kind === 'concat') return term.parts.map(shapeInRegister)
  if (term.kind === 'map') return term.shapes
  return [shapeInRegister(term)]
}

const shapeInRegister = ({ shape, width }: Term): Shape => ({ ...shape, bits: width })

/** Of a field that is no whole bytes nft counts the bits behind it, and none before it, whatever it is shifted by. */
export function significant(term: Term): number {
  if (term.kind === 'swap') return significant(term.term)
  if (term.kind !== 'binary' || term.right.kind !== 'constant') return term.width
  const isShift = term.operator === '<<' || term.operator === '>>'
  if (isShift && term.width === term.left.width) return significant(term.left)
  return term.isField ? term.right.value.toString(2).length : term.width
}

export const ordered = (shape: Shape, order: ByteOrder): Shape => ({ ...shape, order })

/** Exchanges the bytes of a number where it has several of them and the order is another one. */
export function inOrder(term: Term, order: 'host' | 'network'): Term {
  if (term.kind === 'concat') {
    const parts = term.parts.map(part => inOrder(part, order))
    return { ...term, parts }
  }
  const { shape, width } = term
  if (shape.type.text || shape.order === order) return term
  if (term.kind === 'constant' || width <= 8) return { ...term, shape: ordered(shape, order) }
  return { kind: 'swap', operator: order === 'network' ? 'hton' : 'ntoh', term, shape: ordered(shape, order), width }
}
