/** Synchronisation daemons, which here only are there or not (net/netfilter/ipvs/ip_vs_sync.c, start_sync_thread, stop_sync_thread). */
import type { DaemonRecord } from '../ipvs/wire.js'
import { EEXIST, EINTR, EINVAL, ENETUNREACH, ENODEV, Errno, ESRCH } from './errno.js'

const MASTER = 1
const BACKUP = 2
const DEFAULT_GROUP = Uint8Array.of(224, 0, 0, 81)
const DEFAULT_PORT = 8848
/** Of IP and UDP. */
const HEADERS = 28
const HEADERS6 = 48

const clamp = (value: number, minimum: number, maximum: number): number => Math.min(Math.max(value, minimum), maximum)

export class SyncDaemons {
  /** Names of interfaces and their MTU. */
  readonly #interfaces: Readonly<Record<string, number>>
  readonly #daemons = new Map<number, DaemonRecord>()
  /** Daemons whose thread has begun. */
  readonly #begun = new Set<DaemonRecord>()

  constructor(interfaces: Readonly<Record<string, number>>) {
    this.#interfaces = interfaces
  }

  get running(): boolean {
    return this.#daemons.size > 0
  }

  /** The daemon of a state, with everything that the kernel reports. */
  get(state: number): DaemonRecord | undefined {
    return this.#daemons.get(state)
  }

  /** The record has state, interface and syncId. */
  start(record: DaemonRecord): void {
    const { state = 0, interface: name = '', syncId, maximumLength = 0, port, ttl } = record
    const mtu = this.#interfaces[name]
    if (mtu === undefined) throw new Errno(ENODEV)
    if (this.#daemons.has(state)) throw new Errno(EEXIST)
    if (state !== MASTER && state !== BACKUP) throw new Errno(EINVAL)
    const group6 = record.group ? undefined : record.group6?.slice(0, 16)
    // Nothing routes IPv6 multicast through the loopback interface (make_send_sock).
    if (group6 && state === MASTER && name === 'lo') throw new Errno(ENETUNREACH)
    const headers = group6 ? HEADERS6 : HEADERS
    const usual = state === BACKUP ? clamp(mtu, 1500, 65535) : 1500
    const minimum = state === BACKUP ? 1024 : 1
    const daemon: DaemonRecord = {
      state,
      interface: name,
      syncId,
      maximumLength: maximumLength ? clamp(maximumLength, minimum, 65535 - headers) : usual - headers,
      group: group6 ? undefined : (record.group ?? DEFAULT_GROUP).slice(0, 4),
      group6,
      port: port || DEFAULT_PORT,
      ttl: ttl || 1,
    }
    this.#daemons.set(state, daemon)
    setImmediate(() => this.#begun.add(daemon)).unref()
  }

  /** A thread that had no time to begin ends with EINTR (kthread_stop), and that means to netlink that there is nothing to acknowledge. */
  stop(state: number): void {
    if (state !== MASTER && state !== BACKUP) throw new Errno(EINVAL)
    const daemon = this.#daemons.get(state)
    if (!daemon) throw new Errno(ESRCH)
    this.#daemons.delete(state)
    if (!this.#begun.delete(daemon)) throw new Errno(EINTR)
  }
}
