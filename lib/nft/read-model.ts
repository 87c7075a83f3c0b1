/** Reads what is there: each kind as it is in one generation, which need not be the same for all. Notifications make up for that. */
import { type MessageReader, MessageWriter } from '../netlink/buffer.js'
import type { Limit } from '../netlink/channel.js'
import { endMessage, type Message, NLM_F_REQUEST } from '../netlink/message.js'
import { beginNetfilter, NETFILTER_HEADER } from '../netlink/netfilter.js'
import { Turns } from '../netlink/turns.js'
import type { Answer } from './answer.js'
import { everChanging, isMissing } from './asking.js'
import { decodeElements } from './element-list.js'
import { familyFromWire } from './family.js'
import { GENERATION, type Generation, generationOf, type Kernel, type Request } from './kernel.js'
import { Model, type ModelObject, type ModelWord } from './model.js'
import { ElementReader } from './objects/element-reader.js'
import * as read from './read.js'
import type { Element, Family, NftSet } from './types.js'
import { BATCH_BEGIN, batchAttributes, message, NFNL_SUBSYS_NFTABLES, setElementListAttributes } from './wire.js'

/** Which objects to know. */
export interface Scope {
  readonly family: Family | undefined
  readonly table: string | undefined
  /** The elements of sets as well. */
  readonly elements: boolean
}

const KINDS: Readonly<Record<ModelWord, read.Kind<ModelObject>>> = {
  table: read.tables,
  chain: read.chains,
  rule: read.rules,
  set: read.sets,
  object: read.objects,
  flowtable: read.flowtables,
}

const filterOf = (word: ModelWord, { family, table }: Scope): read.Filter =>
  word === 'table' ? { family, name: table } : { family, table }

/** The object of a message, when it is within the scope. */
export function objectOf(
  word: ModelWord,
  reader: MessageReader,
  { payload, end }: Message,
  scope: Scope,
): ModelObject | undefined {
  const family = familyFromWire(reader.bytes[payload] as number)
  if (family === undefined || (scope.family ?? family) !== family) return undefined
  const object = KINDS[word].read(family, reader, payload + NETFILTER_HEADER, end)
  const table = word === 'table' ? object?.name : object?.table
  return scope.table === undefined || table === scope.table ? object : undefined
}

/**
 * What is there: the state of `model.generation`, but for parts that are as they were in a later one, up to `newest`. All that the kernel has
 * to tell up to `model.generation` is told by then.
 */
export async function readModel(kernel: Kernel, scope: Scope, limit: Limit): Promise<{ model: Model; newest: Generation }> {
  const model = new Model(scope.elements)
  const turns = new Turns()
  model.generation = await kernel.readGeneration(limit)
  await transactionInProgress(kernel, model.generation, limit)
  const reading = new Reading(kernel, model.generation, limit)
  const family = read.familyNumber(scope.family)
  for (const word of Object.keys(KINDS) as ModelWord[]) {
    const kind = KINDS[word]
    const filter = filterOf(word, scope)
    const [answer] = await reading.ask([{ number: kind.get, family, body: kind.body(filter) }])
    if (!answer) continue
    for (const object of await read.decode(answer, kind, filter)) {
      model.add(word, object)
      if (turns.due(1)) await turns.give()
    }
  }
  if (scope.elements) await readElements(model, reading, turns)
  return { model, newest: reading.newest }
}

/**
 * Waits for the transaction that the kernel may just be carrying out: it counts the generation up first, then changes what listings show, and
 * tells it last (nf_tables_commit). One for another generation is refused, once it has waited for the lock (nf_tables_valid_genid).
 */
async function transactionInProgress({ reads }: Kernel, generation: Generation, limit: Limit): Promise<void> {
  const writer = new MessageWriter(64)
  const sequence = reads.sequence(1)
  const start = beginNetfilter(writer, BATCH_BEGIN, NLM_F_REQUEST, sequence, 0, NFNL_SUBSYS_NFTABLES)
  batchAttributes.encode(writer, { generation: (generation ^ 0x8000_0000) >>> 0 || 1 })
  endMessage(writer, start)
  await reads.exchange(writer.written(), sequence, limit)
}

/** Answers that are each of one generation. */
class Reading {
  readonly #kernel: Kernel
  readonly #limit: Limit
  /** The newest generation that was seen. */
  newest: Generation

  constructor(kernel: Kernel, generation: Generation, limit: Limit) {
    this.#kernel = kernel
    this.#limit = limit
    this.newest = generation
  }

  /**
   * Asks until nothing changes meanwhile. The generations behind and before have to be the same: listings take no lock, and the kernel marks
   * only what it notices to be torn. What is not there answers nothing.
   */
  async ask(requests: readonly Request[]): Promise<(Answer | undefined)[]> {
    for (let tries = 0; tries < read.TRIES; tries++) {
      const answers = await this.#kernel.dumps([...requests, GENERATION], this.#limit)
      const before = this.newest
      this.newest = generationOf((answers.pop() as Answer).orThrow())
      if (this.newest === before) return answers.map(answer => (isMissing(answer.refusal) ? undefined : answer.orThrow()))
    }
    throw everChanging('watch', read.TRIES)
  }
}

/** Bytes that one answer should bring, and how many sets are asked for at first, and at most. */
const CROSSING = 512 << 10
const FIRST_SETS = 64
const MOST_SETS = 2048

async function readElements(model: Model, reading: Reading, turns: Turns): Promise<void> {
  const sets = [...model.sets()]
  for (let at = 0, size = FIRST_SETS; at < sets.length; ) {
    const some = sets.slice(at, at + size)
    const answers = await reading.ask(some.map(elementsRequest))
    const bytes = answers.reduce((sum, answer) => sum + (answer?.size ?? 0), 1)
    size = Math.max(1, Math.min(MOST_SETS, Math.floor((CROSSING / bytes) * some.length)))
    at += some.length
    for (const [i, set] of some.entries()) {
      const answer = answers[i] // none where it is gone by now: that will be told
      const elements: Element[] = []
      const reader = new ElementReader(set)
      if (answer) await decodeElements(reader, answer, elements, turns)
      reader.end(elements)
      await model.set(set)?.elements?.add(set, elements, turns)
    }
  }
}

function elementsRequest({ family, table, name }: NftSet): Request {
  const body: Request['body'] = writer => setElementListAttributes.encode(writer, { table, set: name })
  return { number: message.getElements, family: read.familyNumber(family), body }
}

/** What `Model.owned` says of what is there. */
export async function readOwners(kernel: Kernel, scope: Scope, limit: Limit): Promise<string> {
  const model = new Model()
  for (const table of await read.list(kernel, read.tables, filterOf('table', scope), limit)) model.add('table', table)
  return model.owned()
}
