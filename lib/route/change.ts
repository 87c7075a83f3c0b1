/** Changes of devices, addresses, routes and rules. Each checks what it is given before anything is asked or sent: it throws a `BadValue`. */
import type { Limit } from '../netlink/channel.js'
import { within } from '../netlink/fields.js'
import type { Body } from '../netlink/generic.js'
import type { Ask, Kernel } from '../netlink/kernel.js'
import { type Netns, openNetns } from '../netlink/netns.js'
import type { Pathfinder } from '../netlink/schema.js'
import { checkAddress, writeAddress } from './addresses.js'
import { findLink, indexOf } from './devices.js'
import { type Changes, checkLinkChange, checkNewLink, writeLinkChange, writeNewLink } from './links.js'
import { readRoutes } from './read.js'
import { isRefusal } from './reasons.js'
import { type CheckedRoute, checkNewRoute, checkRoute, devicesOf, writeRoute } from './routes.js'
import { checkNewRule, checkRuleKey, writeRule } from './rules.js'
import type { AddressConfig, AddressKey, Device, LinkChange, LinkConfig, RouteConfig, RouteKey, RuleConfig } from './types.js'
import * as wire from './wire.js'
import { tableOf } from './words.js'

const { message } = wire

/** How something is added: only where it is not there, or in its place. */
export type How = 'add' | 'replace'
const FLAGS: Readonly<Record<How, number>> = {
  add: wire.NLM_F_CREATE | wire.NLM_F_EXCL,
  replace: wire.NLM_F_CREATE | wire.NLM_F_REPLACE,
}

/** Makes messages of one kind of objects. */
const asks =
  (header: { readonly size: number }, attributes: Pathfinder) =>
  (type: number, body: Body, flags = 0): Ask => ({ type, flags, header: header.size, attributes, body })

const linkAsk = asks(wire.linkHeader, wire.linkAttributes)
const addressAsk = asks(wire.addressHeader, wire.addressAttributes)
const routeAsk = asks(wire.routeHeader, wire.routeAttributes)
const ruleAsk = asks(wire.ruleHeader, wire.ruleAttributes)

const optionalIndex = (kernel: Kernel, device: Device | undefined, limit: Limit): Promise<number> | undefined =>
  device === undefined ? undefined : indexOf(kernel, device, limit)

export async function addLink(kernel: Kernel, config: LinkConfig, limit: Limit): Promise<void> {
  const link = within('link', () => checkNewLink(config))
  const master = await optionalIndex(kernel, link.master, limit)
  await kernel.request(
    linkAsk(message.newLink, writer => writeNewLink(writer, link, master), FLAGS.add),
    limit,
    'unknown',
  )
}

export async function changeLink(kernel: Kernel, device: Device, change: LinkChange, limit: Limit): Promise<void> {
  const changes = within('changes', () => checkLinkChange(change))
  const index = await indexOf(kernel, device, limit)
  const master = changes.master === 0 ? 0 : await optionalIndex(kernel, changes.master, limit)
  await setLink(kernel, index, changes, master, limit)
}

const NOTHING: Changes = { name: undefined, up: undefined, mtu: undefined, address: undefined, master: undefined }

/** Moves a device to another namespace. */
export async function moveLink(kernel: Kernel, device: Device, netns: Netns, limit: Limit): Promise<void> {
  const { fd, close } = openNetns(netns)
  try {
    await setLink(kernel, await indexOf(kernel, device, limit), NOTHING, undefined, limit, fd)
  } finally {
    close()
  }
}

async function setLink(
  kernel: Kernel,
  index: number,
  changes: Changes,
  master: number | undefined,
  limit: Limit,
  netns?: number,
): Promise<void> {
  const body: Body = writer => writeLinkChange(writer, index, changes, master, netns)
  await kernel.request(linkAsk(message.setLink, body), limit, 'unknown')
}

export async function removeLink(kernel: Kernel, device: Device, limit: Limit): Promise<boolean> {
  const link = await findLink(kernel, device, limit)
  if (!link) return false
  return removed(
    kernel,
    linkAsk(message.deleteLink, writer => wire.linkHeader.write(writer, { index: link.index })),
    limit,
    'ENODEV',
  )
}

export async function addAddress(kernel: Kernel, config: AddressConfig, how: How, limit: Limit): Promise<void> {
  const address = within('address', () => checkAddress(config))
  const index = await indexOf(kernel, address.device, limit)
  const body: Body = writer => writeAddress(writer, address, index, true)
  await kernel.request(addressAsk(message.newAddress, body, FLAGS[how]), limit, 'unknown')
}

export async function removeAddress(kernel: Kernel, key: AddressKey, limit: Limit): Promise<boolean> {
  const address = within('address', () => checkAddress(key))
  const index = await existing(kernel, address.device, limit)
  if (index === undefined) return false
  const ask = addressAsk(message.deleteAddress, writer => writeAddress(writer, address, index, false))
  return removed(kernel, ask, limit, 'EADDRNOTAVAIL', 'ENODEV')
}

export async function addRoute(kernel: Kernel, config: RouteConfig, how: How, limit: Limit): Promise<void> {
  const route = within('route', () => checkNewRoute(config))
  const indices = await indicesOf(kernel, route, limit)
  const ask = routeAsk(message.newRoute, writer => writeRoute(writer, route, indices), FLAGS[how])
  await kernel.request(ask, limit, 'unknown')
}

export async function removeRoute(kernel: Kernel, key: RouteKey, limit: Limit): Promise<boolean> {
  const route = within('route', () => checkRoute(key))
  // The kernel does not look at the type of IPv6 routes that it removes (ip6_route_del).
  if (route.destination.family === 'ipv6' && key.type !== undefined) {
    const { destination, type } = key
    const same = await readRoutes(kernel, { destination, type, table: tableOf(route.table) }, limit)
    if (same.length === 0) return false
  }
  for (const device of devicesOf(route)) if ((await existing(kernel, device, limit)) === undefined) return false
  const indices = await indicesOf(kernel, route, limit)
  const ask = routeAsk(message.deleteRoute, writer => writeRoute(writer, route, indices))
  // ENOENT: there is no such table.
  return removed(kernel, ask, limit, 'ESRCH', 'ENOENT')
}

export async function addRule(kernel: Kernel, config: RuleConfig, limit: Limit): Promise<void> {
  const rule = within('rule', () => checkNewRule(config))
  await kernel.request(
    ruleAsk(message.newRule, writer => writeRule(writer, rule), FLAGS.add),
    limit,
    'unknown',
  )
}

export async function removeRule(kernel: Kernel, key: RuleConfig, limit: Limit): Promise<boolean> {
  const rule = within('rule', () => checkRuleKey(key))
  return removed(
    kernel,
    ruleAsk(message.deleteRule, writer => writeRule(writer, rule)),
    limit,
    'ENOENT',
  )
}

/** False where the kernel says by one of these codes that there was nothing. */
async function removed(kernel: Kernel, ask: Ask, limit: Limit, ...codes: readonly string[]): Promise<boolean> {
  try {
    await kernel.request(ask, limit, 'unknown')
    return true
  } catch (error) {
    if (isRefusal(error, ...codes)) return false
    throw error
  }
}

/** The index of a device, or undefined when it is not there. */
async function existing(kernel: Kernel, device: Device, limit: Limit): Promise<number | undefined> {
  return typeof device === 'number' ? device : (await findLink(kernel, device, limit))?.index
}

/** The indices of a route's devices. Throws when one is not there. */
async function indicesOf(kernel: Kernel, route: CheckedRoute, limit: Limit): Promise<(device: Device) => number> {
  const indices = new Map<Device, number>()
  for (const device of devicesOf(route)) indices.set(device, await indexOf(kernel, device, limit))
  return device => indices.get(device) ?? 0
}
