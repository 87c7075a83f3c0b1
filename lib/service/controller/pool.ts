/** A range of addresses or numbers, and who has which. */
import { addressOf, type Cidr, contains } from '../address.js'

interface Range {
  readonly size: number
  /** The one at a place; undefined for those that are not given away. */
  at(place: number): string | undefined
  has(value: string): boolean
}

/** Of larger ranges only so many are used. */
const MOST = 2 ** 24

/**
 * Where one looks first is a hash of its key, so that the same keys get the same values whatever the order they come in, but for collisions;
 * those that were given before are given again.
 */
export class Pool {
  readonly #range: Range
  readonly #what: string
  /** What each key had, for the next time. */
  readonly #before = new Map<string, string>()
  readonly #holders = new Map<string, string>()
  /** By owner, the name of a Service, what its keys have. */
  readonly #given = new Map<string, Map<string, string>>()

  private constructor(range: Range, what: string, before: Readonly<Record<string, string>>) {
    this.#range = range
    this.#what = what
    for (const [key, value] of Object.entries(before))
      if (key.startsWith(`${what} `)) this.#before.set(key.slice(what.length + 1), value)
  }

  static ofNumbers(first: number, last: number, what: string, before: Readonly<Record<string, string>>): Pool {
    const range: Range = {
      size: last - first + 1,
      at: place => String(first + place),
      has: value => Number(value) >= first && Number(value) <= last,
    }
    return new Pool(range, what, before)
  }

  static ofAddresses(cidr: Cidr, what: string, before: Readonly<Record<string, string>>): Pool {
    const bits = 8 * cidr.bytes.length - cidr.length
    const size = bits >= 24 ? MOST : 2 ** bits
    const whole = bits < 24
    const range: Range = {
      size,
      // The first one is the network's, the last one of IPv4 the broadcast address.
      at: place =>
        bits > 1 && (place === 0 || (whole && cidr.family === 'ipv4' && place === size - 1)) ? undefined : addressAt(cidr, place),
      has: value => contains(cidr, value),
    }
    return new Pool(range, what, before)
  }

  /** Takes this one. Returns who has it already; undefined where it is free, or none of the pool's. `key` begins with the Service's name. */
  take(value: string, key: string): string | undefined {
    if (!this.#range.has(value)) return undefined
    const holder = this.#holders.get(value)
    if (holder !== undefined && ownerOf(holder) !== ownerOf(key)) return ownerOf(holder)
    this.#hold(value, key)
    return undefined
  }

  /** Gives one; undefined when none is left. */
  give(key: string): string | undefined {
    const before = this.#before.get(key)
    if (before !== undefined && this.#range.has(before) && !this.#holders.has(before)) return this.#hold(before, key)
    const start = hash(key) % this.#range.size
    for (let i = 0; i < this.#range.size; i++) {
      const value = this.#range.at((start + i) % this.#range.size)
      if (value !== undefined && !this.#holders.has(value)) return this.#hold(value, key)
    }
    return undefined
  }

  #hold(value: string, key: string): string {
    const owner = ownerOf(key)
    const keys = this.#given.get(owner) ?? new Map<string, string>()
    this.#given.set(owner, keys)
    this.#holders.set(value, key)
    keys.set(key, value)
    return value
  }

  /** Its values are free. With `remember` it gets them again, unless another one has taken them meanwhile. */
  release(owner: string, remember: boolean): void {
    for (const [key, value] of this.#given.get(owner) ?? []) {
      this.#holders.delete(value)
      if (remember) this.#before.set(key, value)
      else this.#before.delete(key)
    }
    this.#given.delete(owner)
  }

  allocations(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#given.values()].flatMap(keys => [...keys].map(([key, value]) => [`${this.#what} ${key}`, value])),
    )
  }
}

const ownerOf = (key: string): string => key.split(' ', 1)[0] as string

function addressAt({ bytes, family }: Cidr, place: number): string {
  const address = new Uint8Array(bytes)
  for (let i = address.length - 1, rest = place; rest > 0; i--, rest = Math.floor(rest / 256))
    address[i] = (address[i] as number) + (rest % 256)
  if (family === 'ipv4') return address.join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((address[2 * i] as number) << 8) | (address[2 * i + 1] as number)).toString(16),
  )
  return addressOf(groups.join(':')) ?? groups.join(':')
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x0100_0193)
  return value >>> 0
}
