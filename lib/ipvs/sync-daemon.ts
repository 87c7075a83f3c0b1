/** A synchronisation daemon: plain object to wire record and back (net/netfilter/ipvs/ip_vs_sync.c). */
import { familyOf, formatAddress } from '../netlink/address.js'
import { type Limit, lostReply, readerOf } from '../netlink/channel.js'
import { errnoName } from '../netlink/error.js'
import { Refusal } from '../netlink/generic.js'
import { type Acknowledgement, messagesOf, NLMSG_ERROR, readAcknowledgement } from '../netlink/message.js'
import type { Kernel } from './kernel.js'
import type { SyncDaemon, SyncDaemonConfig } from './types.js'
import { integer, knownKeys, name, object, oneOf } from './validate.js'
import { addressToWire } from './virtual-server.js'
import { command, type DaemonRecord, request } from './wire.js'

export const ROLES = ['master', 'backup'] as const
const KNOWN = { role: 0, interface: 0, syncId: 0, maximumLength: 0, group: 0, port: 0, ttl: 0 }

export function roleToWire(role: unknown, field = 'role'): number {
  return ROLES.indexOf(oneOf(role, field, ROLES)) + 1
}

export function syncDaemonToWire(config: SyncDaemonConfig): DaemonRecord {
  object(config, 'daemon')
  knownKeys(config, 'daemon', KNOWN)
  const { syncId = 0, maximumLength, group, port, ttl } = config
  return {
    state: roleToWire(config.role, 'daemon.role'),
    interface: name(config.interface, 'daemon.interface', 15),
    // The kernel takes 32 bits, sends 8, and compares what comes with all 32: a larger number would never match.
    syncId: integer(syncId, 'daemon.syncId', 0, 255),
    maximumLength: maximumLength === undefined ? undefined : integer(maximumLength, 'daemon.maximumLength', 1, 65507),
    ...(group !== undefined && groupToWire(group)),
    port: port === undefined ? undefined : integer(port, 'daemon.port', 1, 65535),
    ttl: ttl === undefined ? undefined : integer(ttl, 'daemon.ttl', 1, 255),
  }
}

function groupToWire(group: string): Pick<DaemonRecord, 'group' | 'group6'> {
  const bytes = addressToWire(group, 'daemon.group')
  const [first = 0] = bytes
  const multicast = familyOf(group) === 'ipv6' ? first === 0xff : first >= 224 && first < 240
  if (!multicast) throw new RangeError(`daemon.group: ${group} is no multicast address: give one of 224.0.0.0/4 or ff00::/8`)
  return familyOf(group) === 'ipv6' ? { group6: bytes } : { group: bytes.slice(0, 4) }
}

export function syncDaemonFromWire(record: DaemonRecord): SyncDaemon {
  return {
    role: record.state === 2 ? 'backup' : 'master',
    interface: record.interface ?? '',
    syncId: record.syncId ?? 0,
    maximumLength: record.maximumLength ?? 0,
    group: record.group6 ? formatAddress(record.group6, 0, 'ipv6') : record.group ? formatAddress(record.group, 0, 'ipv4') : '',
    port: record.port ?? 0,
    ttl: record.ttl ?? 0,
  }
}

/**
 * Stops the daemon of a role. One whose thread had no time to begin is stopped with EINTR (kthread_stop), and a request that ends with
 * EINTR is not answered at all (af_netlink.c, netlink_rcv_skb). So another question is asked behind it: when that is answered without a
 * refusal before it, the daemon has stopped.
 */
export async function stopSyncDaemon(kernel: Kernel, state: number, limit: Limit): Promise<void> {
  const refusal = await tryStopping(kernel, state, limit)
  if (!refusal) return
  if (errnoName(refusal.errno) !== 'ENOENT' || !(await kernel.writes.changed(limit))) throw new Refusal(refusal, undefined)
  await stopSyncDaemon(kernel, state, limit)
}

async function tryStopping({ writes }: Kernel, state: number, limit: Limit): Promise<Acknowledgement | undefined> {
  await writes.resolve(limit)
  const writer = writes.channel.writer()
  const first = writes.channel.sequence(2)
  writes.write(writer, command.delDaemon, 0, first, to => request.encode(to, { daemon: { state } }))
  writes.write(writer, command.getInfo, 0, first + 1, undefined)
  const { data, lost } = await writes.channel.exchange(writer.written(), first + 1, limit)
  writes.channel.recycle(writer)
  const reader = readerOf(data)
  for (const message of messagesOf(reader))
    if (message.sequence === first && message.type === NLMSG_ERROR) return readAcknowledgement(reader, message)
  if (lost) throw lostReply()
  return undefined
}
