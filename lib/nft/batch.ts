/** A transaction as the kernel takes it: one buffer of messages between BATCH_BEGIN and BATCH_END (net/netfilter/nfnetlink.c). */
import type { MessageWriter } from '../netlink/buffer.js'
import { endMessage, NLM_F_ACK, NLM_F_REQUEST } from '../netlink/message.js'
import { beginNetfilter } from '../netlink/netfilter.js'
import { BadValue } from '../netlink/schema.js'
import type { Turns } from '../netlink/turns.js'
import { type Sink, writeCommand } from './commands.js'
import type { Command } from './types.js'
import { BATCH_BEGIN, BATCH_END, batchAttributes, messageType, NFNL_SUBSYS_NFTABLES } from './wire.js'

const NLM_F_ECHO = 8

export interface BatchOptions {
  /** Refused (ERESTART) unless this is the generation. */
  readonly generation?: number | undefined
  /** Whether every object that is added comes back, with its handle. */
  readonly echo: boolean
  /** Whether it ends as one that is to be carried out; without its end the kernel only tries it. */
  readonly commit: boolean
}

/** A written transaction, and which message belongs to which command. */
export class Batch implements Sink {
  readonly writer: MessageWriter
  /** Sequence number of the first message, and of BATCH_BEGIN and the last one: whichever answers is the end. */
  readonly first: number
  last = 0
  readonly #echo: number
  /** For each message: where it starts, the command, the first element. */
  readonly #starts: number[] = []
  readonly #commands: number[] = []
  readonly #elements: number[] = []
  #command = 0
  #start = 0

  constructor(writer: MessageWriter, first: number, echo: boolean) {
    this.writer = writer
    this.first = first
    this.#echo = echo ? NLM_F_ECHO : 0
  }

  begin(number: number, flags: number, family: number, element = 0): void {
    this.#start = beginNetfilter(
      this.writer,
      messageType(number),
      NLM_F_REQUEST | flags | this.#echo,
      this.first + this.#starts.length,
      family,
    )
    this.#starts.push(this.#start)
    this.#commands.push(this.#command)
    this.#elements.push(element)
  }

  end(): void {
    endMessage(this.writer, this.#start)
  }

  /** How many messages it has. */
  get size(): number {
    return this.#starts.length
  }

  /** Which message has this sequence number. */
  at(sequence: number): { readonly start: number; readonly command: number; readonly element: number } | undefined {
    const index = sequence - this.first
    const start = this.#starts[index]
    if (start === undefined) return undefined
    return { start, command: this.#commands[index] as number, element: this.#elements[index] as number }
  }

  /** Writes all of it. Throws a `BadValue` with its path in the list of commands. */
  async write(commands: readonly Command[], options: BatchOptions, turns: Turns): Promise<void> {
    const { writer } = this
    const begin = beginNetfilter(writer, BATCH_BEGIN, NLM_F_REQUEST, 0, 0, NFNL_SUBSYS_NFTABLES)
    batchAttributes.encode(writer, { generation: options.generation })
    endMessage(writer, begin)
    for (const [i, command] of commands.entries()) {
      this.#command = i
      try {
        for (const written of writeCommand(this, command)) if (turns.due(written)) await turns.give()
      } catch (error) {
        throw error instanceof BadValue ? error.within(i) : error
      }
      if (turns.due(1)) await turns.give()
    }
    if (this.size === 0) return
    this.last = this.first + this.size - 1
    writer.u32[(begin >> 2) + 2] = this.last
    writer.u16[(this.#start >> 1) + 3] = (writer.u16[(this.#start >> 1) + 3] as number) | NLM_F_ACK
    if (options.commit)
      endMessage(writer, beginNetfilter(writer, BATCH_END, NLM_F_REQUEST, this.last + 1, 0, NFNL_SUBSYS_NFTABLES))
  }
}
