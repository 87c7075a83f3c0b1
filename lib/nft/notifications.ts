/** Puts what the multicast group tells together again: the messages of a transaction, and who made it. */
import { MessageReader } from '../netlink/buffer.js'
import { type Message, MessageCursor, senderOf } from '../netlink/message.js'
import type { Monitor } from '../netlink/monitor.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import type { Generation } from './kernel.js'
import { generationAttributes, message, messageType } from './wire.js'

/** Messages in a row. */
export interface Part {
  readonly reader: MessageReader
  readonly start: number
  readonly end: number
}

/** A transaction that was carried out, or something that the kernel did by itself. */
export interface Notification {
  /** Undefined for what is no transaction: a quota that is used up. */
  readonly generation: Generation | undefined
  /** Netlink port of the one who made it. */
  readonly portId: number
  readonly process: { readonly id: number; readonly name: string } | undefined
  /** Its messages: there may be hundreds of thousands. */
  readonly parts: readonly Part[]
}

export class Notifications {
  readonly #monitor: Monitor
  #complete: Iterator<Notification, void, void>
  /** Of the transaction whose end has not come yet. */
  #parts: Part[]

  constructor(monitor: Monitor) {
    this.#monitor = monitor
    this.#complete = [].values()
    this.#parts = []
  }

  /** The next one, or what `Monitor.next` says instead. */
  async next(milliseconds?: number): Promise<Notification | 'lost' | 'quiet' | 'closed'> {
    for (;;) {
      const { done, value } = this.#complete.next()
      if (!done) return value
      const arrived = await this.#monitor.next(milliseconds)
      if (typeof arrived === 'string') return arrived
      this.#complete = this.#read(arrived)
    }
  }

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.#parts.length === 0 && this.#monitor.idle
  }

  /** Throws away what waits: the state will be read, which has it all. */
  restart(): void {
    this.#complete = [].values()
    this.#parts = []
    this.#monitor.restart()
  }

  /** What `data` completes. A transaction ends with a message of the new generation (nf_tables_gen_notify). */
  *#read(data: Uint8Array): Generator<Notification, void, void> {
    const reader = new MessageReader(data)
    const cursor = new MessageCursor(reader)
    let start = 0
    while (cursor.next()) {
      const portId = senderOf(reader, cursor)
      const isEnd = cursor.type === messageType(message.newGeneration)
      // No socket has port 0: it is the kernel's own (nft_quota.c, nft_quota_obj_eval), and may come amidst a transaction.
      if (!isEnd && portId !== 0) continue
      if (cursor.start > start) this.#parts.push({ reader, start, end: cursor.start })
      start = cursor.end
      if (isEnd) yield this.#transaction(reader, cursor, portId)
      else {
        const parts = [{ reader, start: cursor.start, end: cursor.end }]
        yield { generation: undefined, portId, process: undefined, parts }
      }
    }
    if (cursor.end > start) this.#parts.push({ reader, start, end: cursor.end })
  }

  #transaction(reader: MessageReader, { payload, end }: Message, portId: number): Notification {
    const { id, processId, processName = '' } = generationAttributes.decode(reader, payload + NETFILTER_HEADER, end) ?? {}
    const parts = this.#parts
    this.#parts = []
    return { generation: id, portId, process: processId === undefined ? undefined : { id: processId, name: processName }, parts }
  }
}
