/** nftables in the memory kernel (net/netfilter/nf_tables_api.c): its messages, its transactions, and who is told of them. */
import { NLM_F_DUMP } from '../../netlink/message.js'
import { message, NFNLGRP_NFTABLES } from '../../nft/wire.js'
import { EINVAL, Errno } from '../errno.js'
import type { Batch, Callback, NetfilterRequest, Outcome, Subsystem } from '../netfilter.js'
import type { KernelSocket } from '../netlink.js'
import type { Policy } from '../policy.js'
import { putBe32, putText } from './attributes.js'
import { chainEntries, chainPolicy, deleteChainMessage, getChain, newChain } from './chains.js'
import { dumpElements, getElements } from './element-dumps.js'
import { elementListPolicy } from './element-keys.js'
import { deleteElements, newElements } from './elements.js'
import { expressionTypes } from './expressions/index.js'
import { deleteFlowtableMessage, flowtableEntries, flowtablePolicy, getFlowtable, newFlowtable } from './flowtables.js'
import { type Change, Kernel, type KernelOptions } from './kernel.js'
import { type Entry, putMessage, reply, startDump } from './messages.js'
import { Notices } from './notices.js'
import { deleteObjectMessage, getObject, newObject, objectEntries, objectPolicy } from './objects.js'
import { getRule, ruleEntries } from './rule-dumps.js'
import { deleteRuleMessage, newRule, rulePolicy } from './rules.js'
import { setPolicy } from './set-description.js'
import { getSet, setEntries } from './set-dumps.js'
import { collect, deleteSetMessage, newSet } from './sets.js'
import { deleteTable, getTable, newTable, releaseOwned, tableEntries, tablePolicy } from './tables.js'
import { Transaction } from './transaction.js'
import { validate } from './validate.js'

const NLM_F_ECHO = 8
/** Messages that bring jumps, and what may not stand everywhere. */
const VALIDATED: readonly number[] = [message.newRule, message.newElements]
/** NFTA_GEN_* */
const GENERATION = { id: 1, processId: 2, processName: 3 } as const

export class Nftables implements Subsystem {
  readonly #kernel: Kernel
  readonly #sockets: ReadonlySet<KernelSocket>
  readonly #callbacks: ReadonlyMap<number, Callback>

  /** @param sockets of netfilter: those that have joined the group are told of changes */
  constructor(options: KernelOptions, sockets: ReadonlySet<KernelSocket>) {
    this.#kernel = new Kernel(options, expressionTypes)
    this.#sockets = sockets
    this.#callbacks = new Map(callbacks(this.#kernel))
  }

  callback(number: number): Callback | undefined {
    return this.#callbacks.get(number)
  }

  begin(generation: number, validates: boolean): Batch | undefined {
    if (generation !== 0 && generation !== this.#kernel.generation) return undefined
    collect(this.#kernel)
    return new NftBatch(this.#kernel, this.#sockets, validates)
  }

  /** A socket was closed. */
  release(portId: number): void {
    releaseOwned(this.#kernel, portId)
  }
}

class NftBatch implements Batch {
  readonly transaction = new Transaction()
  readonly #kernel: Kernel
  readonly #sockets: ReadonlySet<KernelSocket>

  constructor(kernel: Kernel, sockets: ReadonlySet<KernelSocket>, validates: boolean) {
    this.#kernel = kernel
    this.#sockets = sockets
    this.transaction.validates = validates
  }

  commit(socket: KernelSocket, first: { readonly flags: number; readonly sequence: number }): Outcome {
    const { transaction } = this
    if (transaction.empty) return 'done'
    if (transaction.unbound.size > 0) return this.#refuse(new Errno(EINVAL))
    if (!this.#valid()) return this.#refuse('again')
    this.#kernel.generation = (this.#kernel.generation + 1) >>> 0 || 1
    const notices = new Notices([...this.#sockets].some(({ groups }) => groups.has(NFNLGRP_NFTABLES)))
    transaction.carryOut(notices)
    for (const { data, echo } of notices.take()) this.#send(socket, data, echo)
    this.#tellGeneration(socket, first)
    return 'done'
  }

  abort(tried: boolean): Outcome {
    return this.#refuse(tried && !this.#valid() ? 'again' : 'done')
  }

  #refuse(outcome: Outcome): Outcome {
    this.transaction.abort()
    return outcome
  }

  #valid(): boolean {
    if (!this.transaction.needsValidation) return true
    try {
      validateAll(this.#kernel)
      return true
    } catch (error) {
      if (error instanceof Errno) return false
      throw error
    }
  }

  /** nlmsg_notify: who made the transaction is told only when it asked for an echo, and then once. */
  #send(socket: KernelSocket, data: Uint8Array, echo: boolean): void {
    for (const listener of this.#sockets)
      if (listener.groups.has(NFNLGRP_NFTABLES) && !(echo && listener === socket)) listener.deliver(data)
    if (echo) socket.deliver(data)
  }

  /** nf_tables_gen_notify */
  #tellGeneration(socket: KernelSocket, { flags, sequence }: { readonly flags: number; readonly sequence: number }): void {
    const notices = new Notices(true)
    notices.add((flags & NLM_F_ECHO) !== 0, writer => putGeneration(writer, this.#kernel, socket, sequence))
    for (const { data, echo } of notices.take()) this.#send(socket, data, echo)
  }
}

function putGeneration(writer: Parameters<typeof putMessage>[0], kernel: Kernel, socket: KernelSocket, sequence: number): void {
  const { generation } = kernel
  const header = { number: message.newGeneration, flags: 0, family: 0, sequence, portId: socket.portId, generation }
  putMessage(writer, header, () => putGenerationAttributes(writer, generation))
}

/** nf_tables_fill_gen_info: the process is that of whoever asks. */
function putGenerationAttributes(writer: Parameters<typeof putMessage>[0], generation: number): void {
  putBe32(writer, GENERATION.id, generation)
  putBe32(writer, GENERATION.processId, process.pid)
  putText(writer, GENERATION.processName, 'node')
}

type Write = (change: Change) => void

/** Of others stays what they did before they failed, until the transaction is taken back: elements that were added, rules that were removed. */
const whole =
  (work: Write): Write =>
  change =>
    change.transaction.attempt(() => work(change))

type Entries = (kernel: Kernel, request: NetfilterRequest) => Iterable<Entry>

/** What each message does. */
function callbacks(kernel: Kernel): [number, Callback][] {
  const write = (policy: Policy, work: Write, ...numbers: number[]): [number, Callback][] =>
    numbers.map(number => [number, { policy, write: (request, batch) => carryOut(kernel, number, request, batch, work) }])
  const read = (
    number: number,
    answer: number,
    policy: Policy,
    one: (kernel: Kernel, request: NetfilterRequest) => void,
    entries?: Entries,
  ): [number, Callback] => [
    number,
    {
      policy,
      read(request) {
        const dumps = (request.message.flags & NLM_F_DUMP) === NLM_F_DUMP
        if (!dumps || !entries) return one(kernel, request)
        const { sequence } = request.message
        startDump(
          request.socket,
          { number: answer, sequence },
          () => kernel.generation,
          () => entries(kernel, request),
        )
      },
    },
  ]
  return [
    ...write(tablePolicy, whole(newTable), message.newTable),
    ...write(tablePolicy, deleteTable, message.deleteTable, message.destroyTable),
    read(message.getTable, message.newTable, tablePolicy, getTable, tableEntries),
    ...write(chainPolicy, whole(newChain), message.newChain),
    ...write(chainPolicy, deleteChainMessage, message.deleteChain, message.destroyChain),
    read(message.getChain, message.newChain, chainPolicy, getChain, chainEntries),
    ...write(rulePolicy, whole(newRule), message.newRule),
    ...write(rulePolicy, deleteRuleMessage, message.deleteRule, message.destroyRule),
    ...[message.getRule, message.getRuleReset].map(number => {
      const reset = number === message.getRuleReset
      const one = (k: Kernel, request: NetfilterRequest) => getRule(k, request, reset)
      return read(number, message.newRule, rulePolicy, one, (k, request) => ruleEntries(k, request, reset))
    }),
    ...write(objectPolicy, whole(newObject), message.newObject),
    ...write(objectPolicy, deleteObjectMessage, message.deleteObject, message.destroyObject),
    ...[message.getObject, message.getObjectReset].map(number => {
      const reset = number === message.getObjectReset
      const one = (k: Kernel, request: NetfilterRequest) => getObject(k, request, reset)
      return read(number, message.newObject, objectPolicy, one, (k, request) => objectEntries(k, request, reset))
    }),
    ...write(setPolicy, whole(newSet), message.newSet),
    ...write(setPolicy, deleteSetMessage, message.deleteSet, message.destroySet),
    [message.getSet, { policy: setPolicy, read: request => readSets(kernel, request) }],
    ...write(elementListPolicy, newElements, message.newElements),
    ...write(elementListPolicy, deleteElements, message.deleteElements, message.destroyElements),
    ...[message.getElements, message.getElementsReset].map((number): [number, Callback] => [
      number,
      { policy: elementListPolicy, read: request => readElements(kernel, request, number === message.getElementsReset) },
    ]),
    ...write(flowtablePolicy, whole(newFlowtable), message.newFlowtable),
    ...write(flowtablePolicy, deleteFlowtableMessage, message.deleteFlowtable, message.destroyFlowtable),
    read(message.getFlowtable, message.newFlowtable, flowtablePolicy, getFlowtable, flowtableEntries),
    read(message.getGeneration, message.newGeneration, {}, getGeneration),
  ]
}

function readSets(kernel: Kernel, request: NetfilterRequest): void {
  const { socket, message: asked } = request
  if ((asked.flags & NLM_F_DUMP) !== NLM_F_DUMP) return getSet(kernel, request)
  const entries = setEntries(kernel, request)
  startDump(socket, { number: message.newSet, sequence: asked.sequence }, () => kernel.generation, entries)
}

function readElements(kernel: Kernel, request: NetfilterRequest, reset: boolean): void {
  if ((request.message.flags & NLM_F_DUMP) === NLM_F_DUMP) dumpElements(kernel, request, reset)
  getElements(kernel, request, reset)
}

function getGeneration(kernel: Kernel, { socket, message: { sequence } }: NetfilterRequest): void {
  const { generation } = kernel
  const header = { number: message.newGeneration, flags: 0, family: 0, sequence, portId: socket.portId, generation }
  reply(socket, header, writer => putGenerationAttributes(writer, generation))
}

function carryOut(kernel: Kernel, number: number, request: NetfilterRequest, batch: Batch, work: Write): void {
  if (!(batch instanceof NftBatch)) throw new Error('a batch of another subsystem')
  const { transaction } = batch
  work({ ...request, kernel, transaction, number })
  // What fails here stays until the end, and every message behind it fails as well.
  if (transaction.validates && VALIDATED.includes(number)) validateAll(kernel)
}

function validateAll(kernel: Kernel): void {
  for (const table of kernel.tables.values()) validate(table)
}
