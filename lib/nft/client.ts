import type { CallOptions, Limit } from '../netlink/channel.js'
import { BadValue, shown } from '../netlink/schema.js'
import { asking } from './asking.js'
import { type Capabilities, type CapabilityOptions, findCapabilities } from './capabilities.js'
import { type CommandBuilder, checkCommitOptions, commit, commitBuilt, inTurn, listOf } from './commit.js'
import { type AppliedDocument, type ApplyOptions, Documents, type Plan, type RulesetFilter } from './document/client.js'
import { ElementList, type SetLike, typed } from './element-list.js'
import { familyToWire } from './family.js'
import { readElementsOf } from './get-elements.js'
import type { Document } from './json/index.js'
import type { Generation, Kernel } from './kernel.js'
import { checkFilter, checkFlags, checkOptions } from './known-fields.js'
import type { CommitOptions, FlushOptions, ListFilter, ObjectFilter, RuleFilter } from './options.js'
import * as read from './read.js'
import { ofObjects, ofRules, type Reset, reset as resetAll, resetElements } from './reset.js'
import { readSnapshot, type Snapshot, type SnapshotFilter } from './snapshot.js'
import { type Committed, flushRuleset } from './transaction.js'
import type {
  Chain,
  Command,
  Element,
  ElementKey,
  Family,
  Flowtable,
  KeyOf,
  NftSet,
  ObjectKey,
  Rule,
  RuleKey,
  StatefulObject,
  Table,
} from './types.js'
import { Watch, type WatchEvent, type WatchOptions } from './watch.js'
import { message } from './wire.js'

const ATTEMPTS = 10

/**
 * A client. Calls run in the order in which they were made. Every call takes `signal` and `deadline`: before the request was sent they end
 * it with `applied: 'no'`, after that at once with `applied: 'unknown'`.
 */
export class NftClient {
  readonly #kernel: Kernel
  readonly #watches = new Set<Watch>()
  readonly #documents: Documents
  #capabilities: Capabilities | undefined

  /** @internal */
  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#documents = new Documents(this, kernel)
  }

  /**
   * Carries out the commands as one transaction: all of them, or none. The list is a value: the client does not keep it.
   *
   * Given a function, it makes the commands of the generation that it is called with, and may read with this client for that: they are
   * carried out only if nobody has changed anything since; otherwise it is called again, up to `attempts` times.
   *
   * @throws {TransactionError} what the kernel refused or what interrupted it, and that nothing was changed; or that it is not known
   * @throws {TypeError | RangeError} for what can not be sent, with its place: `commands[2].add.chain.hook`
   * @example
   * await nf.commit(async () => (await nf.chains()).filter(isUnused).map(chain => ({ delete: { chain } })))
   */
  async commit(commands: readonly Command[] | CommandBuilder, options: CommitOptions = {}): Promise<Committed> {
    checkCommitOptions(options)
    if (typeof commands !== 'function') return this.#commit(commands, options)
    const { attempts = ATTEMPTS } = options
    if (options.generation !== undefined)
      throw new TypeError('options.generation: a function is given the generation: give the one or the other')
    return commitBuilt(this.#kernel, commands, attempts, options, (list, generation, left) =>
      this.#commit(list, { ...options, ...left, generation }),
    )
  }

  async #commit(commands: readonly Command[], options: CommitOptions): Promise<Committed> {
    const list = listOf(commands)
    const { generation, handles = false, split, onSent } = options
    return commit(this.#kernel, list, { generation, handles, commit: true, split, onSent }, options)
  }

  /**
   * Lets the kernel try the commands, or a document, without carrying them out. Rejects as `commit` and `apply` do, but for what the kernel
   * notices only at the end: an anonymous set that no rule uses, or a device that does not offload.
   */
  async check(commands: readonly Command[] | Document, options: CallOptions = {}): Promise<void> {
    checkOptions(options)
    if (isDocument(commands)) return this.#documents.check(commands, options)
    const list = listOf(commands)
    await commit(this.#kernel, list, { handles: false, commit: false }, options)
  }

  /**
   * Carries out a document of libnftables JSON as one transaction, as `nft -j -f` does: all of its commands, or none.
   *
   * What it depends on (sets that rules refer to, rules that are named by their place, intervals that are merged) is read before, and again
   * where others changed it meanwhile.
   *
   * @throws {TypeError | RangeError} for what can not be one, with its place: `nftables[3].add.rule.expr[1].match.right`
   * @throws {TransactionError} what the kernel refused, with its place in the document; nothing was changed
   * @example
   * await nf.apply({ nftables: [
   *   { add: { table: { family: 'inet', name: 'web' } } },
   *   { add: { set: { family: 'inet', table: 'web', name: 'blocked', type: 'ipv4_addr', elem: ['192.0.2.1'] } } },
   * ] })
   */
  apply(document: Document, options: ApplyOptions = {}): Promise<AppliedDocument> {
    return asking('apply', '', async () => {
      checkOptions(options, ['generation', 'echo', 'attempts'])
      return this.#documents.apply(document, options)
    })
  }

  /**
   * The fewest commands that make tables as they are wanted. Rules, objects and elements that are the same stay, with their handles and
   * counters; of the tables that are not named nothing is changed. What the kernel can not change (the hook of a chain, the types of a set) is
   * made anew, and what refers to it.
   *
   * @param wanted objects, or `add` of objects: all that the tables are to have
   * @throws {TypeError | RangeError} for what can not be one, with its place
   * @example
   * const { document, generation } = await nf.plan(wanted)
   * console.log(nft.renderCommands(document))
   * await nf.apply(document, { generation })
   */
  plan(wanted: Document, options: CallOptions = {}): Promise<Plan> {
    return asking('plan', '', async () => {
      checkOptions(options)
      return this.#documents.plan(wanted, options)
    })
  }

  /**
   * The ruleset, or a part of it, as `nft -j list ruleset` of nftables 1.1.3 prints it. `apply` takes it.
   *
   * Numbers above 2^53, which `JSON.parse` would round, are text; `apply` takes them as text and as bigints. `documentToText` writes them as
   * `nft -j` does, `documentOfText` reads such text without loss.
   *
   * @example
   * const { nftables } = await nf.ruleset({ family: 'inet' })
   */
  ruleset(filter: RulesetFilter = {}): Promise<Document> {
    return asking('ruleset', read.describe(filter), async () => {
      checkOptions(filter, ['family', 'table', 'whole'])
      return this.#documents.ruleset(filter)
    })
  }

  /** The same as text: as `nft list ruleset` prints it, and `nft -f` takes it. */
  rulesetText(filter: Omit<RulesetFilter, 'whole'> = {}): Promise<string> {
    return asking('rulesetText', read.describe(filter), async () => {
      checkOptions(filter, ['family', 'table'])
      return this.#documents.text(filter)
    })
  }

  /**
   * Removes all tables, or all of a family, with everything in them. Nothing else does, and it has to be said which. Tables that another
   * client owns stay.
   *
   * @throws {TransactionError}
   * @example
   * await nf.flushRuleset('all')
   */
  flushRuleset(which: Family | 'all', { generation, ...options }: FlushOptions = {}): Promise<Committed> {
    return asking('flushRuleset', String(which), async () => {
      checkOptions(options)
      return inTurn(this.#kernel, options, limit => {
        const family = which === 'all' ? 0 : familyToWire(which)
        return flushRuleset(this.#kernel, family, { generation, handles: false, commit: true }, limit)
      })
    })
  }

  /** The ruleset's version: each transaction counts it up by 1, whoever made it. */
  async generation(options: CallOptions = {}): Promise<Generation> {
    checkOptions(options)
    return this.#ask('generation', '', options, limit => this.#kernel.readGeneration(limit))
  }

  /** Tables. This list and those below are each of one generation: read again where others changed it meanwhile, up to 10 times. */
  tables({ family, table, ...options }: ListFilter = {}): Promise<Table[]> {
    return this.#list('tables', read.tables, { family, name: table }, options)
  }

  /** Chains, in no order. */
  chains({ family, table, ...options }: ListFilter = {}): Promise<Chain[]> {
    return this.#list('chains', read.chains, { family, table }, options)
  }

  /** Rules, in the order in which the kernel executes those of a chain. */
  rules({ family, table, chain, ...options }: RuleFilter = {}): Promise<Rule[]> {
    return this.#list('rules', read.rules, { family, table, chain }, options)
  }

  /** Sets and maps without their elements, the anonymous ones of rules as well. */
  sets({ family, table, ...options }: ListFilter = {}): Promise<NftSet[]> {
    return this.#list('sets', read.sets, { family, table }, options)
  }

  /** Stateful objects. */
  objects({ family, table, type, ...options }: ObjectFilter = {}): Promise<StatefulObject[]> {
    return this.#list('objects', read.objects, { family, table, type }, options)
  }

  /** Flowtables. */
  flowtables({ family, table, ...options }: ListFilter = {}): Promise<Flowtable[]> {
    return this.#list('flowtables', read.flowtables, { family, table }, options)
  }

  /** One table by its name or its handle; undefined when it is not there. */
  getTable(key: KeyOf<'table'>, options?: CallOptions): Promise<Table | undefined> {
    return this.#get('getTable', read.tables, key, options)
  }

  /** One chain by its name or its handle; undefined when it is not there, or its table is not. */
  getChain(key: KeyOf<'chain'>, options?: CallOptions): Promise<Chain | undefined> {
    return this.#get('getChain', read.chains, key, options)
  }

  /** One rule; undefined when it is not there, or its chain is not. */
  getRule(key: RuleKey, options?: CallOptions): Promise<Rule | undefined> {
    return this.#get('getRule', read.rules, key, options)
  }

  /** One set by its name or its handle, without its elements; undefined when it is not there, or its table is not. */
  getSet(key: KeyOf<'set'>, options?: CallOptions): Promise<NftSet | undefined> {
    return this.#get('getSet', read.sets, key, options)
  }

  /** One object by its type and its name or handle; undefined when it is not there, or its table is not. */
  getObject(key: KeyOf<'object'>, options?: CallOptions): Promise<StatefulObject | undefined> {
    return this.#get('getObject', read.objects, key, options)
  }

  /** One flowtable by its name or its handle; undefined when it is not there, or its table is not. */
  getFlowtable(key: KeyOf<'flowtable'>, options?: CallOptions): Promise<Flowtable | undefined> {
    return this.#get('getFlowtable', read.flowtables, key, options)
  }

  /**
   * The elements of a set, read as they are iterated over. Give it a set that was read or added, and the kernel need not be asked for its
   * types first.
   *
   * @example
   * for await (const { key } of nf.elements({ family: 'inet', table: 'web', name: 'blocked' })) console.log(key)
   */
  elements(set: SetLike, options: CallOptions = {}): ElementList {
    checkOptions(options)
    return new ElementList(this.#kernel, set, options)
  }

  /**
   * The elements of these keys, in their order; undefined where there is none. A key within an interval finds the interval.
   *
   * @throws {NetlinkError} `no-such-object`: there is no such set
   */
  async getElements(set: SetLike, keys: readonly ElementKey[], options: CallOptions = {}): Promise<(Element | undefined)[]> {
    const wanted = keysOf(keys)
    const types = await typed(this.#kernel, set, 'getElements', options)
    return this.#ask('getElements', read.describe(types), options, limit =>
      readElementsOf(this.#kernel, message.getElements, types, wanted, limit),
    )
  }

  /**
   * The ruleset, or a part of it, as plain data, all of one generation: read again where others changed it meanwhile, up to 5 times; after
   * that `consistent` is false. `recreate` makes the commands of it that write it again.
   *
   * @example
   * const snapshot = await nf.snapshot({ family: 'inet', table: 'web' })
   * await elsewhere.commit(await recreate(snapshot))
   */
  async snapshot({ family, table, elements, ...options }: SnapshotFilter & CallOptions = {}): Promise<Snapshot> {
    checkOptions(options, ['family', 'table', 'elements'])
    checkFlags({ elements }, ['elements'])
    return this.#ask('snapshot', read.describe({ family, table }), options, limit =>
      readSnapshot(this.#kernel, { family, table, elements }, limit),
    )
  }

  /**
   * Sets the counters and quotas of rules back, and returns the rules as they were. Linux 6.2. What a transaction by others makes the kernel
   * leave out keeps its counts.
   *
   * @param filter a chain needs its table beside it, a handle all of chain, table and family
   * @throws {NetlinkError} `not-supported`
   */
  resetRules({ family, table, chain, handle, ...options }: RuleFilter & Partial<RuleKey> = {}): Promise<Rule[]> {
    return this.#reset('resetRules', ofRules, read.rules, { family, table, chain, handle }, options)
  }

  /** Sets counters and quotas back, and returns the objects as they were. @param filter a name needs type, table and family beside it */
  resetObjects({ family, table, type, name, ...options }: ObjectFilter & Partial<ObjectKey> = {}): Promise<StatefulObject[]> {
    return this.#reset('resetObjects', ofObjects, read.objects, { family, table, type, name }, options)
  }

  /**
   * Sets the counters and quotas of a set's elements back, and returns the elements as they were. Linux 6.5.
   *
   * @param keys default: all
   * @throws {NetlinkError} `not-supported`, `no-such-object`
   */
  async resetElements(set: SetLike, keys?: readonly ElementKey[], options: CallOptions = {}): Promise<Element[]> {
    const wanted = keys && keysOf(keys)
    const types = await typed(this.#kernel, set, 'resetElements', options)
    return this.#ask('resetElements', read.describe(types), options, limit => resetElements(this.#kernel, types, wanted, limit))
  }

  async #reset<T>(operation: string, reset: Reset, kind: read.Kind<T>, filter: read.Filter, options: CallOptions): Promise<T[]> {
    checkFilter(options, filter)
    return this.#ask(operation, read.describe(filter), options, limit => resetAll(this.#kernel, reset, kind, filter, limit))
  }

  async #list<T>(operation: string, kind: read.Kind<T>, filter: read.Filter, options: CallOptions): Promise<T[]> {
    checkFilter(options, filter)
    return this.#ask(operation, read.describe(filter), options, limit => read.list(this.#kernel, kind, filter, limit))
  }

  #get<T>(operation: string, kind: read.Kind<T>, key: read.Filter, options: CallOptions | undefined): Promise<T | undefined> {
    return asking(operation, '', async () => {
      if (options !== undefined) checkOptions(options)
      const filter = read.keyOf(kind, key)
      return this.#ask(operation, read.describe(filter), options, limit => read.find(this.#kernel, kind, filter, limit))
    })
  }

  /**
   * What this kernel can do in this namespace, and what it lacks. It is found out by transactions that are only tried, once for each client:
   * the kernel may load modules for them, and nothing else remains.
   *
   * @throws {NetlinkError} what came between; that nftables can not be used here is told in the result
   * @example
   * const { expressions } = await nf.capabilities()
   * if (!expressions.queue?.families.includes('inet')) throw new Error(`no queue: ${expressions.queue?.missing[0]?.option}`)
   */
  async capabilities(options: CapabilityOptions = {}): Promise<Capabilities> {
    checkOptions(options, ['commit'])
    checkFlags(options, ['commit'])
    const known = this.#capabilities
    if (known && (!options.commit || known.elementTimeoutUpdate !== undefined)) return known
    const found = await findCapabilities(this.#kernel, options)
    if (found.available) this.#capabilities = found
    return found
  }

  /**
   * What changes from now on, one event for each transaction, whoever makes it. Nothing is left out and nothing told twice: where the kernel
   * dropped events because they were not read in time, and where a table went with its owner, which the kernel does not tell, the ruleset is
   * read again, and one event has the difference.
   *
   * What this client does behind the call is told, and what others do once the ruleset was read, in the turn of this call: with `initial`
   * the first event says so. It ends when the loop is left, with `signal`, and with the client, and throws what ends it otherwise; until
   * then it holds a socket, and keeps the process running.
   *
   * @throws {NetlinkError} `not-permitted`
   * @throws {TypeError | RangeError} for a wrong option
   * @example
   * for await (const { process, changes } of nf.watch({ table: 'web' }))
   *   for (const { type, object } of changes) console.log(`${process?.name}: ${object} ${type}`)
   */
  watch(options: WatchOptions = {}): AsyncIterableIterator<WatchEvent, void, void> & AsyncDisposable {
    this.#kernel.throwIfClosed()
    const watch = new Watch(this.#kernel, options, ended => this.#watches.delete(ended))
    this.#watches.add(watch)
    return watch
  }

  #ask<T>(operation: string, target: string, options: CallOptions | undefined, task: (limit: Limit) => Promise<T>): Promise<T> {
    return asking(operation, target, () => this.#kernel.call(options, task))
  }

  /** Closes it when the calls that were made have ended. Tables that it owns go, unless they persist. */
  async close(): Promise<void> {
    await Promise.all([...this.#watches].map(watch => watch.return()))
    await this.#kernel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const isDocument = (given: readonly Command[] | Document): given is Document =>
  given !== null && typeof given === 'object' && !Array.isArray(given)

function keysOf(keys: readonly ElementKey[]): readonly ElementKey[] {
  if (!Array.isArray(keys)) throw new BadValue('type', `${shown(keys)}: give a list of keys`).within('keys').toError()
  return keys.slice()
}
