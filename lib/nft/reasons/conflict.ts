/** EEXIST, EBUSY, EPERM, ENFILE, EMLINK: something that is there stands in the way. */
import type { Around } from '../around.js'
import { describe } from '../describe.js'
import { namedAt } from '../names.js'
import type { Refused } from '../place.js'
import type { Chain, Elements, Family, NftSet, TableKey } from '../types.js'
import type { Meaning } from './reason.js'

const exists = (why: string): Meaning => ({ problem: 'exists', why })

export async function alreadyThere(refused: Refused, around: Around): Promise<Meaning> {
  const { verb, word, object, field } = refused
  if (field?.startsWith('devices')) return exists('an interface is named twice, or belongs to another flowtable')
  if (word === 'elements') return elementThere(refused)
  if (verb === 'create') return exists('it is there already: `add` takes that, or delete it before')
  if (verb === 'rename') return exists(`the table has a chain ${(object as { readonly newName: string }).newName} already`)
  if (word === 'chain') return chainThere(object as Chain, around)
  if (word === 'set')
    return exists(
      'it is there with other types, flags or expressions, which can not be changed: delete it, and add it anew, in one transaction',
    )
  return exists('it is there already')
}

async function chainThere({ family, table, name, hook, type = 'filter' }: Chain, around: Around): Promise<Meaning> {
  const there = await around.chain(family, table, name)
  if (there && there.hook === undefined && hook !== undefined)
    return exists(
      'it is there as a chain without a hook, which can not be given one: delete it, and add it anew, in one transaction',
    )
  const before = there?.type ?? 'another'
  return exists(
    `it is there with type ${before}, not ${type}, and this can not be changed: delete it, and add it anew, in one transaction`,
  )
}

function elementThere({ verb, object, element }: Refused): Meaning {
  const { set, elements } = object as Elements
  const it = elements[element ?? -1]
  const interval = set.flags?.includes('interval')
  if (interval)
    return exists('it overlaps with an element that is there or that comes before it in this transaction: delete that one before')
  if (verb === 'create') return exists('the set has it already: `add` takes that')
  if (it?.data !== undefined || it?.object !== undefined)
    return exists('the map has it already, mapped to something else: delete it before, in the same transaction')
  return exists('the set has it already')
}

/** What makes the kernel keep an object. */
const HOLDERS: Readonly<Record<string, string>> = {
  chain: 'rules or elements of verdict maps jump to it: delete those before, in the same transaction',
  set: 'rules use it: delete those before, in the same transaction',
  object: 'rules or elements of maps use it: delete those before, in the same transaction',
  flowtable: 'rules use it: delete those before, in the same transaction',
}

export function inUse({ word, verb, object }: Refused): Meaning {
  if (word === 'elements' || (word === 'set' && verb === 'flush'))
    return {
      problem: 'in-use',
      why: 'a rule uses it, and it is anonymous or constant: its elements can not be changed any more; make another set, and replace the rule',
    }
  const use = (object as Partial<NftSet>).use
  return { problem: 'in-use', why: `${HOLDERS[word] ?? 'something uses it'}${use === undefined ? '' : ` (in use ${use} times)`}` }
}

export async function owned(refused: Refused, around: Around): Promise<Meaning> {
  const { family, name } = tableOf(refused)
  const owner = (await around.table(family, name))?.owner
  const who =
    owner === undefined ? 'another netlink socket' : `the netlink socket with port ${owner}, often the number of its process`
  return {
    problem: 'owned',
    why: `table ${family} ${name} belongs to ${who}: only its owner may change it, and it goes when that one closes`,
  }
}

function tableOf(refused: Refused): TableKey {
  const [named] = namedAt(refused)
  if (named?.word === 'table') return named.object as TableKey
  const { word, object } = refused
  const { family, table, name } = (word === 'elements' ? (object as Elements).set : object) as {
    family: Family
    table?: string
    name: string
  }
  return { family, name: table ?? name }
}

export function full({ object }: Refused): Meaning {
  return {
    problem: 'full',
    why: `${describe('set', (object as Elements).set)} has as many elements as its \`size\` allows: delete some, or make a larger one`,
  }
}

/** NFT_JUMP_STACK_SIZE */
const DEPTH = 16

export const loop: Meaning = {
  problem: 'jump-loop',
  why: `with it, chains would jump in a circle, or more than ${DEPTH} deep, behind a base chain`,
}
