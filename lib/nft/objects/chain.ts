import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { BadValue, shown } from '../../netlink/schema.js'
import { checkChainType, familyToWire, hookFromWire, hookToWire, priorityToWire } from '../family.js'
import type { BaseChain, Chain, ChainType, Family } from '../types.js'
import { joinComment, splitComment } from '../user-data.js'
import { chainAttributes } from '../wire.js'
import { bitsOf, wordsOf } from './bits.js'
import { hookFields } from './devices.js'
import { named, needed } from './needed.js'
import { attributeOf, joinUnknown, unknownOf } from './unknown.js'

/** NFT_CHAIN_* ; BASE is what having a hook means. */
const FLAGS = { 'hardware-offload': 2, binding: 4 } as const
const BASE = 1
/** NFTNL_UDATA_CHAIN_COMMENT */
const COMMENT = 0
/** NF_DROP, NF_ACCEPT */
const POLICIES = ['drop', 'accept'] as const
/** Connection tracking comes at -200: what translates addresses needs it (nf_tables_api.c, nft_chain_parse_hook). */
const AFTER_TRACKING = -199

export function writeChain(writer: MessageWriter, chain: Chain): void {
  const { table, name, id, unknown, flags = [] } = chain
  familyToWire(chain.family)
  if ('newName' in chain) throw new BadValue('type', 'is for rename').within('newName')
  const bits = bitsOf(flags, FLAGS, 'flags')
  named(bits & FLAGS.binding ? { table, id } : { table, name })
  const record = {
    ...(bits & FLAGS.binding ? { table } : { table, name }),
    ...(chain.hook === undefined ? withoutHook(chain) : baseAttributes(chain)),
    flags: bits === 0 ? undefined : (bits | (chain.hook === undefined ? 0 : BASE)) >>> 0,
    id,
    userData: joinComment(chain, COMMENT),
    unknown: unknownOf(unknown),
  }
  hookFields(() => chainAttributes.encode(writer, record))
}

/** What only base chains have. */
function withoutHook(chain: object): Record<string, never> {
  for (const field of ['type', 'priority', 'policy', 'devices', 'counters'])
    if ((chain as Record<string, unknown>)[field] !== undefined)
      throw new BadValue('type', 'only a base chain has one: give its hook as well').within(field)
  return {}
}

function baseAttributes(chain: BaseChain) {
  const { family, hook, type = 'filter', policy, counters } = chain
  const number = hookToWire(family, hook)
  checkChainType(family, hook, type)
  const priority = priorityToWire(family, hook, chain.priority === undefined ? 0 : chain.priority)
  if (type === 'nat' && priority < AFTER_TRACKING)
    throw new BadValue(
      'range',
      `${shown(chain.priority)}: a nat chain comes behind connection tracking: give at least ${AFTER_TRACKING}`,
    ).within('priority')
  if (policy !== undefined && !POLICIES.includes(policy))
    throw new BadValue('type', `${shown(policy)}: give one of accept, drop`).within('policy')
  return {
    hook: { number, priority: checkPriority(priority), ...devicesOf(chain), unknown: unknownOf(chain.unknown, 'hook') },
    type,
    policy: policy === undefined ? undefined : POLICIES.indexOf(policy),
    counters,
  }
}

function checkPriority(priority: number): number {
  if (Number.isInteger(priority) && priority >= -0x8000_0000 && priority <= 0x7fff_ffff) return priority
  throw new BadValue('range', `${shown(priority)}: give a whole number from -2147483648 to 2147483647, or a name`).within(
    'priority',
  )
}

/** One device the old way, which every kernel knows; several as a list. */
function devicesOf({ family, hook, devices = [] }: BaseChain): { device?: string; devices?: readonly string[] } {
  if (!Array.isArray(devices))
    throw new BadValue('type', `${shown(devices)}: give a list of names of interfaces`).within('devices')
  const bound = family === 'netdev' || hook === 'ingress' || hook === 'egress'
  if (!bound && devices.length > 0)
    throw new BadValue('type', `only chains of family netdev and of hook ingress are bound to devices`).within('devices')
  if (!bound) return {}
  const [device, ...others] = devices
  if (device === undefined) return {}
  if (others.length === 0 && typeof device === 'string' && !device.endsWith('*')) return { device }
  return { devices }
}

export function writeChainKey(
  writer: MessageWriter,
  { table, name, handle }: { readonly table: string; readonly name?: string | undefined; readonly handle?: number | undefined },
): void {
  needed(handle === undefined ? { table, name } : { table })
  chainAttributes.encode(writer, name === undefined ? { table, handle } : { table, name })
}

export function readChain(family: Family, reader: MessageReader, start: number, end: number): Chain | undefined {
  const record = chainAttributes.decode(reader, start, end)
  if (!record) return undefined
  const { table = '', name = '', hook, type, policy, flags = 0, counters, userData, unknown, ...others } = record
  const rest = (flags & ~BASE) >>> 0
  const hookName = hook?.number === undefined ? undefined : hookFromWire(family, hook.number)
  const policyName = policy === undefined ? undefined : POLICIES[policy]
  // What has no words here stays as it is; without its hook no field of a base chain has a meaning.
  const kept = hookName === undefined ? ONLY_OF_BASE : policyName === undefined ? ['policy' as const] : []
  const left = kept.filter(field => record[field] !== undefined)
  const own = [...left.map(field => attributeOf(reader, start, end, NUMBERS[field])), ...(unknown ?? [])]
  const common = {
    family,
    table,
    name,
    ...others,
    ...(rest !== 0 && { flags: wordsOf(rest, FLAGS) }),
    ...splitComment(userData, COMMENT),
    ...joinUnknown(own.length > 0 ? own : undefined, 'hook', hookName === undefined ? undefined : hook?.unknown),
  }
  if (!hook || hookName === undefined) return common
  const devices = hook.devices ?? (hook.device === undefined ? undefined : [hook.device])
  return {
    ...common,
    ...(type !== undefined && { type: type as ChainType }),
    hook: hookName,
    priority: hook.priority ?? 0,
    ...(policyName !== undefined && { policy: policyName }),
    ...(devices && { devices }),
    ...(counters && { counters }),
  }
}

/** What only base chains have, and its numbers (NFTA_CHAIN_*). */
const NUMBERS = { hook: 4, policy: 5, type: 7, counters: 8 } as const
const ONLY_OF_BASE = Object.keys(NUMBERS) as readonly (keyof typeof NUMBERS)[]
