import type { FamilyMessage } from '../netlink/generic.js'
import { type Asked, attribute } from './explain.js'
import type { DumpStream } from './kernel.js'

interface Source<T> {
  readonly stream: DumpStream
  readonly decode: (page: readonly FamilyMessage[]) => T[]
  /** Runs when there was nothing at all. */
  readonly whenEmpty?: () => Promise<void>
  /** For errors in the middle. */
  readonly asked: Asked
}

/** A list that is read as the kernel delivers it: `for await`, or `toArray()`. Every iteration reads anew. */
export class Listing<T> implements AsyncIterable<T> {
  readonly #open: () => Promise<Source<T>>

  /** @internal */
  constructor(open: () => Promise<Source<T>>) {
    this.#open = open
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const { stream, decode, whenEmpty, asked } = await this.#open()
    let empty = true
    try {
      for (let page = await stream.next(); page; page = await stream.next()) {
        for (const item of decode(page)) {
          empty = false
          yield item
        }
      }
    } catch (error) {
      throw attribute(error, asked)
    } finally {
      stream.abandon()
    }
    if (empty) await whenEmpty?.()
  }

  /** All of it in one array. */
  async toArray(): Promise<T[]> {
    const items: T[] = []
    for await (const item of this) items.push(item)
    return items
  }
}
