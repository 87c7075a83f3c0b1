/** Times of the library against a C program that sends the same messages, and against nft. Runs in a network namespace of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { MessageReader, MessageWriter } from '../../../lib/netlink/buffer.js'
import { endMessage, HEADER, messageAt, NLM_F_REQUEST } from '../../../lib/netlink/message.js'
import { beginNetfilter } from '../../../lib/netlink/netfilter.js'
import { NETLINK_NETFILTER } from '../../../lib/netlink/transport.js'
import type { NftClient } from '../../../lib/nft/client.js'
import type { Command } from '../../../lib/nft/types.js'
import { BATCH_BEGIN, message, messageType, NFNL_SUBSYS_NFTABLES } from '../../../lib/nft/wire.js'
import { type Pairs, pairs, quantile, type Run, times } from '../pairs.js'
import { type Crossing, recording } from '../recorder.js'
import { quiet, runFloor, say, shell, timed } from '../shell.js'
import { connect, remove, timeCommit } from './guest.js'
import { element, elementsAsText, elementsOf, map, rulesAsText, rulesOf } from './objects.js'
import { read } from './tasks.js'

export interface SpeedOptions {
  readonly elements: number
  /** Numbers of rules. */
  readonly rules: readonly number[]
  readonly pairs: number
  readonly floor: string
  /** Pairs against nft, which is slow. */
  readonly nftPairs: number
}

export interface Compared {
  /** On the wire: what is sent, or what is read. */
  readonly bytes: number
  /** Milliseconds of the first run. */
  readonly cold: number
  readonly floor: Pairs
  readonly nft: Pairs
}

export interface Speed {
  readonly kernel: string
  readonly commit: Compared
  readonly reading: Compared
  /** Milliseconds, median. */
  readonly oneElement: number
  readonly rules: readonly { readonly count: number; readonly compared: Compared }[]
  /** Milliseconds that the event loop was late, 99th percentile. */
  readonly delay: number
}

/** Runs until V8 has compiled what is measured. */
const WARM = 5
const ONE_BY_ONE = 301

async function measure(options: SpeedOptions): Promise<Speed> {
  const nf = await connect()
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const bench = new Bench(nf, options, folder)
    const commit = await bench.commit(() => elementsOf(options.elements), elementsAsText(options.elements))
    await nf.commit(elementsOf(options.elements))
    const reading = await bench.reading(options.elements)
    const oneElement = await bench.oneElement(options.elements)
    await remove()
    const delay = await bench.delay(options.elements)
    const rules: { count: number; compared: Compared }[] = []
    for (const count of options.rules)
      rules.push({ count, compared: await bench.commit(() => rulesOf(count), rulesAsText(count)) })
    return { kernel: release(), commit, reading, oneElement, rules, delay }
  } finally {
    rmSync(folder, { recursive: true })
    await nf.close()
  }
}

class Bench {
  readonly #nf: NftClient
  readonly #options: SpeedOptions
  readonly #folder: string

  constructor(nf: NftClient, options: SpeedOptions, folder: string) {
    this.#nf = nf
    this.#options = options
    this.#folder = folder
  }

  /** A transaction that makes the table, each time anew. */
  async commit(make: () => Command[], text: string): Promise<Compared> {
    const nf = this.#nf
    const ours = async (): Promise<number> => {
      const time = await timeCommit(nf, make())
      await remove()
      return time
    }
    const theirs = (run: Run) => async (): Promise<number> => {
      const time = await run()
      await remove()
      return time
    }
    const cold = await ours()
    const messages = transactionOf(await recorded(client => client.commit(make())))
    const state = await listed()
    await remove()
    const requests = this.#file('messages', messages)
    const floor = (): Promise<number> => this.#floor(requests)
    const commands = this.#file('commands', text)
    const nft = (): Promise<number> => timed(`nft -f ${commands}`)
    for (const run of [floor, nft]) {
      await run()
      if ((await listed()) !== state) throw new Error('not everyone makes the same table')
      await remove()
    }
    return this.#compare({ cold, bytes: messages.length, ours, floor: theirs(floor), nft: theirs(nft) })
  }

  /** All elements of the map, which is there. */
  async reading(count: number): Promise<Compared> {
    const ours = async (): Promise<number> => {
      const start = performance.now()
      const { length } = await read(this.#nf)
      const time = performance.now() - start
      if (length !== count) throw new Error(`${length} elements were read`)
      return time
    }
    const cold = await ours()
    const crossings = await recorded(read)
    const bytes = crossings.reduce((sum, { reply }) => sum + reply.data.length, 0)
    const requests = this.#file('messages', dumpOf(crossings))
    const nft = (): Promise<number> => timed(`nft -j list map ip bench ${map.name} >/dev/null`)
    return this.#compare({ cold, bytes, ours, floor: () => this.#floor(requests), nft })
  }

  /** Elements added one after the other to the map with so many: milliseconds, median. */
  async oneElement(count: number): Promise<number> {
    say('elements one by one')
    const took: number[] = []
    for (let i = 0; i < ONE_BY_ONE; i++)
      took.push(await timeCommit(this.#nf, [{ add: { elements: { set: map, elements: [element(count + i)] } } }]))
    return quantile(took, 0.5)
  }

  /** How late the event loop is while elements are committed and read: milliseconds, 99th percentile. */
  async delay(count: number): Promise<number> {
    say('delay of the event loop')
    const delay = monitorEventLoopDelay({ resolution: 1 })
    for (let i = 0; i < this.#options.pairs; i++) {
      const commands = elementsOf(count)
      delay.enable()
      await this.#nf.commit(commands)
      await read(this.#nf)
      delay.disable()
      await remove()
    }
    return delay.percentile(99) / 1e6
  }

  async #compare(about: { cold: number; bytes: number; ours: Run; floor: Run; nft: Run }): Promise<Compared> {
    const { pairs: count, nftPairs } = this.#options
    const { cold, bytes, ours } = about
    await times(WARM, ours)
    say(`${count} pairs with the C program`)
    const floor = await pairs(count, ours, about.floor)
    say(`${nftPairs} pairs with nft`)
    return { cold, bytes, floor, nft: await pairs(nftPairs, ours, about.nft) }
  }

  #floor(requests: string): Promise<number> {
    return runFloor(this.#options.floor, NETLINK_NETFILTER, '/proc/self/ns/net', requests)
  }

  #file(name: string, content: string | Uint8Array): string {
    const file = join(this.#folder, name)
    writeFileSync(file, content)
    return file
  }
}

/** What is said for a task, after a client has connected. */
async function recorded(task: (nf: NftClient) => Promise<unknown>): Promise<readonly Crossing[]> {
  const crossings: Crossing[] = []
  const nf = await connect(transport => recording(transport, crossings))
  crossings.length = 0
  await task(nf)
  await nf.close()
  return crossings
}

/** The transaction among what was said, for any generation of the ruleset. */
function transactionOf(crossings: readonly Crossing[]): Uint8Array {
  for (const { request } of crossings) {
    const reader = new MessageReader(request ?? new Uint8Array())
    if (!request || messageAt(reader, 0)?.type !== BATCH_BEGIN) continue
    const commands = messageAt(reader, 0)?.end ?? 0
    const writer = new MessageWriter(HEADER)
    endMessage(writer, beginNetfilter(writer, BATCH_BEGIN, NLM_F_REQUEST, 0, 0, NFNL_SUBSYS_NFTABLES))
    return Buffer.concat([writer.written(), request.subarray(commands)])
  }
  throw new Error('there is no transaction')
}

/** The request for all elements. The library asks for more around it, to learn whether others changed something meanwhile. */
function dumpOf(crossings: readonly Crossing[]): Uint8Array {
  for (const { request } of crossings) {
    const first = request ? messageAt(new MessageReader(request), 0) : undefined
    if (request && first?.type === messageType(message.getElements)) return request.subarray(0, first.end)
  }
  throw new Error('there is no dump of elements')
}

/** The table as nft lists it, its elements in an order of ours. A hash table that still grows is not listed whole. */
async function listed(): Promise<string> {
  await quiet(1)
  return (await shell.run('nft list ruleset'))
    .split(/[,\n]/)
    .map(line => line.replace(/elements = {|}/, '').trim())
    .sort()
    .join('\n')
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? '') as SpeedOptions)))
shell.end()
