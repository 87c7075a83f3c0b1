import type { CallOptions, Limit } from '../netlink/channel.js'
import { Fields, within } from '../netlink/fields.js'
import type { Kernel } from '../netlink/kernel.js'
import { findLink, readLinks } from './devices.js'
import { deviceCheck } from './links.js'
import { type Asked, asking } from './reasons.js'
import type { Device, Link } from './types.js'

const CALL = ['signal', 'deadline']

/**
 * A client. Calls run in the order in which they were made. Every call takes `signal` and `deadline`: before the request was sent they end
 * it with `applied: 'no'`, after that at once with `applied: 'unknown'`.
 */
export class RouteClient {
  readonly #kernel: Kernel

  /** @internal */
  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** The devices of the namespace, by their indices. */
  links(options: CallOptions = {}): Promise<Link[]> {
    return this.#ask({ operation: 'links', object: 'link' }, options, [], limit => readLinks(this.#kernel, limit))
  }

  /** One device, by its name or its index; undefined when it is not there. */
  getLink(device: Device, options: CallOptions = {}): Promise<Link | undefined> {
    return this.#ask({ operation: 'getLink', object: 'link', target: String(device) }, options, [], async limit => {
      const wanted = within('device', () => deviceCheck(device))
      return findLink(this.#kernel, wanted, limit)
    })
  }

  #ask<T>(asked: Asked, options: CallOptions, names: readonly string[], task: (limit: Limit) => Promise<T>): Promise<T> {
    return asking(asked, async () => {
      within('options', () => new Fields(options, [...names, ...CALL]))
      return this.#kernel.call(options, task)
    })
  }

  /** Closes it when the calls that were made have ended. */
  async close(): Promise<void> {
    await this.#kernel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
