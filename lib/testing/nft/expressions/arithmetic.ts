/** Expressions that calculate (nft_bitwise.c, nft_byteorder.c, nft_hash.c, nft_numgen.c). */
import { EINVAL, EOPNOTSUPP, EOVERFLOW, ERANGE, Errno } from '../../errno.js'
import { be32Rule, nestedRule, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { readValue, VALUE_LENGTH } from '../data.js'
import { type Context, type ExpressionType, type Made, need, Told } from '../expression.js'

const BITWISE = { source: 1, destination: 2, length: 3, mask: 4, xor: 5, operator: 6, data: 7, source2: 8 } as const
/** NFT_BITWISE_* */
const [MASK_XOR, RSHIFT, XOR] = [0, 2, 5]

const bitwise: ExpressionType = {
  name: 'bitwise',
  policy: {
    [BITWISE.source]: u32Rule,
    [BITWISE.destination]: u32Rule,
    [BITWISE.length]: be32Rule(255),
    [BITWISE.mask]: nestedRule,
    [BITWISE.xor]: nestedRule,
    [BITWISE.operator]: be32Rule(255),
    [BITWISE.data]: nestedRule,
    [BITWISE.source2]: u32Rule,
  },
  select: (_, attributes) => need(attributes, BITWISE.length, BITWISE.source, BITWISE.destination),
  init(context, attributes) {
    const length = attributes.be32(BITWISE.length) as number
    const source = context.registers.load(attributes, BITWISE.source, length)
    const destination = context.registers.store(attributes, BITWISE.destination, length)
    checkOverlap(source, destination, length)
    const operator = attributes.be32(BITWISE.operator) ?? MASK_XOR
    if (operator > XOR) throw new Errno(EOPNOTSUPP)
    const told = new Told()
      .register(BITWISE.source, source)
      .register(BITWISE.destination, destination)
      .be32(BITWISE.length, length)
      .be32(BITWISE.operator, operator)
    if (operator === MASK_XOR) return maskAndXor(told, attributes, length)
    return operator <= RSHIFT ? shift(told, attributes) : combine(told, context, attributes, length)
  },
}

function maskAndXor(told: Told, attributes: Nest, length: number): Made {
  refuse(attributes, BITWISE.data, BITWISE.source2)
  need(attributes, BITWISE.mask, BITWISE.xor)
  return told
    .value(BITWISE.mask, readValue(attributes, BITWISE.mask, VALUE_LENGTH, length))
    .value(BITWISE.xor, readValue(attributes, BITWISE.xor, VALUE_LENGTH, length))
}

function shift(told: Told, attributes: Nest): Made {
  refuse(attributes, BITWISE.mask, BITWISE.xor, BITWISE.source2)
  const value = readValue(attributes, BITWISE.data, VALUE_LENGTH, 4)
  if ((new Uint32Array(value.slice().buffer)[0] as number) >= 32) throw new Errno(EINVAL)
  return told.value(BITWISE.data, value)
}

/** Of what it is combined with only the first 4 bytes are told. */
function combine(told: Told, { registers }: Context, attributes: Nest, length: number): Made {
  refuse(attributes, BITWISE.mask, BITWISE.xor)
  if (attributes.has(BITWISE.data) === attributes.has(BITWISE.source2)) throw new Errno(EINVAL)
  if (attributes.has(BITWISE.source2)) return told.register(BITWISE.source2, registers.load(attributes, BITWISE.source2, length))
  const value = new Uint8Array(4)
  value.set(readValue(attributes, BITWISE.data, VALUE_LENGTH, length).subarray(0, 4))
  return told.value(BITWISE.data, value)
}

function refuse(attributes: Nest, ...ids: readonly number[]): void {
  for (const id of ids) if (attributes.has(id)) throw new Errno(EINVAL)
}

/** The kernel works word by word: what it writes must not be what it reads next. */
function checkOverlap(source: number, destination: number, length: number): void {
  const words = Math.ceil(length / 4)
  if (source !== destination && source < destination + words && destination < source + words) throw new Errno(EINVAL)
}

const byteorder: ExpressionType = {
  name: 'byteorder',
  policy: { 1: u32Rule, 2: u32Rule, 3: be32Rule(255), 4: be32Rule(255), 5: be32Rule(255) },
  init({ registers }, attributes) {
    need(attributes, 1, 2, 3, 4, 5)
    const [operator = 0, length = 0, size = 0] = [3, 4, 5].map(id => attributes.be32(id))
    if (operator > 1 || ![2, 4, 8].includes(size)) throw new Errno(EINVAL)
    const source = registers.load(attributes, 1, length)
    const destination = registers.store(attributes, 2, length)
    checkOverlap(source, destination, length)
    return new Told().register(1, source).register(2, destination).be32(3, operator).be32(4, length).be32(5, size)
  },
}

const numgen: ExpressionType = {
  name: 'numgen',
  policy: { 1: u32Rule, 2: u32Rule, 3: u32Rule, 4: u32Rule },
  select(_, attributes) {
    need(attributes, 1, 2, 3)
    if ((attributes.be32(3) as number) > 1) throw new Errno(EINVAL)
  },
  init({ registers }, attributes) {
    const { modulus, offset } = spread(attributes, 2, 4)
    const destination = registers.store(attributes, 1, 4)
    return new Told().register(1, destination).be32(2, modulus).be32(3, attributes.be32(3)).be32(4, offset)
  },
}

function spread(attributes: Nest, modulusId: number, offsetId: number): { modulus: number; offset: number } {
  const modulus = attributes.be32(modulusId) as number
  const offset = attributes.be32(offsetId) ?? 0
  if (modulus === 0) throw new Errno(ERANGE)
  if (offset + modulus - 1 > 0xffff_ffff) throw new Errno(EOVERFLOW)
  return { modulus, offset }
}

const HASH = { source: 1, destination: 2, length: 3, modulus: 4, seed: 5, offset: 6, type: 7 } as const
const SYMMETRIC = 1

const hash: ExpressionType = {
  name: 'hash',
  policy: {
    [HASH.source]: u32Rule,
    [HASH.destination]: u32Rule,
    [HASH.length]: be32Rule(255),
    [HASH.modulus]: u32Rule,
    [HASH.seed]: u32Rule,
    [HASH.offset]: u32Rule,
    [HASH.type]: u32Rule,
  },
  select(_, attributes) {
    if ((attributes.be32(HASH.type) ?? 0) > SYMMETRIC) throw new Errno(EOPNOTSUPP)
  },
  init({ registers }, attributes) {
    if (attributes.be32(HASH.type) === SYMMETRIC) {
      need(attributes, HASH.destination, HASH.modulus)
      const { modulus, offset } = spread(attributes, HASH.modulus, HASH.offset)
      const told = new Told().register(HASH.destination, registers.store(attributes, HASH.destination, 4))
      return told
        .be32(HASH.modulus, modulus)
        .be32(HASH.offset, offset || undefined)
        .be32(HASH.type, SYMMETRIC)
    }
    need(attributes, HASH.source, HASH.destination, HASH.length, HASH.modulus)
    const length = attributes.be32(HASH.length) as number
    if (length === 0) throw new Errno(ERANGE)
    const source = registers.load(attributes, HASH.source, length)
    const { modulus, offset } = spread(attributes, HASH.modulus, HASH.offset)
    const destination = registers.store(attributes, HASH.destination, 4)
    return new Told()
      .register(HASH.source, source)
      .register(HASH.destination, destination)
      .be32(HASH.length, length)
      .be32(HASH.modulus, modulus)
      .be32(HASH.seed, attributes.be32(HASH.seed))
      .be32(HASH.offset, offset || undefined)
      .be32(HASH.type, 0)
  },
}

export const arithmetic: readonly ExpressionType[] = [bitwise, byteorder, numgen, hash]
