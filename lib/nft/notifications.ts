/** Puts what the multicast group tells together again: the messages of a transaction, and who made it. */
import { MessageReader } from '../netlink/buffer.js'
import { type Message, MessageCursor, senderOf } from '../netlink/message.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import type { Generation } from './kernel.js'
import type { Monitor } from './monitor.js'
import { generationAttributes, message, messageType, NFNL_SUBSYS_NFTABLES } from './wire.js'

export interface NotifiedMessage extends Message {
  readonly reader: MessageReader
}

/** A transaction that was carried out, or something that the kernel did by itself. */
export interface Notification {
  /** Undefined for what is no transaction: a quota that is used up. */
  readonly generation: Generation | undefined
  /** Netlink port of the one who made it. */
  readonly portId: number
  readonly process: { readonly id: number; readonly name: string } | undefined
  readonly messages: readonly NotifiedMessage[]
}

export class Notifications {
  readonly #monitor: Monitor
  #complete: Iterator<Notification, void, void>
  /** Of the transaction whose end has not come yet. */
  #messages: NotifiedMessage[]

  constructor(monitor: Monitor) {
    this.#monitor = monitor
    this.#complete = [].values()
    this.#messages = []
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
    return this.#messages.length === 0 && this.#monitor.idle
  }

  /** Throws away what waits: the state will be read, which has it all. */
  restart(): void {
    this.#complete = [].values()
    this.#messages = []
    this.#monitor.restart()
  }

  /** What `data` completes. A transaction ends with a message of the new generation (nf_tables_gen_notify). */
  *#read(data: Uint8Array): Generator<Notification, void, void> {
    const reader = new MessageReader(data)
    const cursor = new MessageCursor(reader)
    while (cursor.next()) {
      const { type, flags, sequence, start, payload, end } = cursor
      if (type >> 8 !== NFNL_SUBSYS_NFTABLES) continue
      const read = { reader, type, flags, sequence, start, payload, end }
      const portId = senderOf(reader, read)
      if (type === messageType(message.newGeneration)) yield this.#transaction(read, portId)
      // No socket has port 0: it is the kernel's own (nft_quota.c, nft_quota_obj_eval), and may come amidst a transaction.
      else if (portId === 0) yield { generation: undefined, portId, process: undefined, messages: [read] }
      else this.#messages.push(read)
    }
  }

  #transaction({ reader, payload, end }: NotifiedMessage, portId: number): Notification {
    const { id, processId, processName = '' } = generationAttributes.decode(reader, payload + NETFILTER_HEADER, end) ?? {}
    const messages = this.#messages
    this.#messages = []
    return {
      generation: id,
      portId,
      process: processId === undefined ? undefined : { id: processId, name: processName },
      messages,
    }
  }
}
