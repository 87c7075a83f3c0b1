/** Where base chains can be called from (nf_tables_api.c, nft_chain_parse_hook), and what expressions demand of that. */
import type { MessageWriter } from '../../netlink/buffer.js'
import { EEXIST, EFBIG, EINVAL, ENOENT, EOPNOTSUPP, Errno } from '../errno.js'
import { nestedRule, type Payload, type Policy, string, u32Rule } from '../policy.js'
import { type Nest, putBe32, putNest, putText, refuse } from './attributes.js'
import { type Chain, chainFlag, type Hook } from './state.js'

const NUMBER = 1
const PRIORITY = 2
const DEVICE = 3
const DEVICES = 4
const DEVICE_NAME = 1
/** IFNAMSIZ less the NUL */
const DEVICE_LENGTH = 15
/** NFT_NETDEVICE_MAX */
const MOST_DEVICES = 256
const NFPROTO_INET = 1
const NFPROTO_IPV4 = 2
const NFPROTO_ARP = 3
const NFPROTO_NETDEV = 5
const NFPROTO_BRIDGE = 7
const NFPROTO_IPV6 = 10
const INGRESS_OF_INET = 5
/** NF_IP_PRI_CONNTRACK */
const CONNECTION_TRACKING = -200

/** NF_INET_* as bits. */
export const hooks = { prerouting: 1, input: 2, forward: 4, output: 8, postrouting: 16, ingress: 32 } as const
const NETWORK = hooks.prerouting | hooks.input | hooks.forward | hooks.output | hooks.postrouting
const TRANSLATION = NETWORK & ~hooks.forward

/** The hooks of each type of chain, by family (`struct nft_chain_type`). */
const TYPES: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [NFPROTO_INET]: { filter: NETWORK | hooks.ingress, nat: TRANSLATION, route: hooks.output },
  [NFPROTO_IPV4]: { filter: NETWORK, nat: TRANSLATION, route: hooks.output },
  [NFPROTO_IPV6]: { filter: NETWORK, nat: TRANSLATION, route: hooks.output },
  [NFPROTO_ARP]: { filter: 3 },
  [NFPROTO_BRIDGE]: { filter: NETWORK },
  [NFPROTO_NETDEV]: { filter: 3 },
}

export const hookPolicy: Policy = {
  [NUMBER]: u32Rule,
  [PRIORITY]: u32Rule,
  [DEVICE]: string(DEVICE_LENGTH),
  [DEVICES]: nestedRule,
}

/** Whether chains of a hook are bound to devices. */
export const hasDevices = (family: number, number: number): boolean =>
  family === NFPROTO_NETDEV || (family === NFPROTO_INET && number === INGRESS_OF_INET)

/**
 * Reads the hook of a new base chain.
 *
 * @param attributes of the chain
 */
export function readHook(
  attributes: Nest,
  ids: { readonly name: number; readonly hook: number; readonly type: number },
  family: number,
): Hook {
  const nest = attributes.nest(ids.hook, hookPolicy)
  const number = nest.be32(NUMBER)
  const priority = nest.be32(PRIORITY)
  if (number === undefined || priority === undefined) throw attributes.refuse(ENOENT, ids.name)
  const types = TYPES[family]
  if (!types) throw new Errno(EOPNOTSUPP)
  const type = typeOf(attributes, ids.type, family) ?? 'filter'
  if (number > 5 || !((types[type] as number) & (1 << number))) throw new Errno(EOPNOTSUPP)
  if (type === 'nat' && (priority | 0) <= CONNECTION_TRACKING) throw new Errno(EOPNOTSUPP)
  return { type, number, priority: priority | 0, devices: readDevices(nest, family, number) }
}

/** Reads the hook of a base chain that is there: all but its devices has to be the same. */
export function readHookOf(
  hook: Hook,
  attributes: Nest,
  ids: { readonly hook: number; readonly type: number },
  family: number,
): readonly string[] | undefined {
  const nest = attributes.nest(ids.hook, hookPolicy)
  if ((nest.be32(NUMBER) ?? hook.number) !== hook.number) throw new Errno(EOPNOTSUPP)
  if (((nest.be32(PRIORITY) ?? hook.priority) | 0) !== hook.priority) throw new Errno(EOPNOTSUPP)
  const type = typeOf(attributes, ids.type, family) ?? hook.type
  const devices = readDevices(nest, family, hook.number)
  if (type !== hook.type) throw new Errno(EEXIST)
  return devices
}

function typeOf(attributes: Nest, id: number, family: number): string | undefined {
  const type = attributes.text(id)
  if (type !== undefined && !Object.hasOwn(TYPES[family] ?? {}, type)) throw attributes.refuse(ENOENT, id)
  return type
}

/** nft_chain_parse_netdev. They need not exist: the chain is bound to those that come later, too (Linux 6.16). */
function readDevices(nest: Nest, family: number, number: number): readonly string[] | undefined {
  if (hasDevices(family, number)) return nest.has(DEVICE) ? [nest.text(DEVICE) as string] : deviceList(nest, DEVICES)
  if (nest.has(DEVICE) || nest.has(DEVICES)) throw new Errno(EOPNOTSUPP)
  return undefined
}

/** nf_tables_parse_netdev_hooks */
export function deviceList(nest: Nest, id: number): readonly string[] {
  const devices: string[] = []
  for (const element of nest.list(id)) {
    const name = deviceName(nest, element)
    if (devices.includes(name)) throw refuse(EEXIST, element)
    if (devices.push(name) > MOST_DEVICES) throw new Errno(EFBIG)
  }
  if (nest.has(id) && devices.length === 0) throw new Errno(EINVAL)
  return devices
}

function deviceName(nest: Nest, element: Payload & { readonly type: number }): string {
  const name = nest.textOf(element)
  if (element.type !== DEVICE_NAME) throw new Errno(EINVAL)
  if (name.length > DEVICE_LENGTH) throw refuse(EINVAL, element)
  return name
}

/** nft_dump_basechain_hook */
export function putHook(writer: MessageWriter, id: number, hook: Hook): void {
  putNest(writer, id, () => {
    putBe32(writer, NUMBER, hook.number)
    putBe32(writer, PRIORITY, hook.priority)
    if (!hook.devices) return
    putNest(writer, DEVICES, () => {
      for (const device of hook.devices ?? []) putText(writer, DEVICE_NAME, device)
    })
    const [only, ...others] = hook.devices
    if (only !== undefined && others.length === 0) putText(writer, DEVICE, only)
  })
}

/** Demands a chain type of a base chain (nft_chain_validate_dependency), and one of some hooks (nft_chain_validate_hooks). */
export function demand(type: string | undefined, mask: number): (chain: Chain) => void {
  return ({ hook, flags }) => {
    if (!(flags & chainFlag.base) || !hook) return
    if (type !== undefined && hook.type !== type) throw new Errno(EOPNOTSUPP)
    if (!(mask & (1 << hook.number))) throw new Errno(EOPNOTSUPP)
  }
}
