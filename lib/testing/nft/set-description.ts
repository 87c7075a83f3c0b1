/** What kind of set is asked for (nf_tables_api.c, nf_tables_newset), and the data structure that the kernel picks (nft_select_set_ops). */
import { E2BIG, EINVAL, EOPNOTSUPP, Errno } from '../errno.js'
import { arrayRule, binary, nestedRule, type Policy, string, u32Rule, u64Rule } from '../policy.js'
import type { Nest } from './attributes.js'
import { expressionPolicy } from './expression.js'
import { type NftSet, setFlag } from './state.js'
import { readMilliseconds } from './time.js'

/** NFTA_SET_* */
export const setAttribute = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyLength: 5,
  dataType: 6,
  dataLength: 7,
  policy: 8,
  description: 9,
  id: 10,
  timeout: 11,
  gcInterval: 12,
  userData: 13,
  objectType: 15,
  handle: 16,
  expression: 17,
  expressions: 18,
  type: 19,
  count: 20,
} as const
const A = setAttribute

export const setPolicy: Policy = {
  [A.table]: string(255),
  [A.name]: string(255),
  [A.flags]: u32Rule,
  [A.keyType]: u32Rule,
  [A.keyLength]: u32Rule,
  [A.dataType]: u32Rule,
  [A.dataLength]: u32Rule,
  [A.policy]: u32Rule,
  [A.description]: nestedRule,
  [A.id]: u32Rule,
  [A.timeout]: u64Rule,
  [A.gcInterval]: u32Rule,
  [A.userData]: binary(256),
  [A.objectType]: u32Rule,
  [A.handle]: u64Rule,
  [A.expression]: nestedRule,
  [A.expressions]: arrayRule(expressionPolicy),
}

/** NFTA_SET_DESC_*, NFTA_SET_FIELD_LEN */
export const descriptionAttribute = { size: 1, concatenation: 2, fieldLength: 1 } as const
const fieldPolicy: Policy = { [descriptionAttribute.fieldLength]: u32Rule }
const descriptionPolicy: Policy = {
  [descriptionAttribute.size]: u32Rule,
  [descriptionAttribute.concatenation]: arrayRule(fieldPolicy),
}

const NFTA_LIST_ELEM = 1
/** NFT_DATA_VALUE_MAXLEN */
const LONGEST = 64
const VERDICT = 0xffff_ff00
/** sizeof(struct nft_verdict) */
const VERDICT_LENGTH = 16
/** NFT_OBJECT_MAX */
const LAST_OBJECT = 10
/** NFT_REG32_COUNT */
const MOST_FIELDS = 16
const MEMORY = 1
const ALL_FLAGS = 0x1ff

export interface Description
  extends Pick<
    NftSet,
    | 'flags'
    | 'keyType'
    | 'keyLength'
    | 'dataType'
    | 'dataLength'
    | 'objectType'
    | 'timeout'
    | 'gcInterval'
    | 'policy'
    | 'fields'
    | 'size'
  > {
  readonly hasExpressions: boolean
}

/** @param tick milliseconds of the kernel's clock */
export function readDescription(attributes: Nest, tick: number): Description {
  for (const id of [A.table, A.name, A.keyLength, A.id]) if (!attributes.has(id)) throw new Errno(EINVAL)
  const keyType = attributes.be32(A.keyType) ?? 0
  const keyLength = attributes.be32(A.keyLength) as number
  if (keyType >>> 8 === VERDICT >>> 8 || keyLength === 0 || keyLength > LONGEST) throw new Errno(EINVAL)
  const flags = readFlags(attributes)
  return {
    flags,
    keyType,
    keyLength,
    ...readData(attributes, flags),
    objectType: readObjectType(attributes, flags),
    ...readTimes(attributes, flags, tick),
    policy: readPolicy(attributes),
    ...readSizes(attributes, flags, keyLength),
    hasExpressions: attributes.has(A.expression) || attributes.has(A.expressions),
  }
}

function readFlags(attributes: Nest): number {
  const flags = attributes.be32(A.flags) ?? 0
  const all = (mask: number): boolean => (flags & mask) === mask
  const { map, object, eval: dynamic, anonymous, timeout, constant } = setFlag
  if (flags & ~ALL_FLAGS || all(map | object) || all(dynamic | object)) throw new Errno(EOPNOTSUPP)
  if ((flags & (anonymous | timeout | dynamic)) === (anonymous | timeout) || all(constant | timeout)) throw new Errno(EOPNOTSUPP)
  return flags
}

function readData(attributes: Nest, flags: number): { dataType: number; dataLength: number } {
  const dataType = attributes.be32(A.dataType)
  if ((dataType !== undefined) !== ((flags & setFlag.map) !== 0)) throw new Errno(EINVAL)
  if (dataType === undefined) return { dataType: 0, dataLength: 0 }
  if (dataType === VERDICT) return { dataType, dataLength: VERDICT_LENGTH }
  const dataLength = attributes.be32(A.dataLength) ?? 0
  if (dataType >>> 8 === VERDICT >>> 8 || dataLength === 0 || dataLength > LONGEST) throw new Errno(EINVAL)
  return { dataType, dataLength }
}

function readObjectType(attributes: Nest, flags: number): number {
  const type = attributes.be32(A.objectType)
  if ((type !== undefined) !== ((flags & setFlag.object) !== 0)) throw new Errno(EINVAL)
  if (type === 0 || (type ?? 0) > LAST_OBJECT) throw new Errno(EOPNOTSUPP)
  return type ?? 0
}

function readTimes(attributes: Nest, flags: number, tick: number): { timeout: number; gcInterval: number } {
  const given = attributes.has(A.timeout) || attributes.has(A.gcInterval)
  if (given && !(flags & setFlag.timeout)) throw new Errno(EINVAL)
  if (given && flags & setFlag.anonymous) throw new Errno(EOPNOTSUPP)
  return { timeout: readMilliseconds(attributes, A.timeout, tick) ?? 0, gcInterval: attributes.be32(A.gcInterval) ?? 0 }
}

function readPolicy(attributes: Nest): number {
  const policy = attributes.be32(A.policy) ?? 0
  if (policy > MEMORY) throw new Errno(EOPNOTSUPP)
  return policy
}

function readSizes(attributes: Nest, flags: number, keyLength: number): { size: number; fields: readonly number[] } {
  const concatenated = (flags & setFlag.concat) !== 0
  if (!attributes.has(A.description)) {
    if (concatenated) throw new Errno(EINVAL)
    return { size: 0, fields: [] }
  }
  const nest = attributes.nest(A.description, descriptionPolicy)
  const fields = readFields(nest, keyLength)
  if (fields.length > 1 !== concatenated) throw new Errno(EINVAL)
  return { size: nest.be32(descriptionAttribute.size) ?? 0, fields }
}

/** nft_set_desc_concat */
function readFields(nest: Nest, keyLength: number): readonly number[] {
  const fields: number[] = []
  for (const payload of nest.list(descriptionAttribute.concatenation)) {
    if (payload.type !== NFTA_LIST_ELEM) throw new Errno(EINVAL)
    if (fields.length === MOST_FIELDS) throw new Errno(E2BIG)
    const length = nest.within(payload, fieldPolicy).be32(descriptionAttribute.fieldLength) ?? 0
    if (length === 0 || length > 255) throw new Errno(EINVAL)
    fields.push(length)
  }
  const words = fields.reduce((sum, length) => sum + Math.ceil(length / 4), 0)
  if (words > MOST_FIELDS) throw new Errno(E2BIG)
  if (fields.length > 0 && words * 4 !== keyLength) throw new Errno(EINVAL)
  return fields
}

/** What keeps the elements. */
export type Backend = 'bitmap' | 'hash' | 'hash_fast' | 'pipapo' | 'rbtree' | 'rhash'

/** nft_select_set_ops: the fastest one that has what is asked for; of those that are as fast the smallest. */
export function backendOf({ flags, keyLength, fields, size, hasExpressions }: Description): Backend {
  const { interval, map, timeout, object, eval: dynamic } = setFlag
  if (flags & interval) {
    if (flags & dynamic) throw new Errno(EOPNOTSUPP)
    return fields.length > 1 ? 'pipapo' : 'rbtree'
  }
  if (!(flags & (map | timeout | object | dynamic)) && keyLength <= 2 && !hasExpressions) return 'bitmap'
  if (size === 0 || flags & (timeout | dynamic)) return 'rhash'
  return keyLength === 4 ? 'hash_fast' : 'hash'
}
