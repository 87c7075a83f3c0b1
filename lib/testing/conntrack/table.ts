/** The flows of the memory kernel (net/netfilter/nf_conntrack_core.c): found by each of their directions, and gone when their time is over. */

import type { FlowRecord } from '../../conntrack/flow.js'
import type { Tuple } from '../../conntrack/types.js'
import { AF_INET6, familyOf } from '../../netlink/address.js'
import { EEXIST, ENOMEM, Errno } from '../errno.js'

export interface Flow {
  readonly family: number
  readonly original: Tuple
  readonly reply: Tuple
  readonly zone: number
  readonly id: number
  status: number
  mark: number
  state: FlowRecord['state']
  /** By the clock, in milliseconds. */
  ends: number
}

export class FlowTable {
  readonly maximum: number
  readonly #clock: () => number
  readonly #flows = new Set<Flow>()
  readonly #byTuple = new Map<string, Flow>()
  #lastId = 0

  constructor(clock: () => number, maximum: number) {
    this.#clock = clock
    this.maximum = maximum
  }

  /** How many there are. */
  get size(): number {
    this.#expire()
    return this.#flows.size
  }

  /** Those that there are, oldest first. */
  all(): Flow[] {
    this.#expire()
    return [...this.#flows]
  }

  find(tuple: Tuple, zone: number): Flow | undefined {
    this.#expire()
    return this.#byTuple.get(keyOf(tuple, zone))
  }

  /** nf_conntrack_hash_check_insert */
  add(flow: Omit<Flow, 'id' | 'family' | 'ends'>, timeout: number): Flow {
    this.#expire()
    if (this.#flows.size >= this.maximum) throw new Errno(ENOMEM)
    const keys = keysOf(flow)
    if (keys.some(key => this.#byTuple.has(key))) throw new Errno(EEXIST)
    const family = familyOf(flow.original.source) === 'ipv6' ? AF_INET6 : 2
    // Spread over 32 bits, as the kernel's are.
    const id = Math.imul(++this.#lastId, 0x9e37_79b1) >>> 0
    const added: Flow = { ...flow, family, id, ends: this.#clock() + timeout * 1000 }
    this.#flows.add(added)
    for (const key of keys) this.#byTuple.set(key, added)
    return added
  }

  remove(flow: Flow): void {
    this.#flows.delete(flow)
    for (const key of keysOf(flow)) this.#byTuple.delete(key)
  }

  prolong(flow: Flow, timeout: number): void {
    flow.ends = this.#clock() + timeout * 1000
  }

  /** Whole seconds. */
  left({ ends }: Flow): number {
    return Math.max(0, Math.floor((ends - this.#clock()) / 1000))
  }

  #expire(): void {
    const now = this.#clock()
    if (now < this.#next) return
    this.#next = now + 1000
    for (const flow of this.#flows) if (flow.ends <= now) this.remove(flow)
  }
  #next = 0
}

const keysOf = ({ original, reply, zone }: Pick<Flow, 'original' | 'reply' | 'zone'>): string[] => [
  keyOf(original, zone),
  keyOf(reply, zone),
]

function keyOf({ protocol, source, destination, sourcePort, destinationPort, icmp }: Tuple, zone: number): string {
  const { type, code, id } = icmp ?? {}
  return [zone, protocol, source, destination, sourcePort, destinationPort, type, code, id].join()
}
