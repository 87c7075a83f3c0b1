/** Expressions that jumps lead to from base chains that do not have what they need (nf_tables_api.c, nft_table_validate). */
import type { Around } from '../around.js'
import { requirementOf } from '../hooks.js'
import type { Refused } from '../place.js'
import type { Snapshot } from '../snapshot.js'
import { snapshotOf } from '../snapshot-of.js'
import type { BaseChain, Chain, Command, Elements, Rule } from '../types.js'
import { expressionAt } from './reason.js'

/** Which expression it is, and where packets come to it from: undefined where none is found. The kernel says neither. */
export async function misplaced({ word, object, index }: Refused, around: Around): Promise<string | undefined> {
  const { family, table } = word === 'elements' ? (object as Elements).set : (object as Rule)
  const there = await around.ruleset(family, table)
  if (there === undefined) return undefined
  const commands = around.commands.slice(0, index + 1)
  const ruleset = new Jumps(snapshotOf([...leftOf(there, commands), ...commands]), family, table)
  for (const chain of ruleset.chains.values()) {
    const found = isBase(chain) ? ruleset.find(chain, chain, []) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

const isBase = (chain: Chain): chain is BaseChain => chain.hook !== undefined

/** What is there as commands, without the rules that others take away. */
function leftOf({ chains, sets, elements, rules }: Snapshot, commands: readonly Command[]): Command[] {
  const gone = commands.flatMap((command): readonly { readonly chain: string; readonly handle?: number | undefined }[] => {
    if ('delete' in command) return 'rule' in command.delete ? [command.delete.rule] : []
    if ('replace' in command) return [command.replace.rule]
    return 'flush' in command && 'chain' in command.flush ? [{ chain: command.flush.chain.name }] : []
  })
  const left = rules.filter(
    rule => !gone.some(({ chain, handle }) => chain === rule.chain && (handle ?? rule.handle) === rule.handle),
  )
  return [
    ...chains.map((chain): Command => ({ add: { chain } })),
    ...sets.map((set): Command => ({ add: { set } })),
    ...elements.map((listed): Command => ({ add: { elements: listed } })),
    ...left.map((rule): Command => ({ add: { rule } })),
  ]
}

class Jumps {
  readonly chains = new Map<string, Chain>()
  readonly #rules = new Map<string, Rule[]>()
  /** Chains that elements jump to, by the names of their sets. */
  readonly #jumps = new Map<string, Set<string>>()

  constructor(snapshot: Snapshot, family: string, table: string) {
    const ours = (object: { readonly family: string; readonly table: string }): boolean =>
      object.family === family && object.table === table
    for (const chain of snapshot.chains) if (ours(chain) && !this.chains.has(chain.name)) this.chains.set(chain.name, chain)
    for (const rule of snapshot.rules) {
      if (ours(rule)) this.#rules.set(rule.chain, [...(this.#rules.get(rule.chain) ?? []), rule])
    }
    for (const { set, elements } of snapshot.elements)
      if (ours(set)) this.#jumps.set(set.name, new Set(elements.flatMap(({ data }) => chainIn(data))))
  }

  /** @param path names of the chains that lead to this one */
  find(base: BaseChain, { name, family }: Pick<Chain, 'name' | 'family'>, path: readonly string[]): string | undefined {
    if (path.includes(name)) return undefined
    const here = [...path, name]
    for (const rule of this.#rules.get(name) ?? [])
      for (const [i, expression] of rule.expressions.entries()) {
        const required = requirementOf(expression, family)
        const { hook, type = 'filter' } = base
        if (required && !(required.hooks.includes(String(hook)) && (!required.nat || type === 'nat')))
          return sentence(expressionAt(rule.expressions, i), required, base, here)
        for (const target of this.#targets(expression)) {
          const found = this.find(base, { family, name: target }, here)
          if (found !== undefined) return found
        }
      }
    return undefined
  }

  #targets(expression: object): Iterable<string> {
    const { data, set } = expression as { readonly data?: unknown; readonly set?: string }
    return set === undefined ? chainIn(data) : (this.#jumps.get(set) ?? [])
  }
}

function chainIn(data: unknown): string[] {
  const { chain } = (typeof data === 'object' && data !== null ? data : {}) as { readonly chain?: string | undefined }
  return chain === undefined ? [] : [chain]
}

function sentence(
  expression: string,
  { name, hooks, nat }: NonNullable<ReturnType<typeof requirementOf>>,
  { name: base, hook, type = 'filter' }: BaseChain,
  path: readonly string[],
): string {
  const where = `${expression} of a rule of chain ${path.at(-1)}`
  const needs = `${name} is for chains${nat ? ' of type nat' : ''} at the hooks ${hooks.join(', ')}`
  const leads = path.length > 1 ? `, from which jumps lead there: ${path.join(' → ')}` : ''
  return `${where}: ${needs}, and ${base} is one of type ${type} at ${hook}${leads}`
}
