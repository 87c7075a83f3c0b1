/** From what was read to the commands that write it again. */
import type { Expression } from './expressions/index.js'
import type { Snapshot } from './snapshot.js'
import type { Chain, Command, NftSet, Rule, StatefulObject } from './types.js'

/**
 * The commands that recreate what a snapshot has, where nothing of it is: counters, quotas and time-outs go on where they stood. Handles are
 * the kernel's to give. Anonymous sets and the unnamed chains of rules get ids from 1 on, and what refers to them refers to the ids:
 * they have to stay in one transaction.
 *
 * @example
 * await nf.commit([{ destroy: { table: { family: 'inet', name: 'web' } } }, ...recreate(snapshot)])
 */
export function recreate(snapshot: Snapshot): Command[] {
  const ids = new Ids(snapshot)
  return [
    ...snapshot.tables.map(({ handle, use, owner, ...table }): Command => ({ add: { table } })),
    ...snapshot.objects.map(({ handle, use, ...object }): Command => ({ add: { object: unused(object) } })),
    ...snapshot.flowtables.map(({ handle, use, ...flowtable }): Command => ({ add: { flowtable } })),
    ...snapshot.chains.map(({ handle, use, ...chain }): Command => ({ add: { chain: ids.chain(chain) } })),
    ...snapshot.sets.map((set): Command => ({ add: { set: ids.set(set) } })),
    ...snapshot.elements.map(({ set, elements }): Command => ({ add: { elements: { set: ids.set(set), elements } } })),
    ...inOrder(snapshot, ids).map(({ handle, after, ...rule }): Command => ({ add: { rule: ids.rule(rule) } })),
  ]
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

  /** Of an unnamed chain; undefined for any other. */
  chainId({ family, table }: Rule | Chain, name: string): number | undefined {
    if (this.#chains.size === 0) return undefined
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
  const unnamed = rules.filter(rule => ids.chainId(rule, rule.chain) !== undefined)
  if (unnamed.length === 0) return rules
  return [...unnamed, ...rules.filter(rule => ids.chainId(rule, rule.chain) === undefined)]
}
