/** What a kernel is asked to try, to learn what it can do. */
import type { Expression } from './expressions/index.js'
import {
  DEVICE_HOOKS,
  EXPRESSION_NAMES,
  FLOWTABLES,
  familiesOfExpression,
  familiesOfObject,
  type KernelOption,
  NAT_CHAINS,
  OBJECT_TYPES,
  optionOfExpression,
  optionOfFamily,
  optionOfObject,
} from './kernel-options.js'
import { objectTypeToWire } from './objects/object-type.js'
import type { Command, Family, NftSet } from './types.js'

export const FAMILIES: readonly Family[] = ['inet', 'ip', 'ip6', 'arp', 'bridge', 'netdev']

/** What can be there in some families and not in others. */
export interface Question {
  readonly section: 'expressions' | 'objects' | 'chainTypes' | 'hooks' | 'flowtables'
  readonly name: string
  readonly family: Family
  /** What is missing when it is not there. */
  readonly option: KernelOption | undefined
  readonly command: Command
  /** Whether being refused so says that it is not there. */
  readonly isMissing: (code: string) => boolean
}

/** What the kernel can do or not. */
export type Feature =
  | 'destroy'
  | 'tableOwner'
  | 'tablePersist'
  | 'severalDevices'
  | 'devicesByPattern'
  | 'catchAllElements'
  | 'severalElementExpressions'
  | 'bitwiseRegisters'
  | 'bridgeMeta'

/** A name that nobody uses: real tables are never touched, not even in a trial. */
export const probeName = (): string => `ts-ipvs-${Math.random().toString(36).slice(2)}`

/** A table in which nothing is hooked, not even for the moment of a trial. */
export const dormant = (family: Family, name: string): Command => ({ create: { table: { family, name, flags: ['dormant'] } } })

/** In a trial that has a dormant table of the name in each of the families, with a chain `regular`. */
export function questions(families: readonly Family[], table: string): Question[] {
  return families.flatMap(family => [
    ...EXPRESSION_NAMES.filter(name => (familiesOfExpression(name) ?? FAMILIES).includes(family)).map(name =>
      expressionQuestion(family, table, name),
    ),
    ...OBJECT_TYPES.filter(type => (familiesOfObject(type) ?? FAMILIES).includes(family)).map((type): Question => {
      // Without its attributes: what is known is refused for that, with another code than what is not.
      const object = { family, table, name: type, type: objectTypeToWire(type), data: new Uint8Array(0) } as const
      const option = optionOfObject(type)
      return { section: 'objects', name: type, family, option, command: { add: { object } }, isMissing: isUnknown }
    }),
    ...(ROUTED.includes(family) ? routedQuestions(family, table) : []),
    ...hookQuestions(family, table),
  ])
}

/** nft_expr_type_get, nft_obj_type_get, nft_flowtable_type_get, nft_chain_parse_hook */
const isUnknown = (code: string): boolean => code === 'ENOENT'
const isRefused = (): boolean => true

function expressionQuestion(family: Family, table: string, name: string): Question {
  const rule = { family, table, chain: 'regular', expressions: [{ kind: 'opaque', name }] } as const
  const option = optionOfExpression(name, family)
  return { section: 'expressions', name, family, option, command: { add: { rule } }, isMissing: isUnknown }
}

const ROUTED: readonly Family[] = ['inet', 'ip', 'ip6']

function routedQuestions(family: Family, table: string): Question[] {
  const chain = (type: 'nat' | 'route'): Command => ({ add: { chain: { family, table, name: type, type, hook: 'output' } } })
  return [
    { section: 'chainTypes', name: 'nat', family, option: NAT_CHAINS, command: chain('nat'), isMissing: isUnknown },
    {
      section: 'chainTypes',
      name: 'route',
      family,
      option: optionOfFamily(family),
      command: chain('route'),
      isMissing: isUnknown,
    },
    {
      section: 'flowtables',
      name: 'flowtables',
      family,
      option: FLOWTABLES,
      command: { add: { flowtable: { family, table, name: 'flowtable' } } },
      isMissing: isUnknown,
    },
  ]
}

/** `lo` is in every namespace. */
const LOOPBACK = 'lo'

function hookQuestions(family: Family, table: string): Question[] {
  const hooks = family === 'netdev' ? (['ingress', 'egress'] as const) : family === 'inet' ? (['ingress'] as const) : []
  return hooks.map(hook => {
    const chain = { family, table, name: hook, hook, devices: [LOOPBACK] } as const
    return { section: 'hooks', name: hook, family, option: DEVICE_HOOKS[hook], command: { add: { chain } }, isMissing: isRefused }
  })
}

const COUNTER = { kind: 'counter' } as const
const LOAD = [1, 2].map((destination): Expression => ({ kind: 'immediate', destination, data: new Uint8Array(4) }))

/** In the same trial, and in the first of its families; each is there when none of its commands was refused. */
export function featureCommands(family: Family, table: string): Readonly<Record<Feature, readonly Command[]>> {
  const set = (name: string, others: Partial<NftSet> = {}) => ({ family, table, name, key: 'ipv4_addr', ...others }) as const
  const elements = { set: set('catch all'), elements: [{ key: '*' }] } as const
  const bound = (name: string, devices: readonly string[]): Command => ({
    add: { chain: { family: 'netdev', table, name, hook: 'ingress', devices } },
  })
  const bitwise = { kind: 'bitwise', operator: 'and', source: 1, source2: 2, destination: 1, length: 4 } as const
  const bridged = {
    family: 'bridge',
    table,
    chain: 'regular',
    expressions: [{ kind: 'meta', key: 'ibrname', destination: 1 }],
  } as const
  return {
    destroy: [{ destroy: { table: { family, name: `${table}-absent` } } }],
    tableOwner: [{ create: { table: { family, name: `${table}-owned`, flags: ['owner'] } } }],
    tablePersist: [{ create: { table: { family, name: `${table}-kept`, flags: ['owner', 'persist'] } } }],
    severalDevices: [bound('several', [LOOPBACK, LOOPBACK])],
    devicesByPattern: [bound('pattern', [`${LOOPBACK}*`])],
    catchAllElements: [{ add: { set: set('catch all') } }, { add: { elements } }],
    severalElementExpressions: [{ add: { set: set('expressions', { expressions: [COUNTER, COUNTER] }) } }],
    bitwiseRegisters: [{ add: { rule: { family, table, chain: 'regular', expressions: [...LOAD, bitwise] } } }],
    bridgeMeta: [{ add: { rule: bridged } }],
  }
}

/** Twice the same device, for there is no other: a kernel that knows lists of them says so. */
export const isThere = (feature: Feature, code: string | undefined): boolean =>
  code === undefined || (feature === 'severalDevices' && code === 'EEXIST')

/** An element that is written twice with other time-outs, in a table that the same transaction removes. */
export function timeoutUpdate(family: Family, name: string): readonly Command[] {
  const set = { family, table: name, name: 'timeouts', key: 'ipv4_addr', flags: ['timeout'] } as const
  const element = (timeout: number): Command => ({ add: { elements: { set, elements: [{ key: '192.0.2.1', timeout }] } } })
  return [dormant(family, name), { add: { set } }, element(1000), element(2000), { delete: { table: { family, name } } }]
}
