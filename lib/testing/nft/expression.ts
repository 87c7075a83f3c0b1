/** Expressions: how they are read from a request, and told (nf_tables_api.c, nf_tables_expr_parse, nf_tables_newexpr, nft_expr_dump). */
import { MessageWriter } from '../../netlink/buffer.js'
import { EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../errno.js'
import { nestedRule, type Payload, type Policy, string } from '../policy.js'
import { type Nest, putBe32, putBe64, putBytes, putNest, putText } from './attributes.js'
import { putData, type Scope } from './data.js'
import type { Change, Kernel } from './kernel.js'
import type { Notices } from './notices.js'
import { putRegister, Registers } from './registers.js'
import type { Chain, NftSet } from './state.js'
import type { Transaction } from './transaction.js'

/** Without "nft-expr-255-" of MODULE_NAME_LEN. */
const NAME = 42
export const expressionPolicy: Policy = { 1: string(NAME), 2: nestedRule }
const NFTA_EXPR_NAME = 1
const NFTA_EXPR_DATA = 2

/** Where an expression stands. */
export interface Context extends Scope {
  readonly kernel: Kernel
  readonly family: number
  /** Undefined for those of sets and elements. */
  readonly chain: Chain | undefined
  readonly registers: Registers
}

/** What an expression uses besides its own attributes. Its users are counted. */
export interface Reference {
  /** When its rule or element is removed. */
  release(transaction: Transaction): void
  /** When the transaction that removed it is carried out. */
  gone?(change: Change, notices: Notices): void
}

/** What an expression makes of its attributes. */
export interface Made {
  /** Its attributes as they are told; undefined where none are told, not even that there are none. */
  readonly dump?: ((writer: MessageWriter) => void) | undefined
  /** The same once its state was reset. */
  readonly reset?: ((writer: MessageWriter) => void) | undefined
  /** What it is when it takes the place of another as an object: by default nothing happens. */
  readonly update?: ((before: Made) => Made) | undefined
  /** How much of a quota is used up. */
  readonly used?: bigint | undefined
  readonly references?: readonly Reference[] | undefined
  /** Where it may go on: a chain, or those of the elements of a map. */
  readonly jumpsTo?: Chain | NftSet | undefined
  /** Whether it may stand in a chain that is called from these hooks. Throws. */
  readonly validate?: ((chain: Chain) => void) | undefined
}

export interface Expression extends Made {
  readonly type: ExpressionType
  dump: Made['dump']
}

/** One that is declared. */
export interface ExpressionType {
  readonly name: string
  /** Families that have it; undefined: all. */
  readonly families?: readonly number[] | undefined
  /** Whether it may stand with sets and elements. */
  readonly stateful?: boolean | undefined
  /** Whether what it keeps has to be collected: not where elements expire, and not in every kind of set (NFT_EXPR_GC). */
  readonly collected?: boolean | undefined
  readonly policy: Policy
  /** What is looked at before any expression of the rule is made (`select_ops`). */
  readonly select?: ((context: Context, attributes: Nest) => void) | undefined
  readonly init: (context: Context, attributes: Nest) => Made
}

/** Read, not made yet. */
export interface Parsed {
  readonly type: ExpressionType
  readonly attributes: Nest
  readonly payload: Payload
}

/** Looks an expression up. */
export function parseExpression(context: Context, list: Nest, payload: Payload): Parsed {
  const nest = list.within(payload, expressionPolicy)
  const name = nest.text(NFTA_EXPR_NAME)
  if (name === undefined) throw new Errno(EINVAL)
  const type = context.kernel.expression(name, context.family)
  if (!type) throw new Errno(ENOENT)
  const data = nest.at(NFTA_EXPR_DATA) ?? { start: payload.end, end: payload.end }
  const attributes = nest.within(data, type.policy)
  type.select?.(context, attributes)
  return { type, attributes, payload }
}

export function makeExpression(context: Context, { type, attributes }: Parsed): Expression {
  const made = type.init(context, attributes)
  if (made.validate || made.jumpsTo) context.transaction.needsValidation = true
  const { dump, reset, references, jumpsTo, validate } = made
  return { type, dump, reset, references, jumpsTo, validate }
}

/** One that belongs to a set or an element. */
export function statefulExpression(context: Omit<Context, 'registers' | 'chain'>, list: Nest, payload: Payload): Expression {
  const whole = { ...context, chain: undefined, registers: new Registers() }
  const parsed = parseExpression(whole, list, payload)
  if (!parsed.type.stateful) throw new Errno(EOPNOTSUPP)
  return makeExpression(whole, parsed)
}

/** nft_expr_dump */
export function putExpression(writer: MessageWriter, id: number, expression: Expression, reset = false): void {
  putNest(writer, id, () => {
    const { type, dump } = expression
    putText(writer, NFTA_EXPR_NAME, type.name)
    if (dump) putNest(writer, NFTA_EXPR_DATA, () => dump(writer))
  })
  if (reset && expression.reset) expression.dump = expression.reset
}

/** Attributes that never change, one behind the other; those that are undefined are not told. `dump` tells them. */
export class Told {
  readonly #writer = new MessageWriter(64)

  register(id: number, word: number | undefined): this {
    if (word !== undefined) putRegister(this.#writer, id, word)
    return this
  }

  u8(id: number, value: number | undefined): this {
    if (value !== undefined) putBytes(this.#writer, id, Uint8Array.of(value))
    return this
  }

  be16(id: number, value: number | undefined): this {
    if (value !== undefined) putBytes(this.#writer, id, Uint8Array.of(value >> 8, value))
    return this
  }

  be32(id: number, value: number | undefined): this {
    if (value !== undefined) putBe32(this.#writer, id, value)
    return this
  }

  be64(id: number, value: bigint | undefined): this {
    if (value !== undefined) putBe64(this.#writer, id, value)
    return this
  }

  text(id: number, value: string | undefined): this {
    if (value !== undefined) putText(this.#writer, id, value)
    return this
  }

  bytes(id: number, value: Uint8Array | undefined): this {
    if (value !== undefined) putBytes(this.#writer, id, value)
    return this
  }

  /** A nest of bytes (nft_data_dump). */
  value(id: number, value: Uint8Array | undefined): this {
    if (value !== undefined) putData(this.#writer, id, value)
    return this
  }

  expression(id: number, expression: Expression): this {
    putExpression(this.#writer, id, expression)
    return this
  }

  nest(id: number, body: (writer: MessageWriter) => void): this {
    putNest(this.#writer, id, () => body(this.#writer))
    return this
  }

  get written(): Uint8Array {
    return this.#writer.written()
  }

  get dump(): (writer: MessageWriter) => void {
    const bytes = this.written
    return writer => writer.append(bytes)
  }
}

/** Throws unless all attributes are there. */
export function need(attributes: Nest, ...ids: readonly number[]): void {
  for (const id of ids) if (!attributes.has(id)) throw new Errno(EINVAL)
}
