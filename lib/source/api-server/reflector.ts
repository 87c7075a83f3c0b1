/** One kind of objects of an API server, as they are there: listed, then watched (kubernetes.io/docs/reference/using-api/api-concepts). */
import { objectsIn, Turns } from '../../netlink/turns.js'
import type { Feed } from '../feed.js'
import { type Kind, type KubernetesObject, readObject } from '../kubernetes.js'
import { type Attempt, lossOf, persist } from '../persist.js'
import { isRecord } from '../shape.js'
import { objectName } from '../shelf.js'
import { type Access, ApiError, type Status } from './access.js'
import { type ListMetadata, ListReader, lines, parsed } from './list.js'

/** What of a kind is wanted. */
export interface Resource {
  readonly kind: Kind
  /** `/api/v1/services` */
  readonly path: string
  /** Selectors, as in the query of a URL. */
  readonly query: Readonly<Record<string, string>>
}

/** Objects in a page of a list. */
const PAGE = 500
/** Seconds that a watch lasts: each another time, so that not all nodes of a cluster come back together. */
const WATCH = { least: 300, more: 300 }
/** Milliseconds: a watch that ends sooner, with nothing told, is a failure. */
const SHORT = 1000

interface Seen {
  /** `metadata.resourceVersion` */
  readonly version: string
  /** Whether it was told, with nothing wrong. */
  readonly served: boolean
}

/** An object as it comes, as far as it is looked at before it was checked. */
interface Raw {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion: string }
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: unknown
}

/**
 * Tells a feed of the objects of a kind. client-node's informer ends for good at an error, and waits for ever on a connection that is half
 * open; this one reads on until it is aborted.
 */
export class Reflector {
  readonly #access: Access
  readonly #resource: Resource
  readonly #feed: Feed
  readonly #silence: number
  readonly #listed: () => void
  readonly #seen = new Map<string, Seen>()
  /** The version that a watch goes on from; undefined: a list is needed first. */
  #from: string | undefined
  #everListed = false
  /** Whether the attempt that goes on was of use. */
  #progress = false

  /**
   * @param silence milliseconds without a byte after which a connection is taken for dead
   * @param listed called when all that is there has been told, once
   */
  constructor(access: Access, resource: Resource, feed: Feed, silence: number, listed: () => void) {
    this.#access = access
    this.#resource = resource
    this.#feed = feed
    this.#silence = silence
    this.#listed = listed
  }

  /** Reads until it is aborted. */
  run(signal: AbortSignal): Promise<void> {
    const where = this.#where
    const lost = (error: unknown): void => this.#feed.lost(where, lossOf(error, this.#everListed))
    return persist(() => this.#attempt(signal), { signal, lost })
  }

  get #where(): string {
    return `${this.#access.server}${this.#resource.path}`
  }

  /** Lists, where that is needed, and watches until that ends. */
  async #attempt(signal: AbortSignal): Promise<Attempt> {
    this.#progress = false
    try {
      this.#from ??= await this.#list(signal)
      await this.#watch(this.#from, signal)
      const error = this.#progress ? undefined : new Error('it ends a watch as soon as it has begun')
      return { progress: this.#progress, error }
    } catch (error) {
      const expired = isExpired(error)
      if (expired) this.#from = undefined
      const retryAfter = error instanceof ApiError ? error.retryAfter : undefined
      return { progress: this.#progress, error, usual: expired, retryAfter }
    }
  }

  /** Tells everything. Returns the version to watch from. */
  async #list(signal: AbortSignal): Promise<string> {
    const seen = new Set<string>()
    let metadata = await this.#page(seen, { ...this.#start, limit: `${PAGE}` }, signal)
    try {
      while (metadata.continue) metadata = await this.#page(seen, { limit: `${PAGE}`, continue: metadata.continue }, signal)
    } catch (error) {
      if (!isExpired(error)) throw error
      // The rest of the pages has been forgotten while the first ones were read: all at once, then.
      seen.clear()
      metadata = await this.#page(seen, this.#start, signal)
    }
    for (const name of this.#seen.keys()) if (!seen.has(name)) this.#remove(name)
    this.#feed.lost(this.#where, undefined)
    if (!this.#everListed) this.#listed()
    this.#everListed = true
    return metadata.resourceVersion
  }

  /**
   * For the first time any version will do, which the server has in its memory. Later one that is older than what was told already would
   * take that back: the most recent one is asked for then, as client-go's reflector does.
   */
  get #start(): Readonly<Record<string, string>> {
    return this.#everListed ? {} : { resourceVersion: '0', resourceVersionMatch: 'NotOlderThan' }
  }

  async #page(seen: Set<string>, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ListMetadata> {
    const reader = new ListReader()
    const { path, query: selectors } = this.#resource
    const turns = new Turns()
    for await (const piece of await this.#access.get(path, { ...selectors, ...query }, { signal, silence: this.#silence })) {
      for (const item of reader.take(piece)) seen.add(this.#set(rawOf(item)))
      // What has come already is read without a turn for others in between.
      if (turns.due(objectsIn(piece.length))) await turns.give()
    }
    return reader.end()
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { path, query } = this.#resource
    const timeoutSeconds = `${WATCH.least + Math.floor(Math.random() * WATCH.more)}`
    const asked = { ...query, watch: 'true', allowWatchBookmarks: 'true', resourceVersion: from, timeoutSeconds }
    const pieces = await this.#access.get(path, asked, { signal, silence: this.#silence })
    this.#feed.lost(this.#where, undefined)
    const began = performance.now()
    const turns = new Turns()
    try {
      for await (const line of lines(pieces)) {
        this.#take(parsed(line) as WatchEvent)
        if (turns.due(objectsIn(line.length))) await turns.give()
      }
    } finally {
      if (performance.now() - began > SHORT) this.#progress = true
    }
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ERROR') throw new ApiError(object as Status)
    const raw = rawOf(object)
    if (type === 'DELETED') this.#remove(nameOf(this.#resource.kind, raw))
    else if (type !== 'BOOKMARK') this.#set(raw)
    this.#from = raw.metadata.resourceVersion
    this.#progress = true
  }
  /** Tells of an object that is new or different. Returns its name. */
  #set(raw: Raw): string {
    const { kind } = this.#resource
    const { resourceVersion: version } = raw.metadata
    const name = nameOf(kind, raw)
    const before = this.#seen.get(name)
    if (before?.version === version) return name
    const { object, problems } = readObject(kind, raw)
    this.#seen.set(name, { version, served: object !== undefined })
    const where = `${kind} ${name}`
    this.#feed.bad(
      where,
      problems.map(({ path, message }) => ({ where, field: path, message })),
    )
    if (object || before?.served) this.#feed.change({ kind, name, object })
    return name
  }

  #remove(name: string): void {
    const { kind } = this.#resource
    this.#feed.bad(`${kind} ${name}`, [])
    if (this.#seen.get(name)?.served) this.#feed.change({ kind, name, object: undefined })
    this.#seen.delete(name)
  }
}

const nameOf = (kind: Kind, { metadata }: Raw): string => objectName({ kind, metadata } as KubernetesObject)

function rawOf(object: unknown): Raw {
  const metadata = isRecord(object) ? object.metadata : undefined
  if (!isRecord(metadata) || typeof metadata.resourceVersion !== 'string')
    throw new Error('answered with something that is no object')
  return object as Raw
}

const isExpired = (error: unknown): boolean => error instanceof ApiError && error.status === 410
