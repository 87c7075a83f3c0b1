/** How elements are named in requests (nf_tables_api.c, nft_setelem_parse_key and what stands around it). */
import { EINVAL, EOPNOTSUPP, Errno } from '../errno.js'
import { arrayRule, binary, nestedRule, type Payload, type Policy, string, u32Rule, u64Rule } from '../policy.js'
import type { Nest } from './attributes.js'
import { KEY_LENGTH, readValue } from './data.js'
import { expressionPolicy } from './expression.js'
import { elementFlag, type Key } from './set-elements.js'
import { type NftSet, setFlag } from './state.js'

/** NFTA_SET_ELEM_LIST_* */
export const elementListAttribute = { table: 1, set: 2, elements: 3, setId: 4 } as const
/** NFTA_SET_ELEM_* */
export const elementAttribute = {
  key: 1,
  data: 2,
  flags: 3,
  timeout: 4,
  expiration: 5,
  userData: 6,
  expression: 7,
  object: 9,
  keyEnd: 10,
  expressions: 11,
} as const
const E = elementAttribute
const L = elementListAttribute

export const elementPolicy: Policy = {
  [E.key]: nestedRule,
  [E.data]: nestedRule,
  [E.flags]: u32Rule,
  [E.timeout]: u64Rule,
  [E.expiration]: u64Rule,
  [E.userData]: binary(256),
  [E.expression]: nestedRule,
  [E.object]: string(255),
  [E.keyEnd]: nestedRule,
  [E.expressions]: arrayRule(expressionPolicy),
}

export const elementListPolicy: Policy = {
  [L.table]: string(255),
  [L.set]: string(255),
  [L.elements]: arrayRule(elementPolicy),
  [L.setId]: u32Rule,
}
/** nft_setelem_parse_flags */
export function readFlags(set: NftSet, nest: Nest): number {
  const { intervalEnd, catchAll } = elementFlag
  const flags = nest.be32(E.flags) ?? 0
  if (flags & ~(intervalEnd | catchAll)) throw new Errno(EOPNOTSUPP)
  if (flags & intervalEnd && !(set.flags & setFlag.interval)) throw new Errno(EINVAL)
  if (flags === (intervalEnd | catchAll)) throw new Errno(EINVAL)
  return flags
}

/** nft_setelem_valid_key_end */
export function checkKeyEnd(set: NftSet, nest: Nest, flags: number): void {
  const ranges = setFlag.concat | setFlag.interval
  if ((set.flags & ranges) !== ranges ? nest.has(E.keyEnd) : flags & elementFlag.intervalEnd) throw new Errno(EINVAL)
  if (nest.has(E.keyEnd) && flags & elementFlag.catchAll) throw new Errno(EINVAL)
}

export function readKeys({ keyLength }: NftSet, nest: Nest): Pick<Key, 'key' | 'keyEnd'> {
  const read = (id: number): Uint8Array => readValue(nest, id, KEY_LENGTH, keyLength)
  return {
    key: nest.has(E.key) ? read(E.key) : new Uint8Array(),
    keyEnd: nest.has(E.keyEnd) ? read(E.keyEnd) : undefined,
  }
}

/** What an element is named by. */
export function readKey(set: NftSet, attributes: Nest, payload: Payload): Key {
  const nest = attributes.within(payload, elementPolicy)
  const flags = readFlags(set, nest)
  if (!nest.has(E.key) && !(flags & elementFlag.catchAll)) throw new Errno(EINVAL)
  checkKeyEnd(set, nest, flags)
  return { ...readKeys(set, nest), flags }
}
