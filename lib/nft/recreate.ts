/** From what was read to the commands that write it again. */
import { Turns } from '../netlink/turns.js'
import type { Expression } from './expressions/index.js'
import type { Snapshot } from './snapshot.js'
import type { Chain, Command, NftSet, Rule, StatefulObject } from './types.js'

/**
 * The commands that recreate what a snapshot has, where nothing of it is: counters, quotas and time-outs go on where they stood. Handles are
 * the kernel's to give. Anonymous sets and the unnamed chains of rules get ids from 1 on, and what refers to them refers to the ids:
 * they have to stay in one transaction.
 *
 * @example
 * await nf.commit([{ destroy: { table: { family: 'inet', name: 'web' } } }, ...(await recreate(snapshot))])
 */
export async function recreate(snapshot: Snapshot): Promise<Command[]> {
  const commands: Command[] = []
  const turns = new Turns()
  for (const command of commandsOf(snapshot)) {
    commands.push(command)
    if (turns.due(1)) await turns.give()
  }
  return commands
}

/** One after the other: there may be a hundred thousand. */
function* commandsOf(snapshot: Snapshot): Generator<Command, void, void> {
  const ids = new Ids(snapshot)
  for (const { handle, use, owner, ...table } of snapshot.tables) yield { add: { table } }
  for (const { handle, use, ...object } of snapshot.objects) yield { add: { object: unused(object) } }
  for (const { handle, use, ...flowtable } of snapshot.flowtables) yield { add: { flowtable } }
  for (const { handle, use, ...chain } of snapshot.chains) yield { add: { chain: ids.chain(chain) } }
  for (const set of snapshot.sets) yield { add: { set: ids.set(set) } }
  for (const { set, elements } of snapshot.elements) yield { add: { elements: { set: ids.set(set), elements } } }
  for (const { handle, after, ...rule } of inOrder(snapshot, ids)) yield { add: { rule: ids.rule(rule) } }
}

/** The kernel takes no quota that says that it is used up: it finds out by itself. */
function unused(object: StatefulObject): StatefulObject {
  if (object.type !== 'quota' || !object.flags) return object
  return { ...object, flags: object.flags.filter(flag => flag !== 'depleted') }
}

const BINDING = 'binding'
/** The kernel numbers them. */
const ANONYMOUS_SET = '__set%d'
const ANONYMOUS_MAP = '__map%d'
/** Others have names of their own: the meters of nft before 1.1 (nft(8), METERS). */
const NUMBERED = /^__(set|map)\d+$/

const keyOf = (family: string, table: string, name: string): string => `${family}/${table}/${name}`

/** The ids of what has no name of its own. */
class Ids {
  readonly #sets = new Map<string, { readonly name: string; readonly id: number }>()
  readonly #chains = new Map<string, number>()

  constructor({ sets, chains }: Snapshot) {
    let id = 0
    for (const { family, table, name, flags, data, objects } of sets) {
      if (!flags?.includes('anonymous')) continue
      const pattern = data || objects ? ANONYMOUS_MAP : ANONYMOUS_SET
      this.#sets.set(keyOf(family, table, name), { name: NUMBERED.test(name) ? pattern : name, id: ++id })
    }
    for (const { family, table, name, flags } of chains)
      if (flags?.includes(BINDING)) this.#chains.set(keyOf(family, table, name), ++id)
  }

  set({ handle, use, backend, count, ...set }: NftSet): NftSet {
    return { ...set, ...this.#sets.get(keyOf(set.family, set.table, set.name)) }
  }

  chain(chain: Chain): Chain {
    const id = this.chainId(chain, chain.name)
    return id === undefined ? chain : { ...chain, id }
  }

  rule(rule: Rule): Rule {
    if (this.#sets.size + this.#chains.size === 0) return rule
    const chainId = this.chainId(rule, rule.chain)
    const expressions = rule.expressions.map(expression => this.#expression(rule, expression))
    return { ...rule, ...(chainId !== undefined && { chainId }), expressions }
  }

  /** Whether there are unnamed chains. */
  get ofChains(): boolean {
    return this.#chains.size > 0
  }

  /** Of an unnamed chain; undefined for any other. */
  chainId({ family, table }: Rule | Chain, name: string): number | undefined {
    if (!this.ofChains) return undefined
    return this.#chains.get(keyOf(family, table, name))
  }

  #expression(rule: Rule, expression: Expression): Expression {
    switch (expression.kind) {
      case 'lookup':
      case 'dynset':
      case 'objref': {
        const set = expression.set === undefined ? undefined : this.#sets.get(keyOf(rule.family, rule.table, expression.set))
        return set ? { ...expression, set: set.name, setId: set.id } : expression
      }
      case 'immediate': {
        if (expression.data instanceof Uint8Array || expression.data.chain === undefined) return expression
        const { chain, ...verdict } = expression.data
        const chainId = this.chainId(rule, chain)
        return chainId === undefined ? expression : { ...expression, data: { ...verdict, chainId } }
      }
      default:
        return expression
    }
  }
}

/**
 * The rules of unnamed chains first: each is complete with the rule that jumps to it (nf_tables_api.c, nft_chain_is_bound), which stands in
 * a chain with a name (nf_tables_bind_chain).
 */
function inOrder({ rules }: Snapshot, ids: Ids): readonly Rule[] {
  if (!ids.ofChains) return rules
  const unnamed = rules.filter(rule => ids.chainId(rule, rule.chain) !== undefined)
  return [...unnamed, ...rules.filter(rule => ids.chainId(rule, rule.chain) === undefined)]
}
