/** Families of tables, the hooks that each has, and the priorities that have names (nft(8); nftables, src/rule.c). */
import { BadValue, entryOf, shown } from '../netlink/schema.js'
import type { ChainType, Family, Hook, Priority } from './types.js'

/** NFPROTO_* */
const NUMBERS: Readonly<Record<Family, number>> = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 }
export const FAMILIES = Object.keys(NUMBERS) as readonly Family[]
const BY_NUMBER = new Map(FAMILIES.map(family => [NUMBERS[family], family]))

/** The number of a family in messages. Throws a `BadValue`. */
export function familyToWire(family: Family): number {
  const number = entryOf(NUMBERS, family)
  if (number === undefined) throw new BadValue('type', `${shown(family)}: give one of ${FAMILIES.join(', ')}`).within('family')
  return number
}

export const isFamily = (value: unknown): value is Family => entryOf(NUMBERS, value) !== undefined

/** The family of a number; undefined for one that nftables has no tables of. */
export const familyFromWire = (number: number): Family | undefined => BY_NUMBER.get(number)

const NETWORK: Partial<Record<Hook, number>> = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 }

/** Numbers of the hooks of each family (NF_INET_*, NF_ARP_*, NF_BR_*, NF_NETDEV_*). */
const HOOKS: Readonly<Record<Family, Partial<Record<Hook, number>>>> = {
  ip: NETWORK,
  ip6: NETWORK,
  inet: { ...NETWORK, ingress: 5 },
  arp: { input: 0, output: 1 },
  bridge: NETWORK,
  netdev: { ingress: 0, egress: 1 },
}

/** Which chain types exist for a family, and their hooks. `filter` exists everywhere. */
const ROUTED: readonly Family[] = ['ip', 'ip6', 'inet']
const TYPE_HOOKS: Readonly<Record<Exclude<ChainType, 'filter'>, readonly Hook[]>> = {
  nat: ['prerouting', 'input', 'output', 'postrouting'],
  route: ['output'],
}

export function hookToWire(family: Family, hook: Hook): number {
  const number = entryOf(HOOKS[family], hook)
  if (number !== undefined) return number
  const there = Object.keys(HOOKS[family]).join(', ')
  throw new BadValue('type', `${shown(hook)}: family ${family} has no such hook: it has ${there}`).within('hook')
}

export function hookFromWire(family: Family, number: number): Hook | undefined {
  return (Object.keys(HOOKS[family]) as Hook[]).find(hook => HOOKS[family][hook] === number)
}

/** Refuses a chain type that the family or the hook does not have. */
export function checkChainType(family: Family, hook: Hook, type: ChainType): void {
  if (type === 'filter') return
  const hooks = entryOf(TYPE_HOOKS, type)
  if (!hooks) throw new BadValue('type', `${shown(type)}: give one of filter, nat, route`).within('type')
  if (!ROUTED.includes(family))
    throw new BadValue('type', `"${type}": family ${family} has chains of type filter only`).within('type')
  if (!hooks.includes(hook))
    throw new BadValue('type', `"${type}": there is no such chain at hook ${hook}: it exists at ${hooks.join(', ')}`).within(
      'type',
    )
}

interface Named {
  readonly priority: number
  /** Where the name may be used. Default: everywhere. */
  readonly hooks?: readonly Hook[]
}

const IP_NAMES: Readonly<Record<string, Named>> = {
  raw: { priority: -300 },
  mangle: { priority: -150 },
  // Of output and input: as nft has it from 1.1 on.
  dstnat: { priority: -100, hooks: ['prerouting', 'output'] },
  filter: { priority: 0 },
  security: { priority: 50 },
  srcnat: { priority: 100, hooks: ['postrouting', 'input'] },
}
const BRIDGE_NAMES: Readonly<Record<string, Named>> = {
  dstnat: { priority: -300, hooks: ['prerouting'] },
  filter: { priority: -200 },
  out: { priority: 100, hooks: ['output'] },
  srcnat: { priority: 300, hooks: ['postrouting'] },
}
const OTHER_NAMES: Readonly<Record<string, Named>> = { filter: { priority: 0 } }

function namesOf(family: Family, hook: Hook): Readonly<Record<string, Named>> {
  if (family === 'bridge') return BRIDGE_NAMES
  return ROUTED.includes(family) && hook !== 'ingress' ? IP_NAMES : OTHER_NAMES
}

const PRIORITY = /^([a-z]+)(?:\s*([+-])\s*(\d+))?$/

/** The number of a priority. Throws a `BadValue`. */
export function priorityToWire(family: Family, hook: Hook, priority: Priority): number {
  if (typeof priority === 'number') return priority
  const [, name = '', sign, offset = '0'] = (typeof priority === 'string' && PRIORITY.exec(priority)) || []
  const names = namesOf(family, hook)
  const named = entryOf(names, name)
  const usable = ({ hooks = [hook] }: Named): boolean => hooks.includes(hook)
  if (!named || !usable(named)) {
    const there = Object.keys(names).filter(known => usable(names[known] as Named))
    throw new BadValue(
      'type',
      `${shown(priority)}: give a whole number, or one of ${there.join(', ')} at hook ${hook} of family ${family}, as "${there[0]} + 10"`,
    ).within('priority')
  }
  return named.priority + (sign === '-' ? -1 : 1) * Number(offset)
}
