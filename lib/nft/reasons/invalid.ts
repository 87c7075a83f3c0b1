/** EINVAL, ERANGE, ENODATA: values that the kernel does not take. */
import type { Refused } from '../place.js'
import type { Element, Elements, NftSet, Rule, StatefulObject } from '../types.js'
import { expressionAt, type Meaning } from './reason.js'

const bad = (why: string): Meaning => ({ problem: 'invalid', why })

/** NFT_RULE_MAXEXPRS */
const EXPRESSIONS = 128

export function invalid(refused: Refused): Meaning {
  const { word, field } = refused
  if (word === 'rule') return bad(inRule(refused))
  if (word === 'elements') return bad(inElements(refused))
  if (word === 'set') return bad(inSet(refused.object as NftSet))
  if (word === 'object') return bad(inObject(refused.object as StatefulObject))
  return bad(field === undefined ? 'the kernel takes a value for invalid' : `the kernel takes \`${field}\` for invalid`)
}

function inRule({ object, expression, field }: Refused): string {
  const { expressions } = object as Rule
  if (expression !== undefined)
    return `the kernel takes ${expressionAt(expressions, expression)} for invalid: a value is none that it knows, or does not go with the others or with this chain`
  if (expressions.length > EXPRESSIONS) return `it has ${expressions.length} expressions, and the kernel takes ${EXPRESSIONS}`
  return field === undefined ? 'the kernel takes a value for invalid' : `the kernel takes \`${field}\` for invalid`
}

function inElements({ object, element }: Refused): string {
  const { set, elements } = object as Elements
  const it = elements[element ?? -1]
  const lacks = it && lackOf(it, set.flags ?? [])
  if (lacks) return `the set has not the flag \`${lacks}\`, which it needs`
  return 'the set of this name has other types or flags than `set` says: read it, and give what was read'
}

/** The flag that an element asks for and its set has not. */
function lackOf(element: Element, flags: NonNullable<NftSet['flags']>): string | undefined {
  if ((element.timeout !== undefined || element.expires !== undefined) && !flags.includes('timeout')) return 'timeout'
  const keys = Array.isArray(element.key) ? element.key : [element.key]
  const ranges = keys.some(key => typeof key === 'object' && key !== null && 'from' in key)
  return ranges && !flags.includes('interval') ? 'interval' : undefined
}

function inSet({ flags = [], timeout, data, objects, key }: NftSet): string {
  if (timeout !== undefined && !flags.includes('timeout')) return '`timeout` needs the flag `timeout`'
  if (data !== undefined && objects !== undefined) return 'give either `data` or `objects`'
  const what = Array.isArray(key) ? 'the fields of its key' : 'its key'
  return `the kernel takes the set for invalid: ${what} and data have 1 to 64 bytes, and flags and expressions have to go together`
}

/** The kernel does not say which of an object's fields it means. */
function inObject({ family, table, name, type, handle, use, comment, userData, unknown, ...own }: StatefulObject): string {
  const fields = Object.keys(own).map(field => `\`${field}\``)
  return fields.length === 0
    ? 'the kernel takes a value for invalid'
    : `the kernel takes a value for invalid, or values that do not go together: see ${fields.join(', ')}`
}

export function outOfRange(refused: Refused): Meaning {
  const { word, field, expression, acknowledgement, object } = refused
  if (acknowledgement.kernelMessage !== undefined && field !== undefined)
    return bad(
      `\`${field}\` is too long: the kernel takes names of at most 255 bytes, and 256 bytes of user data, the comment included`,
    )
  if (word === 'rule' && expression !== undefined)
    return bad(`${expressionAt((object as Rule).expressions, expression)}: a register or a number is out of range`)
  if (word === 'elements') return bad('`expires` is more than `timeout`, or a number is out of range')
  return bad('a number is out of range')
}

export function unwritten({ object, expression }: Refused): Meaning {
  const at = expression === undefined ? 'an expression' : expressionAt((object as Rule).expressions, expression)
  return bad(
    `${at} reads a register that no expression before it in this rule has written: load it first, at least as many bytes`,
  )
}

export function familyMismatch({ object, expression, word }: Refused): Meaning {
  const at = word === 'rule' && expression !== undefined ? expressionAt((object as Rule).expressions, expression) : 'it'
  return bad(`${at} is for another family than that of the table: ip takes IPv4, ip6 takes IPv6, inet either one`)
}

/** nf_ct_netns_get */
export function untracked({ object, expression, word }: Refused): Meaning {
  const at = word === 'rule' && expression !== undefined ? expressionAt((object as Rule).expressions, expression) : 'it'
  return {
    problem: 'not-supported',
    why: `${at} needs connection tracking, which there is only in families ip, ip6, inet and bridge`,
  }
}

export function overflow({ object, expression, word }: Refused): Meaning {
  const at = word === 'rule' && expression !== undefined ? `${expressionAt((object as Rule).expressions, expression)}: ` : ''
  return bad(
    `${at}numbers are too large together, as offset and modulus, or rate and unit, or the bytes of a quota, which are below 2^63`,
  )
}

/** struct nft_rule, dlen: 12 bits. */
export const tooLong: Meaning = bad(
  'its expressions take more than the 4095 bytes that the kernel keeps for one rule: divide it in two, or jump to another chain',
)
