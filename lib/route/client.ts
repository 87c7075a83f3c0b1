import type { CallOptions, Limit } from '../netlink/channel.js'
import { Fields, within } from '../netlink/fields.js'
import type { Kernel } from '../netlink/kernel.js'
import type { Netns } from '../netlink/netns.js'
import { Watches } from '../netlink/watching.js'
import * as change from './change-link.js'
import { findLink, readLinks } from './devices.js'
import type { WatchEvent } from './follower.js'
import { deviceCheck } from './links.js'
import { askedOf, type Given, prepare, type Word } from './operations.js'
import type { LookupOptions } from './read.js'
import * as read from './read.js'
import { type Asked, asking } from './reasons.js'
import { carryOut, listOf, type Operation, prepareAll, type Result, run } from './run.js'
import type {
  Address,
  AddressConfig,
  AddressFilter,
  AddressKey,
  Device,
  Link,
  LinkChange,
  LinkConfig,
  Route,
  RouteConfig,
  RouteFilter,
  RouteKey,
  Rule,
  RuleConfig,
  RuleFilter,
  RuleKey,
} from './types.js'
import { type WatchOptions, watch } from './watch.js'

const CALL = ['signal', 'deadline']

/**
 * A client. Calls run in the order in which they were made. Every call takes `signal` and `deadline`: before the request was sent they end
 * it with `applied: 'no'`, after that at once with `applied: 'unknown'`.
 */
export class RouteClient {
  readonly #kernel: Kernel
  readonly #watches = new Watches()

  /** @internal */
  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** The devices of the namespace, by their indices. */
  links(options: CallOptions = {}): Promise<Link[]> {
    return this.#ask({ operation: 'links', object: 'link' }, options, limit => readLinks(this.#kernel, limit))
  }

  /** One device, by its name or its index; undefined when it is not there. */
  getLink(device: Device, options: CallOptions = {}): Promise<Link | undefined> {
    return this.#ask({ operation: 'getLink', object: 'link', target: String(device) }, options, async limit => {
      const wanted = within('device', () => deviceCheck(device))
      return findLink(this.#kernel, wanted, limit)
    })
  }

  /**
   * Makes a device, or a pair of them.
   *
   * @throws {NetlinkError} `exists`, `not-supported`: the kernel has no such kind, `no-such-interface`: there is no such master
   * @example
   * await routes.addLink({ name: 'pod0', kind: 'veth', peer: { name: 'eth0' }, up: true })
   */
  addLink(link: LinkConfig, options: CallOptions = {}): Promise<void> {
    const target = `${link?.kind} ${link?.name}`
    return this.#ask({ operation: 'addLink', object: 'link', target }, options, limit =>
      change.addLink(this.#kernel, link, limit),
    )
  }

  /** Changes what is given of a device. @throws {NetlinkError} `no-such-interface`, `in-use`, `invalid` */
  changeLink(device: Device, changes: LinkChange, options: CallOptions = {}): Promise<void> {
    return this.#ask({ operation: 'changeLink', object: 'link', target: String(device) }, options, limit => {
      within('device', () => deviceCheck(device))
      return change.changeLink(this.#kernel, device, changes, limit)
    })
  }

  /** Moves a device to another namespace, where it is down and without addresses. @throws {NetlinkError} `no-such-namespace`, `exists` */
  moveLink(device: Device, netns: Netns, options: CallOptions = {}): Promise<void> {
    return this.#ask({ operation: 'moveLink', object: 'link', target: String(device) }, options, limit => {
      within('device', () => deviceCheck(device))
      return change.moveLink(this.#kernel, device, netns, limit)
    })
  }

  /** Removes a device, a veth with its other end. False when there was none. */
  removeLink(device: Device, options: CallOptions = {}): Promise<boolean> {
    return this.#ask({ operation: 'removeLink', object: 'link', target: String(device) }, options, limit => {
      within('device', () => deviceCheck(device))
      return change.removeLink(this.#kernel, device, limit)
    })
  }

  /**
   * Addresses of devices.
   *
   * @throws {NetlinkError} `no-such-interface`
   * @example
   * await routes.addresses({ device: 'eth0', family: 'ipv4' })
   */
  addresses({ family, device, ...options }: AddressFilter & CallOptions = {}): Promise<Address[]> {
    const filter = { family, device }
    const asked: Asked = { operation: 'addresses', object: 'address' }
    return this.#ask(asked, options, limit => read.readAddresses(this.#kernel, filter, limit), filter)
  }

  /**
   * Adds an address to a device. The kernel adds a local route for it as well, and one for its network unless a flag says `no-prefix-route`.
   *
   * @throws {NetlinkError} `exists`, `no-such-interface`, `family-disabled`, `invalid`
   */
  addAddress(address: AddressConfig, options: CallOptions = {}): Promise<void> {
    return this.#one('addAddress', address, options).then(() => {})
  }

  /** Adds it, or sets its lifetimes, flags and metric when it is there. */
  ensureAddress(address: AddressConfig, options: CallOptions = {}): Promise<void> {
    return this.#one('ensureAddress', address, options).then(() => {})
  }

  /**
   * Removes an address. False when there was none, or no such device. With the first IPv4 address of a network the others of that network go
   * as well, unless net.ipv4.conf.DEVICE.promote_secondaries says otherwise.
   */
  removeAddress(address: AddressKey, options: CallOptions = {}): Promise<boolean> {
    return this.#one('removeAddress', address, options)
  }

  /**
   * Routes, by default those of the table main.
   *
   * @throws {NetlinkError} `no-such-interface`
   * @example
   * await routes.routes({ table: 'local', type: 'local', protocol: 77 })
   */
  routes({ family, table, type, protocol, device, destination, ...options }: RouteFilter & CallOptions = {}): Promise<Route[]> {
    const filter = { family, table, type, protocol, device, destination }
    const asked: Asked = { operation: 'routes', object: 'route' }
    return this.#ask(asked, options, limit => read.readRoutes(this.#kernel, filter, limit), filter)
  }

  /**
   * The route that the kernel would take for a packet, as rules and tables are now.
   *
   * @throws {NetlinkError} `unreachable` where there is none, or one that refuses
   * @example
   * const { source } = await routes.lookup('192.0.2.1') ?? {}
   */
  lookup(destination: string, given: LookupOptions & CallOptions = {}): Promise<Route | undefined> {
    const { from, inputDevice, device, mark, ...options } = given ?? {}
    const how = { from, inputDevice, device, mark }
    const asked: Asked = { operation: 'lookup', object: 'route', target: String(destination) }
    return this.#ask(asked, options, limit => read.lookup(this.#kernel, destination, how, limit), how)
  }

  /**
   * Adds a route.
   *
   * @throws {NetlinkError} `exists`, `no-such-interface`, `unreachable`, `interface-down`, `invalid`
   * @example
   * await routes.addRoute({ destination: '10.96.0.0/12', type: 'local', device: 'lo', protocol: 77 })
   */
  addRoute(route: RouteConfig, options: CallOptions = {}): Promise<void> {
    return this.#one('addRoute', route, options).then(() => {})
  }

  /** Adds it, or puts it in the place of the one with the same destination, table, metric and type of service. */
  replaceRoute(route: RouteConfig, options: CallOptions = {}): Promise<void> {
    return this.#one('replaceRoute', route, options).then(() => {})
  }

  /** Removes the first route that has all that is given. False when there was none. */
  removeRoute(route: RouteKey, options: CallOptions = {}): Promise<boolean> {
    return this.#one('removeRoute', route, options)
  }

  /** Rules, IPv4 first, in the order in which the kernel asks them. */
  rules({ family, priority, table, ...options }: RuleFilter & CallOptions = {}): Promise<Rule[]> {
    const filter = { family, priority, table }
    const asked: Asked = { operation: 'rules', object: 'rule' }
    return this.#ask(asked, options, limit => read.readRules(this.#kernel, filter, limit), filter)
  }

  /**
   * Adds a rule.
   *
   * @throws {NetlinkError} `exists`, `invalid`, `not-supported`
   * @example
   * await routes.addRule({ family: 'ipv4', priority: 100, mark: 0x4000, mask: 0x4000, table: 100 })
   */
  addRule(rule: RuleConfig, options: CallOptions = {}): Promise<void> {
    return this.#one('addRule', rule, options).then(() => {})
  }

  /** Removes the first rule of that priority that has all that is given. False when there was none. */
  removeRule(rule: RuleKey, options: CallOptions = {}): Promise<boolean> {
    return this.#one('removeRule', rule, options)
  }

  /**
   * Carries out many changes in few crossings, in their order. It does not stop at an error: each has its result.
   *
   * @throws {NetlinkError} what came between; then it is not known what was carried out
   * @throws {TypeError | RangeError} for a wrong one, with its place, before anything is sent: `operations[2].addRoute.gateway`
   * @example
   * const results = await routes.run(addresses.map(destination => ({ addRoute: { destination, type: 'local', device: 'lo' } })))
   */
  run(operations: readonly Operation[], options: CallOptions = {}): Promise<Result[]> {
    return asking({ operation: 'run', object: 'route' }, async () => {
      new Fields(options, CALL, 'options')
      const list = listOf(operations)
      return this.#kernel.call(options, async limit => run(this.#kernel, await prepareAll(list), limit))
    })
  }

  /** Carries out one. */
  #one<W extends Word>(word: W, given: Given[W], options: CallOptions): Promise<boolean> {
    const asked = askedOf(word, given)
    return this.#ask(asked, options, limit => {
      const prepared = within(asked.object, () => prepare(word, given))
      return carryOut(this.#kernel, prepared, limit)
    })
  }

  /**
   * What changes of devices, addresses, routes and rules from now on, whoever changes it. Nothing is left out: where the kernel dropped
   * events because they were not read in time, and where it tells nobody (IPv4 routes that go with a device or an address), what there is is
   * read again, and the difference is told. It ends when the loop is left, with `signal`, and with the client, and throws what ends it
   * otherwise; until then it holds a socket, and keeps the process running.
   *
   * @throws {TypeError | RangeError} for a wrong option
   * @example
   * for await (const { changes } of routes.watch({ objects: ['route'] }))
   *   for (const { type, object, value } of changes) console.log(type, object, value)
   */
  watch(options: WatchOptions = {}): AsyncIterableIterator<WatchEvent, void, void> & AsyncDisposable {
    this.#kernel.throwIfClosed()
    return this.#watches.keep(() => watch(this.#kernel, options))
  }

  /** @param filter what else is given among the options */
  #ask<T>(asked: Asked, options: CallOptions, task: (limit: Limit) => Promise<T>, filter: object = {}): Promise<T> {
    return asking(asked, async () => {
      new Fields(options, [...Object.keys(filter), ...CALL], 'options')
      return this.#kernel.call(options, task)
    })
  }

  /** Closes it when the calls that were made have ended. */
  async close(): Promise<void> {
    await this.#watches.close()
    await this.#kernel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
