/** Tables, chains and flowtables of documents (src/parser_json.c, json_parse_cmd_add_*). */
import { BadValue, shown } from '../../netlink/schema.js'
import { at, type Fields, fieldsOf, optionalText, optionalWord, textIn, wordsIn } from '../json/fields.js'
import type { BaseChain, Chain, Flowtable, Hook, Priority, Table } from '../types.js'
import { checkHandle, familyIn, nameIn } from './identity.js'

const TABLE = ['family', 'name', 'handle', 'flags', 'comment']

export function lowerTable(given: unknown): Table {
  const fields = fieldsOf(given, TABLE)
  checkHandle(fields)
  const flags = wordsIn(fields, 'flags', ['dormant', 'owner', 'persist'])
  return { family: familyIn(fields), name: textIn(fields, 'name'), ...(flags && { flags }), ...commentIn(fields) }
}

export function commentIn(fields: Fields): { readonly comment?: string } {
  const comment = optionalText(fields, 'comment')
  return comment === undefined ? {} : { comment }
}

const TYPES = ['filter', 'nat', 'route'] as const
const HOOKS = ['ingress', 'egress', 'prerouting', 'input', 'forward', 'output', 'postrouting'] as const
const OF_BASE = ['type', 'hook', 'prio', 'dev', 'policy']
const CHAIN = ['family', 'table', 'name', 'handle', 'comment', ...OF_BASE]

export function lowerChain(given: unknown): Chain {
  const fields = fieldsOf(given, CHAIN)
  checkHandle(fields)
  const chain = { ...nameIn(fields), ...commentIn(fields) }
  const hook = optionalWord(fields, 'hook', HOOKS)
  if (hook !== undefined) return { ...chain, ...baseOf(fields, hook) }
  const only = OF_BASE.find(name => fields[name] !== undefined)
  if (only !== undefined) throw new BadValue('type', 'only a base chain has one: give its hook as well').within(only)
  return chain
}

function baseOf(fields: Fields, hook: Hook): Pick<BaseChain, 'type' | 'hook' | 'priority' | 'policy' | 'devices'> {
  const devices = devicesIn(fields)
  const policy = optionalWord(fields, 'policy', ['accept', 'drop'])
  return {
    type: optionalWord(fields, 'type', TYPES) ?? 'filter',
    hook,
    priority: priorityIn(fields),
    ...(devices && { devices }),
    ...(policy && { policy }),
  }
}

/** A number, or one of nft's names with an offset. */
function priorityIn(fields: Fields): Priority {
  const { prio = 0 } = fields
  if (typeof prio === 'number' || typeof prio === 'string') return prio as Priority
  throw new BadValue('type', `${shown(prio)}: give a whole number, or a name as "filter + 10"`).within('prio')
}

/** One device, or a list. */
export function devicesIn(fields: Fields): readonly string[] | undefined {
  const { dev } = fields
  if (dev === undefined) return undefined
  const list = Array.isArray(dev) ? dev : [dev]
  return list.map((name, i) =>
    at('dev', () => {
      if (typeof name === 'string') return name
      throw new BadValue('type', `${shown(name)}: give the name of a network device`).within(Array.isArray(dev) ? i : '')
    }),
  )
}

const FLOWTABLE = ['family', 'table', 'name', 'handle', 'hook', 'prio', 'dev', 'flags']
const FLOWTABLE_FLAGS = { offload: 'hardware-offload', counter: 'counter' } as const

export function lowerFlowtable(given: unknown): Flowtable {
  const fields = fieldsOf(given, FLOWTABLE)
  checkHandle(fields)
  const devices = devicesIn(fields)
  const flags = wordsIn(fields, 'flags', ['offload', 'counter'])
  return {
    ...nameIn(fields),
    hook: optionalWord(fields, 'hook', ['ingress'] as const) ?? 'ingress',
    priority: priorityIn(fields),
    ...(devices && { devices }),
    ...(flags && { flags: flags.map(flag => FLOWTABLE_FLAGS[flag]) }),
  }
}

export const CHAIN_FIELDS: readonly string[] = CHAIN
export const FLOWTABLE_FIELDS: readonly string[] = FLOWTABLE
