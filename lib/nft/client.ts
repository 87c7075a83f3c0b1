import type { CallOptions, Limit } from '../netlink/channel.js'
import { NETFILTER_HEADER } from '../netlink/netfilter.js'
import { BadValue, shown } from '../netlink/schema.js'
import { familyFromWire, familyToWire } from './family.js'
import type { Generation, Kernel } from './kernel.js'
import { readChain } from './objects/chain.js'
import { readRule } from './objects/rule.js'
import { readTable } from './objects/table.js'
import { type Committed, transact } from './transaction.js'
import type { Chain, Command, Family, Rule, Table } from './types.js'
import { chainAttributes, message, ruleAttributes } from './wire.js'

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

/**
 * A client. Calls run in the order in which they were made. Every call takes `signal` and `deadline`: before the request was sent they end
 * it with `applied: 'no'`, after that at once with `applied: 'unknown'`.
 */
export class NftClient {
  readonly #kernel: Kernel

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
    return this.#kernel.call(options, limit => this.#kernel.readGeneration(limit))
  }

  /** Tables. */
  tables(filter: ListFilter = {}): Promise<Table[]> {
    return this.#list(message.getTable, filter, undefined, readTable)
  }

  /** Chains, in no order. */
  chains(filter: ListFilter = {}): Promise<Chain[]> {
    return this.#list(message.getChain, filter, writer => chainAttributes.encode(writer, { table: filter.table }), readChain)
  }

  /** Rules, in the order in which the kernel executes those of a chain. */
  rules(filter: ListFilter & { readonly chain?: string | undefined } = {}): Promise<Rule[]> {
    const { table, chain } = filter
    return this.#list(message.getRule, filter, writer => ruleAttributes.encode(writer, { table, chain }), readRule)
  }

  #list<T extends { readonly family: Family; readonly table?: string }>(
    number: number,
    { family, table, ...options }: ListFilter,
    body: Parameters<Kernel['dump']>[2],
    read: (family: Family, reader: never, start: number, end: number) => T | undefined,
  ): Promise<T[]> {
    return this.#kernel.call(options, async (limit: Limit) => {
      const messages = await this.#kernel.dump(number, family === undefined ? 0 : familyToWire(family), body, limit)
      const objects: T[] = []
      for (const { reader, payload, end } of messages) {
        const familyOfMessage = familyFromWire(reader.bytes[payload] as number)
        const object = familyOfMessage && read(familyOfMessage, reader as never, payload + NETFILTER_HEADER, end)
        // Not every kernel filters by every field.
        if (object && (table === undefined || object.table === undefined || object.table === table)) objects.push(object)
      }
      return objects
    })
  }

  /** Closes it when the calls that were made have ended. Tables that it owns go, unless they persist. */
  close(): Promise<void> {
    return this.#kernel.close()
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
