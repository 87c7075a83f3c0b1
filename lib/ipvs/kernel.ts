/** What the operations of one client share: its two sockets, the order of its calls, and what it has learnt of its kernel. */
import { Calls, closedError } from '../netlink/calls.js'
import type { CallOptions, Limit } from '../netlink/channel.js'
import { type Body, type FamilyMessage, GenericFamily, type Page } from '../netlink/generic.js'
import type { Transport } from '../netlink/transport.js'
import { type Surroundings, surroundings } from './explain.js'
import { ipvsFamily } from './wire.js'

const PAGE = 256 << 10

export class Kernel {
  readonly #transport: Transport
  /** Changes, and reads that must see them. */
  readonly writes: GenericFamily
  /** Dumps: the kernel allows one a socket. */
  readonly reads: GenericFamily
  /** Schedulers that have served. Asking for an unknown one costs the kernel a modprobe, inside its mutex. */
  readonly proven = new Set<string>()
  readonly #calls: Calls
  #stream: DumpStream | undefined

  constructor(transport: Transport, deadline: number) {
    this.#transport = transport
    this.#calls = new Calls(deadline)
    this.writes = new GenericFamily(transport, ipvsFamily)
    this.reads = new GenericFamily(transport, ipvsFamily)
  }

  /** When a call with these options has to end. */
  limit(options: CallOptions | undefined): Limit {
    return this.#calls.limit(options)
  }

  /** Runs one call when those before it have ended. */
  call<T>(options: CallOptions | undefined, task: (limit: Limit) => Promise<T>): Promise<T> {
    return this.#calls.run(options, async limit => {
      // The kernel's dumps go on by index: a change in between makes it leave out what is still there.
      if (this.#stream) await limit.race(this.#stream.complete(), 'no')
      limit.throwIfOver()
      return task(limit)
    })
  }

  /** Starts a dump that is read page by page, and becomes whole in memory as soon as another call needs the kernel. */
  stream(command: number, body: Body | undefined, options: CallOptions | undefined): Promise<DumpStream> {
    return this.call(options, async () => {
      const stream = new DumpStream(
        this.reads.dump(command, body, PAGE, () => this.limit(options)),
        () => this.reads.channel.setAside(),
      )
      this.#stream = stream
      await stream.start()
      return stream
    })
  }

  /** The files below /proc of the namespace. */
  get files(): Transport {
    this.#calls.throwIfClosed()
    return this.#transport
  }

  /** What explains an error better than its number. Asked for once a call at most. */
  surroundings(): Promise<Surroundings> {
    return surroundings(this.#transport)
  }

  async close(): Promise<void> {
    await this.#calls.close()
    this.#stream?.abandon(closedError())
    await Promise.all([this.writes.channel.close(), this.reads.channel.close()])
    await this.#transport.close()
  }
}

/** A dump in progress. */
export class DumpStream {
  readonly #pages: AsyncGenerator<Page>
  readonly #abandon: () => void
  #ready: (readonly FamilyMessage[])[] = []
  #completing: Promise<void> | undefined
  #failure: unknown
  #done = false

  constructor(pages: AsyncGenerator<Page>, abandon: () => void) {
    this.#pages = pages
    this.#abandon = abandon
  }

  /** Sends the request: the dump belongs to this place in the order of calls. */
  start(): Promise<void> {
    return this.#pull()
  }

  /** The next page, or undefined at the end. */
  async next(): Promise<readonly FamilyMessage[] | undefined> {
    await this.#completing
    if (this.#ready.length === 0 && !this.#done) await this.#pull()
    if (this.#ready.length === 0 && this.#failure) throw this.#failure
    return this.#ready.shift()
  }

  /** Reads what is left into memory. A failure is for the reader of the stream, not for who comes next. */
  complete(): Promise<void> {
    this.#completing ??= (async () => {
      try {
        while (!this.#done) await this.#pull()
      } catch (error) {
        this.#failure = error
        this.#done = true
      }
    })()
    return this.#completing
  }

  /** Stops the kernel in the middle: the socket goes, and the dump with it. A reader that goes on gets the failure. */
  abandon(failure?: Error): void {
    if (this.#done) return
    this.#done = true
    this.#failure = failure
    this.#abandon()
  }

  async #pull(): Promise<void> {
    const { value, done } = await this.#pages.next()
    if (done) this.#done = true
    else this.#ready.push(value.messages)
  }
}
