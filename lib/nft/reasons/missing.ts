/** ENOENT: something that is named is not there, or the kernel was built without it. */
import { describe, describeKey } from '../describe.js'
import {
  FLOWTABLES,
  familiesOfExpression,
  type KernelOption,
  optionOfExpression,
  optionOfFamily,
  optionOfObject,
} from '../kernel-options.js'
import { describeName, namedAt } from '../names.js'
import type { Refused } from '../place.js'
import type { Chain, Elements, Family, NftSet, Rule, StatefulObject } from '../types.js'
import { expressionAt, type Meaning } from './reason.js'

export function missing(refused: Refused): Meaning {
  const { word, verb, field, object } = refused
  const [named] = namedAt(refused)
  if (field === 'handle' || field === 'position') return noSuchHandle(refused)
  if (field?.startsWith('devices')) return noSuchInterface(refused)
  if (verb === 'delete' && (named?.word === word || (word === 'elements' && field !== 'set.table')))
    return nothingToDelete(refused)
  if (named)
    return { problem: 'no-such-object', why: `${placeIn(refused)}there is no ${describeName(named)}: ${remedyFor(refused)}` }
  if (word === 'chain' && field === 'type') return noChainType(object as Chain)
  const parts = missingParts(refused)
  if (parts) return { problem: 'not-supported', why: parts }
  return { problem: 'no-such-object', why: 'something that it names is not there' }
}

function remedyFor({ verb }: Refused): string {
  return verb === 'add' || verb === 'create' || verb === 'insert'
    ? 'add it first, in the same transaction or before'
    : 'read what is there'
}

/** `expressions[1] (lookup) …`, where it is about one. */
function placeIn({ word, object, expression }: Refused): string {
  return word === 'rule' && expression !== undefined ? `for ${expressionAt((object as Rule).expressions, expression)} ` : ''
}

function noSuchHandle({ word, object, field }: Refused): Meaning {
  const { handle, position } = object as { readonly handle?: number; readonly position?: number }
  if (field === 'position')
    return {
      problem: 'no-such-object',
      why: `its chain has no rule with handle ${position} to be placed at: read the chain's rules again`,
    }
  const it = word === 'rule' ? `rule with handle ${handle} in this chain` : `${word} with handle ${handle}`
  return { problem: 'no-such-object', why: `there is no ${it} (any more): handles are never used twice; read what is there` }
}

function noSuchInterface({ field = '', object }: Refused): Meaning {
  const index = Number(/\d+/.exec(field)?.[0] ?? 0)
  const device = (object as { readonly devices?: readonly string[] }).devices?.[index]
  return {
    problem: 'no-such-interface',
    why: `there is no interface ${device} in this network namespace: \`ip link\` shows those that there are`,
  }
}

function nothingToDelete({ word, object, element, field }: Refused): Meaning {
  const destroy = '`destroy` takes that (Linux 6.3)'
  if (word !== 'elements' || element === undefined) {
    const what = field === 'set.name' ? describe('set', (object as Elements).set) : describe(word, object)
    return { problem: 'no-such-object', why: `there is no ${what}: ${destroy}` }
  }
  const interval = (object as Elements).set.flags?.includes('interval')
    ? '; an interval has to be given exactly as it is there'
    : ''
  return { problem: 'no-such-object', why: `the set has no such element${interval}: ${destroy}` }
}

function noChainType({ family, type = 'filter' }: Chain): Meaning {
  const option: KernelOption = type === 'nat' ? { option: 'NF_NAT', module: 'nft_chain_nat' } : optionOfFamily(family)
  return { problem: 'not-supported', why: `this kernel has no chains of type ${type} in family ${family}: ${needs(option)}` }
}

/** What the kernel was built without, or did not load. */
function missingParts({ word, object, expression }: Refused): string | undefined {
  const { family } = object as { readonly family: Family }
  if (word === 'rule' && expression !== undefined) {
    const { expressions } = object as Rule
    return noExpression(expressions[expression], expressionAt(expressions, expression), family)
  }
  if (word === 'set') return firstMissing(object as NftSet)
  if (word === 'object') return noObjectType(object as StatefulObject)
  return word === 'flowtable' ? `this kernel has no flowtables in family ${family}: ${needs(FLOWTABLES)}` : undefined
}

type AnyExpression = { readonly kind: string; readonly name?: unknown }

function noExpression(expression: AnyExpression | undefined, at: string, family: Family): string {
  const kind = String(expression?.kind === 'opaque' ? expression.name : expression?.kind)
  if (kind === 'match' || kind === 'target')
    return `this kernel has no xtables ${kind} as ${at} asks for: ${needs({ option: 'NFT_COMPAT', module: 'nft_compat' })}, and xt_${expression?.name}`
  const families = familiesOfExpression(kind)
  if (families && !families.includes(family))
    return `${at}: family ${family} has no expression ${kind}: it exists in ${families.join(', ')}`
  const option = optionOfExpression(kind, family)
  return `${at}: this kernel has no expression ${kind}${option ? `: ${needs(option)}` : ': its name may be wrong, or the kernel older than it'}`
}

/** The kernel does not say which of a set's expressions it does not know. */
function firstMissing({ expressions = [], family }: NftSet): string | undefined {
  if (expressions.length === 0) return undefined
  return expressions.map((expression, i) => noExpression(expression, expressionAt(expressions, i), family)).join('; or ')
}

function noObjectType(object: StatefulObject): string {
  const type = String(object.type)
  const option = typeof object.type === 'number' ? undefined : optionOfObject(object.type)
  if (type === 'ct helper' && 'helper' in object)
    return `connection tracking has no helper ${object.helper} for this protocol: load its module (modprobe nf_conntrack_${object.helper})`
  return `this kernel has no objects of type ${type}${option ? `: ${needs(option)}` : ''}`
}

/** `it needs CONFIG_NFT_QUEUE (modprobe nft_queue)` */
function needs({ option, module }: KernelOption): string {
  return `it has to be built with CONFIG_${option}${module === undefined ? '' : `, and to load ${module} (modprobe ${module})`}`
}

/** An element in words, where a refusal is about one. */
export function elementIn({ word, object, element }: Refused): string | undefined {
  if (word !== 'elements' || element === undefined) return undefined
  return describeKey((object as Elements).elements[element]?.key)
}
