/**
 * Where the kernel takes expressions (their `validate` in net/netfilter/nft_*.c). It looks at chains that
 * are jumped to as well, and says only that it is not supported.
 */
import type { Expression } from './expressions/index.js'

/** What a base chain needs for an expression. */
export interface Requirement {
  /** How messages call the expression. */
  readonly name: string
  readonly hooks: readonly string[]
  /** Whether the chain has to be of the type nat. */
  readonly nat?: boolean | undefined
}

const BEFORE = ['prerouting', 'input', 'forward'] as const
const BEHIND = ['forward', 'output', 'postrouting'] as const
const DEVICE = ['ingress', 'egress'] as const
/** Addresses are told to senders from hooks of these, by family. */
const REJECT: Readonly<Record<string, readonly string[]>> = {
  bridge: ['prerouting', 'input'],
  netdev: ['ingress'],
  inet: ['ingress', 'prerouting', 'input', 'forward', 'output'],
}
const NETWORK = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const

/** Undefined where it can stand in any base chain. */
export function requirementOf(expression: Expression, family: string): Requirement | undefined {
  switch (expression.kind) {
    case 'nat': {
      const hooks = expression.type === 'snat' ? ['postrouting', 'input'] : ['prerouting', 'output']
      return { name: String(expression.type), hooks, nat: true }
    }
    case 'masq':
      return { name: 'masquerade', hooks: ['postrouting'], nat: true }
    case 'redir':
      return { name: 'redirect', hooks: ['prerouting', 'output'], nat: true }
    case 'reject':
      return { name: 'reject', hooks: REJECT[family] ?? ['prerouting', 'input', 'forward', 'output'] }
    case 'tproxy':
      return { name: 'tproxy', hooks: ['prerouting'] }
    case 'synproxy':
      return { name: 'synproxy', hooks: ['input', 'forward'] }
    case 'queue':
      return { name: 'queue', hooks: NETWORK }
    case 'flow_offload':
      return { name: 'flow', hooks: ['forward'] }
    case 'fwd':
      return { name: 'fwd', hooks: DEVICE }
    default:
      return selectorRequirement(expression, family)
  }
}

function selectorRequirement(expression: Expression, family: string): Requirement | undefined {
  switch (expression.kind) {
    case 'meta':
      if (!('source' in expression) || expression.key !== 'pkttype') return undefined
      return { name: 'meta pkttype set', hooks: family === 'netdev' ? ['ingress'] : ['prerouting'] }
    case 'fib':
      // Of hooks of devices kernels think differently (nft_fib_validate): some take their numbers for those of prerouting and input.
      if (family === 'netdev') return undefined
      return expression.result === 'type' ? addressType(expression.flags) : { name: 'fib oif', hooks: BEFORE }
    case 'rt':
      return expression.key === 'mtu' ? { name: 'rt mtu', hooks: BEHIND } : undefined
    case 'socket':
      return { name: 'socket', hooks: ['prerouting', 'input', 'output'] }
    case 'osf':
      return { name: 'osf', hooks: BEFORE }
    case 'xfrm':
      return { name: `ipsec ${expression.direction}`, hooks: expression.direction === 'in' ? BEFORE : BEHIND }
    default:
      return undefined
  }
}

function addressType(flags: readonly (string | number)[]): Requirement {
  if (flags.includes('iif')) return { name: 'fib type with iif', hooks: BEFORE }
  return flags.includes('oif') ? { name: 'fib type with oif', hooks: BEHIND } : { name: 'fib type', hooks: NETWORK }
}
