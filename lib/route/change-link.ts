/** Changes of devices. Each checks what it is given before anything is asked or sent: it throws a `BadValue`. */
import type { Limit } from '../netlink/channel.js'
import { within } from '../netlink/fields.js'
import type { Body } from '../netlink/generic.js'
import type { Ask, Kernel } from '../netlink/kernel.js'
import { type Netns, openNetns } from '../netlink/netns.js'
import { findLink, indexOf } from './devices.js'
import { type Changes, checkLinkChange, checkNewLink, writeLinkChange, writeNewLink } from './links.js'
import { isRefusal } from './reasons.js'
import type { Device, LinkChange, LinkConfig } from './types.js'
import { linkAttributes, linkHeader, message, NLM_F_CREATE, NLM_F_EXCL } from './wire.js'

const linkAsk = (type: number, body: Body, flags = 0): Ask => ({
  type,
  flags,
  header: linkHeader.size,
  attributes: linkAttributes,
  body,
})

const optionalIndex = (kernel: Kernel, device: Device | undefined, limit: Limit): Promise<number> | undefined =>
  device === undefined ? undefined : indexOf(kernel, device, limit)

export async function addLink(kernel: Kernel, config: LinkConfig, limit: Limit): Promise<void> {
  const link = within('link', () => checkNewLink(config))
  const master = await optionalIndex(kernel, link.master, limit)
  await kernel.request(
    linkAsk(message.newLink, writer => writeNewLink(writer, link, master), NLM_F_CREATE | NLM_F_EXCL),
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
  const ask = linkAsk(message.deleteLink, writer => linkHeader.write(writer, { index: link.index }))
  try {
    await kernel.request(ask, limit, 'unknown')
    return true
  } catch (error) {
    if (isRefusal(error, 'ENODEV')) return false
    throw error
  }
}
