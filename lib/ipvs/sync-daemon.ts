/** A synchronisation daemon: plain object to wire record and back (net/netfilter/ipvs/ip_vs_sync.c). */
import { canonicalAddress, familyOf, formatAddress } from '../netlink/address.js'
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
/** Bytes: of a datagram, without the headers of UDP and IPv4. */
const MAXIMUM_LENGTH = 65507
const KNOWN = { role: 0, interface: 0, syncId: 0, maximumLength: 0, group: 0, port: 0, ttl: 0 }

export function roleToWire(role: unknown, field = 'role'): number {
  return ROLES.indexOf(oneOf(role, field, ROLES)) + 1
}

export function syncDaemonToWire(config: SyncDaemonConfig, field = 'daemon'): DaemonRecord {
  object(config, field)
  knownKeys(config, field, KNOWN)
  const { syncId = 0, maximumLength, group, port, ttl } = config
  return {
    state: roleToWire(config.role, `${field}.role`),
    interface: name(config.interface, `${field}.interface`, 15),
    // The kernel takes 32 bits, sends 8, and compares what comes with all 32: a larger number would never match.
    syncId: integer(syncId, `${field}.syncId`, 0, 255),
    maximumLength: maximumLength === undefined ? undefined : integer(maximumLength, `${field}.maximumLength`, 1, MAXIMUM_LENGTH),
    ...(group !== undefined && groupToWire(group, `${field}.group`)),
    port: port === undefined ? undefined : integer(port, `${field}.port`, 1, 65535),
    ttl: ttl === undefined ? undefined : integer(ttl, `${field}.ttl`, 1, 255),
  }
}

function groupToWire(group: string, field: string): Pick<DaemonRecord, 'group' | 'group6'> {
  const bytes = addressToWire(group, field)
  const [first = 0] = bytes
  const multicast = familyOf(group) === 'ipv6' ? first === 0xff : first >= 224 && first < 240
  if (!multicast) throw new RangeError(`${field}: ${group} is no multicast address: give one of 224.0.0.0/4 or ff00::/8`)
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
 * Whether a daemon that runs is as wished. What the wish leaves out is the kernel's default, but for the length of a message, which depends
 * on the interface; a given length the kernel fits to what it takes (start_sync_thread).
 */
export function sameSyncDaemon(wished: SyncDaemonConfig, actual: SyncDaemon): boolean {
  const { role, syncId = 0, maximumLength, group = '224.0.0.81', port = 8848, ttl = 1 } = wished
  const least = role === 'backup' ? 1024 : 1
  const most = familyOf(group) === 'ipv6' ? MAXIMUM_LENGTH - 20 : MAXIMUM_LENGTH
  return (
    wished.interface === actual.interface &&
    syncId === actual.syncId &&
    (maximumLength === undefined || Math.min(Math.max(maximumLength, least), most) === actual.maximumLength) &&
    canonicalAddress(group) === canonicalAddress(actual.group || '224.0.0.81') &&
    port === (actual.port || 8848) &&
    ttl === (actual.ttl || 1)
  )
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
