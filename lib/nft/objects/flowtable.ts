import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { BadValue, shown } from '../../netlink/schema.js'
import { priorityToWire } from '../family.js'
import type { Family, Flowtable } from '../types.js'
import { flowtableAttributes } from '../wire.js'
import { bitsOf, wordsOf } from './bits.js'
import { hookFields } from './devices.js'
import { named, needed } from './needed.js'
import { joinUnknown, unknownOf } from './unknown.js'

/** NFT_FLOWTABLE_* */
const FLAGS = { 'hardware-offload': 1, counter: 2 } as const
/** NF_NETDEV_INGRESS, the only hook. */
const INGRESS = 0

export function writeFlowtable(writer: MessageWriter, flowtable: Flowtable): void {
  const { family, table, name, hook = 'ingress', priority = 0, devices, flags, unknown } = flowtable
  named({ table, name })
  if (devices !== undefined && !Array.isArray(devices))
    throw new BadValue('type', `${shown(devices)}: give a list of names of interfaces`).within('devices')
  if ('onlyDevices' in flowtable) throw new BadValue('type', 'is for delete: here there is devices').within('onlyDevices')
  if (hook !== 'ingress' && typeof hook !== 'number')
    throw new BadValue('type', `${shown(hook)}: flowtables are at "ingress" only`).within('hook')
  const record = {
    table,
    name,
    hook: {
      number: hook === 'ingress' ? INGRESS : hook,
      priority: priorityToWire(family, 'ingress', priority),
      devices: devices && devices.length === 0 ? undefined : devices,
      unknown: unknownOf(unknown, 'hook'),
    },
    flags: flags && bitsOf(flags, FLAGS, 'flags'),
    unknown: unknownOf(unknown),
  }
  hookFields(() => flowtableAttributes.encode(writer, record))
}

/** With `onlyDevices` these are taken from it, and it stays. A flowtable as it was read names the whole of it: it has other devices. */
export function writeFlowtableKey(
  writer: MessageWriter,
  {
    table,
    name,
    handle,
    onlyDevices,
  }: {
    readonly table: string
    readonly name?: string | undefined
    readonly handle?: number | undefined
    readonly onlyDevices?: readonly string[] | undefined
  },
): void {
  needed(handle === undefined ? { table, name } : { table })
  // An empty list would be taken for the whole flowtable.
  if (onlyDevices?.length === 0)
    throw new BadValue('type', 'is empty: leave it out to remove the flowtable').within('onlyDevices')
  const record = { table, ...(name === undefined ? { handle } : { name }), hook: onlyDevices && { devices: onlyDevices } }
  hookFields(() => flowtableAttributes.encode(writer, record), 'onlyDevices')
}

export function readFlowtable(family: Family, reader: MessageReader, start: number, end: number): Flowtable | undefined {
  const record = flowtableAttributes.decode(reader, start, end)
  if (!record) return undefined
  const { table = '', name = '', hook, flags = 0, unknown, ...others } = record
  return {
    family,
    table,
    name,
    ...others,
    ...(hook?.number !== undefined && { hook: hook.number === INGRESS ? 'ingress' : hook.number }),
    ...(hook?.priority !== undefined && { priority: hook.priority }),
    ...(hook?.devices && { devices: hook.devices }),
    ...(flags !== 0 && { flags: wordsOf(flags, FLAGS) }),
    ...joinUnknown(unknown, 'hook', hook?.unknown),
  }
}
