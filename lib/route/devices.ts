/** Devices by name and by index, for objects that the kernel knows by index and people by name. */
import type { Limit } from '../netlink/channel.js'
import { NetlinkError } from '../netlink/error.js'
import type { Ask, Kernel } from '../netlink/kernel.js'
import { readLink } from './links.js'
import { type Asked, isRefusal } from './reasons.js'
import type { Device, Link } from './types.js'
import { linkAttributes, linkHeader, message } from './wire.js'

/** Up to so many devices are asked for one by one. */
const FEW = 4

/** A question about devices: all of them, or one. */
export function linkAsk(device?: Device): Ask {
  return {
    type: message.getLink,
    header: linkHeader.size,
    attributes: linkAttributes,
    body: writer => {
      linkHeader.write(writer, { index: typeof device === 'number' ? device : 0 })
      if (typeof device === 'string') linkAttributes.encode(writer, { name: device })
    },
  }
}

/** All devices, in the order of the kernel. */
export async function readLinks(kernel: Kernel, limit: Limit): Promise<Link[]> {
  const answer = await kernel.dump(linkAsk(), limit)
  const links: Link[] = []
  for (const { payload, end } of answer.messages()) {
    const link = readLink(answer.reader, payload, end)
    if (link) links.push(link)
  }
  return links
}

/** One device; undefined when it is not there. */
export async function findLink(kernel: Kernel, device: Device, limit: Limit): Promise<Link | undefined> {
  try {
    const answer = await kernel.request(linkAsk(device), limit, 'no')
    for (const { payload, end } of answer.messages()) return readLink(answer.reader, payload, end)
    return undefined
  } catch (error) {
    if (isRefusal(error, 'ENODEV')) return undefined
    throw error
  }
}

/** The index of a device. Throws when it is not there. */
export async function indexOf(kernel: Kernel, device: Device, limit: Limit): Promise<number> {
  if (typeof device === 'number') return device
  const link = await findLink(kernel, device, limit)
  if (link) return link.index
  throw noSuchDevice(device)
}

export function noSuchDevice(device: Device, { operation, target }: Partial<Asked> = {}): NetlinkError {
  return new NetlinkError({
    errno: 19,
    problem: 'no-such-interface',
    reason: `there is no device ${device}: \`links\` lists those that there are`,
    operation,
    target,
  })
}

/** The indices of those devices that are there. */
export async function indicesOf(kernel: Kernel, devices: readonly Device[], limit: Limit): Promise<Map<Device, number>> {
  const indices = new Map<Device, number>()
  const names = new Set<string>()
  for (const device of devices)
    if (typeof device === 'number') indices.set(device, device)
    else names.add(device)
  if (names.size > FEW) for (const { index, name } of await readLinks(kernel, limit)) indices.set(name, index)
  else
    for (const name of names) {
      const link = await findLink(kernel, name, limit)
      if (link) indices.set(name, link.index)
    }
  return indices
}

/** Finds names by indices. */
export type Names = (index: number) => Device

/** The names of devices; a device that has gone keeps its index. */
export async function namesOf(kernel: Kernel, indices: ReadonlySet<number>, limit: Limit): Promise<Names> {
  const names = new Map<number, string>()
  if (indices.size > FEW) for (const { index, name } of await readLinks(kernel, limit)) names.set(index, name)
  else
    for (const index of indices) {
      const link = await findLink(kernel, index, limit)
      if (link) names.set(index, link.name)
    }
  return index => names.get(index) ?? index
}
