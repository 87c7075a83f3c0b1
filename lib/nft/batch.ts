/** A transaction as the kernel takes it: one buffer of messages between BATCH_BEGIN and BATCH_END (net/netfilter/nfnetlink.c). */
import { MessageWriter } from '../netlink/buffer.js'
import type { Limit } from '../netlink/channel.js'
import { endMessage, NLM_F_ACK, NLM_F_REQUEST } from '../netlink/message.js'
import { beginNetfilter } from '../netlink/netfilter.js'
import { BadValue } from '../netlink/schema.js'
import { objectsIn, type Turns } from '../netlink/turns.js'
import { type Sink, writeCommand } from './commands.js'
import type { Command, Elements } from './types.js'
import { BATCH_BEGIN, BATCH_END, batchAttributes, messageType, NFNL_SUBSYS_NFTABLES } from './wire.js'

const NLM_F_ECHO = 8

/** Where a message stands in the batch, and what it is of. */
export interface Place {
  readonly start: number
  /** Which command. */
  readonly command: number
  /** Index of the first element that it holds. */
  readonly element: number
}

/** Commands after which it is clear how long the transaction will be. */
const SAMPLE = 256

/** For so many elements it is worth to know beforehand how much room they need, and after so many of them it is known. */
const MANY = 1024
const TYPICAL = 16

type WithElements = { readonly [V in 'add' | 'create' | 'delete' | 'destroy']?: { readonly elements?: Elements } | null }

/** About how many bytes all elements of many take. What is wrong with them is told when they are written. */
function bytesOf(commands: readonly Command[]): number {
  let bytes = 0
  for (const command of commands) {
    const { add, create, delete: removed, destroy } = (command ?? {}) as WithElements
    const given = (add ?? create ?? removed ?? destroy)?.elements
    const list: unknown = given?.elements
    if (given && Array.isArray(list) && list.length >= MANY) bytes += (sizeOf(given) / TYPICAL) * list.length
  }
  return bytes
}

/** Bytes of the first elements. */
function sizeOf({ set, elements }: Elements): number {
  const sample = new Batch(new MessageWriter(4096), 0, false)
  try {
    for (const _ of writeCommand(sample, { add: { elements: { set, elements: elements.slice(0, TYPICAL) } } }) ?? []);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
  }
  return sample.writer.offset
}

/** A written transaction, and which message belongs to which command. */
export class Batch implements Sink {
  readonly writer: MessageWriter
  #sequence: number
  readonly #echo: number
  /** For each message: where it starts, the command, the first element. */
  readonly #starts: number[] = []
  readonly #commands: number[] = []
  readonly #elements: number[] = []
  #command = 0
  #start = 0

  constructor(writer: MessageWriter, sequence: number, echo: boolean) {
    this.writer = writer
    this.#sequence = sequence
    this.#echo = echo ? NLM_F_ECHO : 0
  }

  /** Sequence number of BATCH_BEGIN: what is refused as a whole is refused there. Those of the commands' messages follow it. */
  get sequence(): number {
    return this.#sequence
  }

  /** From another number on: others, carried out since it was written, may have had its own. */
  renumber(sequence: number): void {
    const { u32, offset } = this.writer
    const more = sequence - this.#sequence
    if (more === 0) return
    for (let at = 0; at < offset; at += u32[at >> 2] as number) u32[(at >> 2) + 2] = (u32[(at >> 2) + 2] as number) + more
    this.#sequence = sequence
  }

  begin(number: number, flags: number, family: number, element = 0): void {
    this.#start = beginNetfilter(
      this.writer,
      messageType(number),
      NLM_F_REQUEST | flags | this.#echo,
      this.sequence + 1 + this.#starts.length,
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

  /** Sequence number of the question for the generation behind it. */
  get question(): number {
    return this.sequence + this.size + 2
  }

  /** The message with this sequence number; undefined for one that belongs to no command. */
  at(sequence: number): Place | undefined {
    const index = sequence - this.sequence - 1
    const start = this.#starts[index]
    if (start === undefined) return undefined
    return { start, command: this.#commands[index] as number, element: this.#elements[index] as number }
  }

  /** Where message number `index` starts; for the number behind the last one, where that ends. */
  startOf(index: number): number {
    return this.#starts[index] ?? this.#start + (this.writer.u32[this.#start >> 2] as number)
  }

  /** The command of message number `index`, and its first element. */
  placeOf(index: number): Place {
    return { start: this.startOf(index), command: this.#commands[index] as number, element: this.#elements[index] as number }
  }

  /** Starts it. Refused (ERESTART) unless the generation is this one; 0: any. */
  open(generation: number | undefined): void {
    const { writer } = this
    const begin = beginNetfilter(writer, BATCH_BEGIN, NLM_F_REQUEST, this.sequence, 0, NFNL_SUBSYS_NFTABLES)
    batchAttributes.encode(writer, { generation })
    endMessage(writer, begin)
  }

  /** Ends it; without `commit` as one that the kernel only tries. */
  close(commit: boolean): void {
    if (this.size === 0) return
    this.#acknowledgeFirst()
    if (commit)
      endMessage(this.writer, beginNetfilter(this.writer, BATCH_END, NLM_F_REQUEST, this.question - 1, 0, NFNL_SUBSYS_NFTABLES))
  }

  /** Writes all of it. Throws a `BadValue` with its path in the list of commands, or what interrupted it. */
  async write(commands: readonly Command[], turns: Turns, limit: Limit): Promise<void> {
    const give = async () => {
      await turns.give()
      limit.throwIfOver()
    }
    // Room for all at once: when it is made for more, what was written is copied.
    const bytes = bytesOf(commands)
    this.writer.reserve(Math.ceil(1.05 * bytes))
    if (bytes > 0) await give()
    for (let i = 0; i < commands.length; i++) {
      this.#command = i
      const start = this.writer.offset
      if (i === SAMPLE) this.writer.foresee(0, i, commands.length)
      let steps: Iterable<number> | undefined
      try {
        steps = writeCommand(this, commands[i] as Command)
        for (const written of steps ?? []) if (turns.due(written)) await give()
      } catch (error) {
        throw error instanceof BadValue ? error.within(i) : error
      }
      if (turns.due(steps ? 1 : objectsIn(this.writer.offset - start))) await give()
    }
  }

  /** Takes over messages of another batch, from one number up to another. */
  copy(from: Batch, first: number, end: number): void {
    const { writer } = this
    const start = from.startOf(first)
    const moved = writer.offset - start
    writer.append(from.writer.bytes.subarray(start, from.startOf(end)))
    for (let i = first; i < end; i++) {
      const place = from.placeOf(i)
      this.#start = place.start + moved
      writer.u32[(this.#start >> 2) + 2] = this.sequence + 1 + this.#starts.length
      this.#starts.push(this.#start)
      this.#commands.push(place.command)
      this.#elements.push(place.element)
    }
  }

  /**
   * What fails behind the last command (no memory, an anonymous set that no rule uses) the kernel reports as an error of the first message
   * (nfnetlink_rcv_batch: nlmsg_hdr(oskb) is no longer BATCH_BEGIN). That the first one itself was taken then shows in its acknowledgement.
   */
  #acknowledgeFirst(): void {
    const flags = ((this.#starts[0] as number) >> 1) + 3
    this.writer.u16[flags] = (this.writer.u16[flags] as number) | NLM_F_ACK
  }
}
