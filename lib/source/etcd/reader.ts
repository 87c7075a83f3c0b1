/** The keys of etcd below a prefix, as they are there: listed at one revision, then watched from the next one. */
import { setTimeout as pause } from 'node:timers/promises'
import { objectsIn, Turns } from '../../netlink/turns.js'
import type { Feed } from '../feed.js'
import type { KubernetesObject } from '../kubernetes.js'
import { parseManifest } from '../manifest.js'
import { type Attempt, lossOf, persist } from '../persist.js'
import { Shelf } from '../shelf.js'
import type { SourceProblem } from '../source.js'
import { Compacted, type Connection, type KeyRange, type KeyValue } from './connection.js'

/** Keys in a page of a list. */
const PAGE = 100
/** The place of problems that are not of one key: no key is empty. */
const CONFLICTS = ''

export interface ReaderOptions {
  readonly feed: Feed
  readonly prefix: string
  readonly endpoints: readonly string[]
  /** Milliseconds between two questions whether the member is there, and knows a majority. */
  readonly heartbeat: number
  connect(endpoint: string): Promise<Connection>
}

/** Tells a feed of the objects at the keys. */
export class KeyReader {
  readonly #options: ReaderOptions
  readonly #range: KeyRange
  readonly #shelf = new Shelf()
  /** `mod_revision` of each key that was told. */
  readonly #seen = new Map<string, string>()
  /** The revision that a watch goes on from; undefined: a list is needed first. */
  #from: bigint | undefined
  #everListed = false
  /** How many connections were made. */
  #turn = 0
  /** Whether the connection that is there was of use. */
  #progress = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#range = rangeOf(options.prefix)
  }

  /** Reads until it is aborted. */
  run(signal: AbortSignal): Promise<void> {
    const { endpoints, feed } = this.#options
    const lost = (error: unknown): void => feed.lost(this.#where, lossOf(error, this.#everListed))
    return persist(() => this.#attempt(signal), { signal, lost, allowed: endpoints.length - 1 })
  }

  get #where(): string {
    return `etcd ${this.#options.endpoints.join(',')}`
  }

  async #attempt(signal: AbortSignal): Promise<Attempt> {
    const { endpoints, connect, feed } = this.#options
    this.#progress = false
    let connection: Connection | undefined
    try {
      connection = await connect(endpoints[this.#turn++ % endpoints.length] ?? '')
      this.#from = await this.#start(connection)
      feed.lost(this.#where, undefined)
      await this.#watch(connection, this.#from, signal)
      return { progress: this.#progress, error: new Error('it has ended the watch') }
    } catch (error) {
      const usual = error instanceof Compacted
      if (usual) this.#from = undefined
      return { progress: this.#progress, error, usual }
    } finally {
      connection?.close()
    }
  }

  /** The revision to watch from: where what was read so far ends, else everything is read. */
  async #start(connection: Connection): Promise<bigint> {
    const { header } = await connection.range(this.#range, { limit: 1, keysOnly: true })
    // An etcd that was made anew, or restored, begins with lower ones: a watch from a later one would wait until it has come so far.
    if (this.#from !== undefined && BigInt(header.revision) >= this.#from - 1n) return this.#from
    return this.#list(connection, header.revision)
  }

  async #list(connection: Connection, revision: string): Promise<bigint> {
    const seen = new Set<string>()
    const turns = new Turns()
    let { key } = this.#range
    for (let more = true; more; ) {
      const page = await connection.range({ ...this.#range, key }, { revision, limit: PAGE })
      for (const entry of page.kvs) {
        seen.add(this.#set(entry))
        key = Buffer.concat([entry.key, Buffer.of(0)])
        if (turns.due(objectsIn(entry.value.length))) await turns.give()
      }
      more = page.more && page.kvs.length > 0
    }
    for (const name of this.#seen.keys()) if (!seen.has(name)) this.#remove(name)
    this.#tellConflicts()
    this.#options.feed.lost(this.#where, undefined)
    if (!this.#everListed) this.#options.feed.complete()
    this.#everListed = true
    return BigInt(revision) + 1n
  }

  /** Until the connection is lost. */
  async #watch(connection: Connection, from: bigint, signal: AbortSignal): Promise<void> {
    const ending = new AbortController()
    const beating = this.#beat(connection, ending)
    try {
      for await (const { created, events, header } of connection.watch(
        this.#range,
        from,
        AbortSignal.any([signal, ending.signal]),
      )) {
        // etcd3 declares Put and Delete, and gives them as the protocol writes them.
        for (const { type, kv } of events)
          if (type.toUpperCase() === 'DELETE') this.#remove(kv.key.toString())
          else this.#set(kv)
        if (created) continue
        if (events.length > 0) this.#tellConflicts()
        this.#from = BigInt(header.revision) + 1n
        this.#progress = true
      }
    } catch (error) {
      throw ending.signal.aborted ? ending.signal.reason : error
    } finally {
      ending.abort()
      await beating
    }
  }

  /**
   * A watch is silent when nothing happens, and when the member hangs, is cut off, or has lost the others: asked for something that needs a
   * majority, it has to answer.
   */
  async #beat(connection: Connection, ending: AbortController): Promise<void> {
    const { signal } = ending
    for (;;) {
      await pause(this.#options.heartbeat, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        await connection.range(this.#range, { limit: 1, keysOnly: true })
        this.#progress = true
      } catch (error) {
        ending.abort(error)
      }
    }
  }

  #set({ key, value, mod_revision: version }: KeyValue): string {
    const name = key.toString()
    if (this.#seen.get(name) === version) return name
    this.#seen.set(name, version)
    const { objects, problems } = contentOf(name, value)
    this.#put(name, objects, problems)
    return name
  }

  #remove(name: string): void {
    this.#seen.delete(name)
    this.#put(name, [], [])
  }

  #put(name: string, objects: readonly KubernetesObject[], problems: readonly SourceProblem[]): void {
    this.#options.feed.bad(name, problems)
    for (const change of this.#shelf.put(name, objects)) this.#options.feed.change(change)
  }

  #tellConflicts(): void {
    this.#options.feed.bad(CONFLICTS, this.#shelf.conflicts())
  }
}

/** All keys that begin with a prefix: up to the first that is greater than all of them. */
function rangeOf(prefix: string): KeyRange {
  const key = Buffer.from(prefix)
  const end = [...key]
  while (end.at(-1) === 255) end.pop()
  const last = end.pop()
  // No greater one: a range without end (a byte of 0).
  return { key, range_end: last === undefined ? Buffer.of(0) : Buffer.from([...end, last + 1]) }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The object that is at a key. */
function contentOf(
  key: string,
  value: Buffer,
): { readonly objects: readonly KubernetesObject[]; readonly problems: readonly SourceProblem[] } {
  const bad = (message: string) => ({ objects: [], problems: [{ where: key, message }] })
  let text: string
  try {
    text = utf8.decode(value)
  } catch {
    return bad('is no text: give the manifest of an object, in YAML or JSON')
  }
  const { objects, problems, ignored } = parseManifest(text, key)
  if (objects.length > 1) return bad(`has ${objects.length} objects: give each a key of its own`)
  if (objects.length + problems.length + ignored.size === 0)
    return bad('is empty: give the manifest of an object, in YAML or JSON')
  return { objects, problems: problems.map(({ file, ...problem }) => ({ where: file, ...problem })) }
}
