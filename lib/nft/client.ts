import type { CallOptions, Limit } from '../netlink/channel.js'
import { BadValue, shown } from '../netlink/schema.js'
import { asking } from './asking.js'
import type { Generation, Kernel } from './kernel.js'
import * as read from './read.js'
import { type Committed, transact } from './transaction.js'
import type {
  Chain,
  Command,
  Family,
  Flowtable,
  KeyOf,
  NftSet,
  ObjectType,
  Rule,
  RuleKey,
  StatefulObject,
  Table,
} from './types.js'
import { Watch, type WatchEvent, type WatchOptions } from './watch.js'

/** Options of `commit`. */
export interface CommitOptions extends CallOptions {
  /** Refuse the transaction unless this is the generation: nobody has changed anything since it was read. */
  readonly generation?: Generation | undefined
  /** Return the handles of what is added. It costs about a third more. Default false. */
  readonly handles?: boolean | undefined
}

/** Which objects to list. */
export interface ListFilter extends CallOptions {
  /** Default: all families. */
  readonly family?: Family | undefined
  /** Default: all tables. */
  readonly table?: string | undefined
}

/** Which rules to list. */
export interface RuleFilter extends ListFilter {
  /** Default: all chains. */
  readonly chain?: string | undefined
}

/** Which stateful objects to list. */
export interface ObjectFilter extends ListFilter {
  /** Default: all types. */
  readonly type?: ObjectType | number | undefined
}

/**
 * A client. Calls run in the order in which they were made. Every call takes `signal` and `deadline`: before the request was sent they end
 * it with `applied: 'no'`, after that at once with `applied: 'unknown'`.
 */
export class NftClient {
  readonly #kernel: Kernel
  readonly #watches = new Set<Watch>()

  /** @internal */
  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /**
   * Carries out the commands as one transaction: all of them, or none. The list is a value: the client does not keep it.
   *
   * @throws {TransactionError} what the kernel refused, and that nothing was changed; or that it is not known
   * @throws {TypeError | RangeError} for what can not be sent, with its place: `commands[2].add.chain.hook`
   */
  commit(commands: readonly Command[], options: CommitOptions = {}): Promise<Committed> {
    const list = listOf(commands)
    return this.#kernel.call(options, limit =>
      transact(this.#kernel, list, { generation: options.generation, handles: options.handles ?? false, commit: true }, limit),
    )
  }

  /** Lets the kernel try the commands without carrying them out. Rejects as `commit` does. */
  async check(commands: readonly Command[], options: CallOptions = {}): Promise<void> {
    const list = listOf(commands)
    await this.#kernel.call(options, limit => transact(this.#kernel, list, { handles: false, commit: false }, limit))
  }

  /** The ruleset's version: each transaction counts it up by 1, whoever made it. */
  generation(options?: CallOptions): Promise<Generation> {
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

  #list<T>(operation: string, kind: read.Kind<T>, filter: read.Filter, options: CallOptions): Promise<T[]> {
    return this.#ask(operation, read.describe(filter), options, limit => read.list(this.#kernel, kind, filter, limit))
  }

  #get<T>(operation: string, kind: read.Kind<T>, key: read.Filter, options: CallOptions | undefined): Promise<T | undefined> {
    return asking(operation, '', async () => {
      const filter = read.keyOf(kind, key)
      return this.#ask(operation, read.describe(filter), options, limit => read.find(this.#kernel, kind, filter, limit))
    })
  }

  /**
   * What changes from now on, one event for each transaction, whoever makes it. Nothing is left out and nothing told twice: where the kernel
   * dropped events because they were not read in time, and where a table went with its owner, which the kernel does not tell, the ruleset is
   * read again, and one event has the difference.
   *
   * It watches from the call on. It ends when the loop is left, with `signal`, and with the client, and throws what ends it otherwise.
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

/** The caller may change its list before its turn comes. */
function listOf(commands: readonly Command[]): readonly Command[] {
  if (!Array.isArray(commands))
    throw new BadValue('type', `${shown(commands)}: give a list of commands`).within('commands').toError()
  return commands.slice()
}
