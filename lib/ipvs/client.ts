import type { CallOptions } from '../netlink/channel.js'
import type { NetlinkError } from '../netlink/error.js'
import { type Body, type FamilyMessage, Refusal } from '../netlink/generic.js'
import { NLM_F_ACK } from '../netlink/message.js'
import { type Operation, type Result, run } from './batch.js'
import { type Capabilities, capabilities, workingSchedulers } from './capabilities.js'
import type { DesiredVirtualServer } from './desired.js'
import { type DrainOptions, type DrainResult, drain } from './drain.js'
import { type Asked, askedOf, attribute, needsSurroundings } from './explain.js'
import type { Kernel } from './kernel.js'
import { Listing } from './listing.js'
import { namespaceId } from './namespace.js'
import { type ApplyResult, apply, type Plan, type PlanOptions, plan } from './plan.js'
import { type Connection, type ConnectionOptions, connections, cpuStatistics, globalStatistics } from './proc.js'
import { realServerFromWire, realServerKeyToWire } from './real-server.js'
import { decodeDestinations, decodeServices, destinationKey, readDestinations, walk } from './snapshot.js'
import { roleToWire, stopSyncDaemon, syncDaemonFromWire, syncDaemonToWire } from './sync-daemon.js'
import { readSysctl, readSysctls, readText, type SysctlName, type Sysctls, writeSysctl } from './sysctl.js'
import { type ListOptions, type Snapshot, type Visited, type VisitOptions, type Visitor, withRealServers } from './tables.js'
import { timeoutsFromWire, timeoutsToWire } from './timeouts.js'
import type {
  Info,
  RealServer,
  RealServerConfig,
  RealServerKey,
  Scheduler,
  Statistics,
  SyncDaemon,
  SyncDaemonConfig,
  Timeouts,
  VirtualServer,
  VirtualServerConfig,
  VirtualServerKey,
  VirtualServerWithRealServers,
} from './types.js'
import { oneOf } from './validate.js'
import { describeVirtualServer, familyNumber, virtualServerFromWire, virtualServerKeyToWire } from './virtual-server.js'
import { type Change, type WatchOptions, watch } from './watch.js'
import { command, info, request } from './wire.js'

/**
 * A client. Calls run in the order in which they were made. Every call takes `signal` and `deadline`: before the request was sent they end
 * it with `applied: 'no'`, after that at once with `applied: 'unknown'`.
 */
export class IpvsClient {
  readonly #kernel: Kernel

  /** @internal */
  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Adds a virtual server. @throws {NetlinkError} `exists`, `no-such-scheduler`, `no-such-persistence-engine` */
  async addVirtualServer(virtualServer: VirtualServerConfig, options?: CallOptions): Promise<void> {
    await this.#one({ operation: 'addVirtualServer', virtualServer }, options)
  }

  /** Replaces the configuration of a virtual server: what is left out becomes the default. Its real servers stay. */
  async updateVirtualServer(virtualServer: VirtualServerConfig, options?: CallOptions): Promise<void> {
    await this.#one({ operation: 'updateVirtualServer', virtualServer }, options)
  }

  /** Adds it, or replaces its configuration when it is there. */
  async ensureVirtualServer(virtualServer: VirtualServerConfig, options?: CallOptions): Promise<void> {
    await this.#one({ operation: 'ensureVirtualServer', virtualServer }, options)
  }

  /** Removes a virtual server and its real servers. False when there was none. */
  async removeVirtualServer(virtualServer: VirtualServerKey, options?: CallOptions): Promise<boolean> {
    return (await this.#one({ operation: 'removeVirtualServer', virtualServer }, options)).found !== false
  }

  /** One virtual server, with its counters; undefined when there is none. */
  async getVirtualServer(key: VirtualServerKey, options?: CallOptions): Promise<VirtualServer | undefined> {
    const service = virtualServerKeyToWire(key)
    const asked: Asked = { operation: 'getVirtualServer', target: describeVirtualServer(key) }
    try {
      const messages = await this.#request(asked, command.getService, 0, writer => request.encode(writer, { service }), options)
      const [record] = decodeServices(messages, { statistics: true })
      return record && virtualServerFromWire(record)
    } catch (error) {
      if ((error as NetlinkError).problem === 'no-such-virtual-server') return undefined
      throw error
    }
  }

  /**
   * The virtual servers, as the kernel delivers them: a reader that stops, stops the kernel. A change through this client in between is
   * safe; one by others may make the kernel leave something out: `snapshot` notices that.
   */
  listVirtualServers(options: ListOptions = {}): Listing<VirtualServer> {
    const { statistics = false } = options
    const asked: Asked = { operation: 'listVirtualServers' }
    return new Listing(async () => {
      const stream = await this.#asking(asked, () => this.#kernel.stream(command.getService, undefined, options))
      return { stream, decode: page => decodeServices(page, { statistics }).map(virtualServerFromWire), asked }
    })
  }

  /** Adds a real server to a virtual server. @throws {NetlinkError} `exists`, `no-such-virtual-server`, `invalid` */
  async addRealServer(virtualServer: VirtualServerKey, realServer: RealServerConfig, options?: CallOptions): Promise<void> {
    await this.#one({ operation: 'addRealServer', virtualServer, realServer }, options)
  }

  /** Replaces the configuration of a real server: what is left out becomes the default. Its connections stay. */
  async updateRealServer(virtualServer: VirtualServerKey, realServer: RealServerConfig, options?: CallOptions): Promise<void> {
    await this.#one({ operation: 'updateRealServer', virtualServer, realServer }, options)
  }

  /** Adds it, or replaces its configuration when it is there. */
  async ensureRealServer(virtualServer: VirtualServerKey, realServer: RealServerConfig, options?: CallOptions): Promise<void> {
    await this.#one({ operation: 'ensureRealServer', virtualServer, realServer }, options)
  }

  /** Removes a real server at once; packets of its connections are dropped from then on (`drain` waits for them). False when there was none. */
  async removeRealServer(virtualServer: VirtualServerKey, realServer: RealServerKey, options?: CallOptions): Promise<boolean> {
    return (await this.#one({ operation: 'removeRealServer', virtualServer, realServer }, options)).found !== false
  }

  /** One real server, with its counters; undefined when there is none. */
  async getRealServer(
    virtualServer: VirtualServerKey,
    key: RealServerKey,
    options?: CallOptions,
  ): Promise<RealServer | undefined> {
    const service = virtualServerKeyToWire(virtualServer)
    const wanted = destinationKey(realServerKeyToWire(key))
    const asked = askedOf({ operation: 'removeRealServer', virtualServer, realServer: key })
    const { records } = await this.#asking({ ...asked, operation: 'getRealServer' }, () =>
      this.#kernel.call(options, limit => readDestinations(this.#kernel, limit, service, { statistics: true })),
    )
    const record = records.find(candidate => destinationKey(candidate) === wanted)
    return record && realServerFromWire(record, service.addressFamily ?? 0)
  }

  /** The real servers of a virtual server, newest first. @throws {NetlinkError} `no-such-virtual-server`, which the kernel would not say */
  listRealServers(virtualServer: VirtualServerKey, options: ListOptions = {}): Listing<RealServer> {
    const { statistics = false } = options
    const service = virtualServerKeyToWire(virtualServer)
    const asked: Asked = { operation: 'listRealServers', target: describeVirtualServer(virtualServer) }
    return new Listing(async () => {
      const body: Body = writer => request.encode(writer, { service })
      const stream = await this.#asking(asked, () => this.#kernel.stream(command.getDest, body, options))
      // The kernel's answer for a missing virtual server is an empty list.
      const whenEmpty = async (): Promise<void> => {
        await this.#request(asked, command.getService, 0, body, options)
      }
      const decode = (page: readonly FamilyMessage[]): RealServer[] =>
        decodeDestinations(page, service, { statistics }).map(record => realServerFromWire(record, service.addressFamily ?? 0))
      return { stream, decode, whenEmpty, asked }
    })
  }

  /** Version of IPVS and size of its connection table. */
  async info(options?: CallOptions): Promise<Info> {
    const [message] = await this.#request({ operation: 'info' }, command.getInfo, 0, undefined, options)
    const { version = 0, connectionTableSize = 0 } = message ? info.decode(message.reader, message.start, message.end) : {}
    return { version: `${(version >> 16) & 255}.${(version >> 8) & 255}.${version & 255}`, connectionTableSize }
  }

  /** Removes every virtual server of the namespace, whoever made it. */
  async flush(options?: CallOptions): Promise<void> {
    await this.#one({ operation: 'flush' }, options)
  }

  /** Sets the counters of a virtual server and its real servers to zero, or all counters of the namespace. */
  async zero(virtualServer?: VirtualServerKey, options?: CallOptions): Promise<void> {
    await this.#one({ operation: 'zero', virtualServer }, options)
  }

  /** Idle time-outs of connections. */
  async timeouts(options?: CallOptions): Promise<Timeouts> {
    const [message] = await this.#request({ operation: 'timeouts' }, command.getConfig, 0, undefined, options)
    return timeoutsFromWire(message ? request.decode(message.reader, message.start, message.end) : {})
  }

  /**
   * Sets time-outs, each 1 to 2,147,483 seconds, or up to 21,474,836 where the kernel counts fewer than 1000 jiffies a second; what is left
   * out stays. (The kernel would take 0 and ignore it.)
   * @throws {NetlinkError} `invalid` for what is too much for this kernel
   */
  async setTimeouts(timeouts: Partial<Timeouts>, options?: CallOptions): Promise<void> {
    const record = timeoutsToWire(timeouts)
    await this.#request(
      { operation: 'setTimeouts' },
      command.setConfig,
      NLM_F_ACK,
      writer => request.encode(writer, record),
      options,
    )
  }

  /** The synchronisation daemons that run: none, one, or one of each role. */
  async syncDaemons(options?: CallOptions): Promise<SyncDaemon[]> {
    const pages = await this.#asking({ operation: 'syncDaemons' }, () =>
      this.#kernel.call(options, limit => this.#kernel.reads.dumpMany(command.getDaemon, [() => {}], limit)),
    )
    return pages.dumps.flat().flatMap(({ reader, start, end }) => {
      const { daemon } = request.decode(reader, start, end)
      return daemon ? [syncDaemonFromWire(daemon)] : []
    })
  }

  /** Starts a synchronisation daemon. @throws {NetlinkError} `exists`, `no-such-interface`, `invalid` */
  async startSyncDaemon(config: SyncDaemonConfig, options?: CallOptions): Promise<void> {
    const daemon = syncDaemonToWire(config)
    const asked: Asked = { operation: 'startSyncDaemon', target: config.role, interface: config.interface }
    await this.#request(asked, command.newDaemon, NLM_F_ACK, writer => request.encode(writer, { daemon }), options)
  }

  /** Stops the daemon of a role. False when none ran. */
  async stopSyncDaemon(role: SyncDaemonConfig['role'], options?: CallOptions): Promise<boolean> {
    const state = roleToWire(role)
    try {
      await this.#asking({ operation: 'stopSyncDaemon', target: role }, () =>
        this.#kernel.call(options, limit => stopSyncDaemon(this.#kernel, state, limit)),
      )
      return true
    } catch (error) {
      if ((error as NetlinkError).problem === 'no-such-daemon') return false
      throw error
    }
  }

  /** The connection table, read from /proc as a stream. */
  connections(options?: ConnectionOptions): AsyncGenerator<Connection> {
    return connections(this.#kernel.files, options)
  }

  /** Counters of the whole namespace. */
  globalStatistics(): Promise<Statistics> {
    return globalStatistics(this.#kernel.files)
  }

  /** Counters of the whole namespace by CPU, without rates. `zero` does not reset them. */
  cpuStatistics(): ReturnType<typeof cpuStatistics> {
    return cpuStatistics(this.#kernel.files)
  }

  /** The sysctls of /proc/sys/net/ipv4/vs/ that this kernel has. */
  sysctls(): Promise<Partial<Sysctls>> {
    return readSysctls(this.#kernel.files)
  }

  /** One sysctl; undefined when this kernel has not got it. */
  sysctl<K extends SysctlName>(name: K): Promise<Sysctls[K] | undefined> {
    return readSysctl(this.#kernel.files, name)
  }

  /** Sets a sysctl. @throws {NetlinkError} `not-supported`, `not-permitted`, `invalid`; {RangeError} for a value out of its range */
  setSysctl<K extends SysctlName>(name: K, value: Sysctls[K]): Promise<void> {
    return writeSysctl(this.#kernel.files, name, value)
  }

  /**
   * The text of another file below /proc/net or /proc/sys/net as the client's namespace shows it; undefined where there is none. Rejects as
   * node:fs does when it may not be read.
   */
  readFile(path: string): Promise<string | undefined> {
    return readText(this.#kernel.files, path)
  }

  /**
   * Carries out operations in order, and goes on after an error: one result each. It never rejects once the first was sent: interrupted,
   * the results say what was applied, what was not, and what is unknown.
   * @throws {NetlinkError} `family-unavailable` and what else can happen before the first is sent
   */
  run(operations: readonly Operation[], options?: CallOptions): Promise<Result[]> {
    return this.#asking({ operation: 'run' }, async () => {
      if (!Array.isArray(operations)) throw new TypeError('operations: give a list of operations')
      const list = operations.slice() // the caller may change it before its turn comes
      return this.#kernel.call(options, limit => run(this.#kernel, list, limit))
    })
  }

  /** All virtual servers with their real servers, time-outs and daemons, each once; read again where others changed it meanwhile. */
  async snapshot(options: ListOptions = {}): Promise<Snapshot> {
    const timeouts = this.timeouts(options)
    const virtualServers: VirtualServerWithRealServers[] = []
    const tables = this.#visit('snapshot', group => virtualServers.push(...group), options)
    const [times, daemons, { consistent }] = await Promise.all([timeouts, this.syncDaemons(options), tables])
    return { virtualServers, timeouts: times, syncDaemons: daemons, consistent }
  }

  /**
   * Hands over all virtual servers with their real servers, each once, in groups as they are read: for large tables that need not be in
   * memory as a whole. Other calls of this client wait meanwhile.
   */
  visit(visitor: Visitor, options: VisitOptions = {}): Promise<Visited> {
    return this.#visit('visit', visitor, options)
  }

  #visit(operation: string, visitor: Visitor, options: VisitOptions): Promise<Visited> {
    const { statistics = false, sorted, family } = options
    return this.#asking({ operation }, () => {
      const addressFamily = family === undefined ? undefined : familyNumber(oneOf(family, 'family', ['ipv4', 'ipv6']))
      return this.#kernel.call(options, async limit => {
        let consistent = true
        for await (const group of walk(this.#kernel, limit, { statistics, sorted, addressFamily })) {
          visitor(group.map(withRealServers))
          consistent &&= group.every(entry => entry.consistent)
        }
        return { consistent }
      })
    })
  }

  /**
   * What has to be done so that the kernel is as desired. Nothing is changed. It removes virtual servers that `owns` accepts and nobody
   * desires (by default none), and of the desired ones the real servers that are not desired.
   */
  plan(desired: readonly DesiredVirtualServer[], options: PlanOptions = {}): Promise<Plan> {
    return this.#asking({ operation: 'plan' }, () =>
      this.#kernel.call(options, limit => plan(this.#kernel, limit, desired, options)),
    )
  }

  /** Carries out a plan. @throws {ApplyError} with every result, when something failed */
  async apply(plan: Plan, options?: CallOptions): Promise<ApplyResult> {
    return apply(plan, await this.run(plan.operations, options))
  }

  /**
   * Takes a real server out of service without breaking its connections: weight 0, waiting, removal. Called again after an interruption
   * it goes on. See `DrainOptions`.
   */
  drain(virtualServer: VirtualServerKey, realServer: RealServerKey, options?: DrainOptions): Promise<DrainResult> {
    return drain(this, virtualServer, realServer, options)
  }

  /**
   * Changes of the tables, found by reading them again and again: the kernel has no events for IPVS. A look that fails in passing
   * (`isTransient`) is made again; after three in a row the failure is thrown. Anything else is thrown at once.
   */
  watch(options?: WatchOptions): AsyncGenerator<Change> {
    return watch(this, options)
  }

  /**
   * Identifies the network namespace that this client works in, among all that ever are on this machine: the kernel's boot id, and the
   * cookie of the namespace (Linux 5.14; before it device and inode, which another namespace may get when this one is gone). For programs
   * that remember what they made there: after a restart of the machine, or elsewhere, it is another.
   * @throws {NetlinkError} `not-supported` where neither can be had
   * @example `e2a7a3c8-3f5b-4c1e-9d55-0a1b2c3d4e5f/cookie-4097`
   */
  namespaceId(): Promise<string> {
    return namespaceId(this.#kernel)
  }

  /** Which of these schedulers (by default all of Linux) the kernel has, found out by using them: it may load modules. */
  schedulers(names?: readonly Scheduler[], options?: CallOptions): Promise<Scheduler[]> {
    return workingSchedulers(this, names, options)
  }

  /** What this kernel can do, found out by doing it with a firewall mark that nothing carries. */
  capabilities(options?: CallOptions): Promise<Capabilities> {
    return capabilities(this, this.#kernel, options)
  }

  /** Waits for the calls in flight, and closes the sockets. Later calls reject. */
  close(): Promise<void> {
    return this.#kernel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #one(operation: Operation, options: CallOptions | undefined): Promise<Extract<Result, { ok: true }>> {
    const [result] = await this.#asking(askedOf(operation), () =>
      this.#kernel.call(options, limit => run(this.#kernel, [operation], limit)),
    )
    if (!result?.ok) throw result?.error
    return result
  }

  #request(
    asked: Asked,
    id: number,
    flags: number,
    body: Body | undefined,
    options: CallOptions | undefined,
  ): Promise<FamilyMessage[]> {
    return this.#asking(asked, () => this.#kernel.call(options, limit => this.#kernel.writes.request(id, flags, body, limit)))
  }

  /** Runs a call, and adds to its error what was asked. */
  async #asking<T>(asked: Asked, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      const around =
        error instanceof Refusal && needsSurroundings(error.acknowledgement.errno) ? await this.#kernel.surroundings() : undefined
      throw attribute(error, asked, around)
    }
  }
}
