/** Names of priorities (nftables 1.1.3, src/rule.c: prio2str). */
import type { Family } from '../types.js'

interface NamedPriority {
  readonly name: string
  readonly priority: number
  /** Where it has the name. Default: everywhere. */
  readonly hooks?: readonly string[]
}

const FILTER: readonly NamedPriority[] = [{ name: 'filter', priority: 0 }]
const ROUTED: readonly NamedPriority[] = [
  { name: 'raw', priority: -300 },
  { name: 'mangle', priority: -150 },
  { name: 'dstnat', priority: -100, hooks: ['prerouting', 'output'] },
  { name: 'filter', priority: 0 },
  { name: 'security', priority: 50 },
  { name: 'srcnat', priority: 100, hooks: ['postrouting', 'input'] },
]
const BRIDGE: readonly NamedPriority[] = [
  { name: 'dstnat', priority: -300, hooks: ['prerouting'] },
  { name: 'filter', priority: -200 },
  { name: 'out', priority: 100, hooks: ['output'] },
  { name: 'srcnat', priority: 300, hooks: ['postrouting'] },
]
const NAMES: Readonly<Record<Family, readonly NamedPriority[]>> = {
  ip: ROUTED,
  ip6: ROUTED,
  inet: ROUTED,
  arp: FILTER,
  netdev: FILTER,
  bridge: BRIDGE,
}
/** Farther from a name than this a priority is a number. */
const REACH = 10

/** A priority as text: `filter`, `raw - 5`, a number far from all names. */
export function renderPriority(priority: number | string, family: Family, hook: string): string {
  if (typeof priority === 'string') return priority
  for (const { name, priority: named, hooks = [hook] } of NAMES[family]) {
    const distance = priority - named
    if (Math.abs(distance) > REACH || !hooks.includes(hook)) continue
    return distance === 0 ? name : `${name} ${distance < 0 ? '-' : '+'} ${Math.abs(distance)}`
  }
  return String(priority)
}
