/** From the ruleset as the kernel has it to the document that `nft -j list ruleset` prints of it (src/json.c, do_list_ruleset_json). */
import type * as json from '../json/index.js'
import type { LiftElementsOptions } from '../lift/elements.js'
import { liftRule } from '../lift/index.js'
import { renderStatements } from '../render/index.js'
import type { Snapshot } from '../snapshot.js'
import type { Chain, Element, NftSet, Rule, Table } from '../types.js'
import { liftChain, liftFlowtable, liftSet, liftTable } from './lift-objects.js'
import { liftObject } from './lift-stateful.js'

type Item = json.Document['nftables'][number]
type Ruleset = Pick<Snapshot, 'tables' | 'chains' | 'rules' | 'sets' | 'elements' | 'objects' | 'flowtables'>

/** The version is that of the nft whose form documents have; schema 1 is the only one that there is. */
export const METAINFO: { readonly metainfo: json.Metainfo } = {
  metainfo: { version: '1.1.3', release_name: 'ts-ipvs', json_schema_version: 1 },
}

/**
 * The document of a ruleset: of each table its chains, objects, sets and flowtables, and then the rules of each chain. What belongs to rules,
 * as sets without a name, stands in them.
 */
export function liftDocument(ruleset: Ruleset, options: LiftElementsOptions = {}): json.Document {
  const lifter = new Lifter(ruleset, options)
  return { nftables: [METAINFO, ...ruleset.tables.flatMap(table => lifter.table(table))] }
}

type Owned = { readonly family: string; readonly table: string }

const keyOf = ({ family, table }: Owned, name = ''): string => `${family}/${table}/${name}`

/** Lists by the table that they belong to, or by what else a name tells. */
function grouped<T extends Owned>(list: readonly T[], name: (item: T) => string = () => ''): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of list) {
    const key = keyOf(item, name(item))
    const found = groups.get(key)
    if (found) found.push(item)
    else groups.set(key, [item])
  }
  return groups
}

/** What belongs to rules is listed with them. */
const isUnnamed = ({ flags }: NftSet | Chain): boolean => flags?.some(flag => flag === 'anonymous' || flag === 'binding') === true

class Lifter {
  readonly #options: LiftElementsOptions
  readonly #chains: ReadonlyMap<string, readonly Chain[]>
  readonly #rules: ReadonlyMap<string, readonly Rule[]>
  readonly #sets: ReadonlyMap<string, readonly NftSet[]>
  readonly #objects: ReadonlyMap<string, Ruleset['objects']>
  readonly #flowtables: ReadonlyMap<string, Ruleset['flowtables']>
  readonly #elements: ReadonlyMap<string, readonly Element[]>
  readonly #named: ReadonlyMap<string, NftSet>
  readonly #unnamed: ReadonlyMap<string, readonly Chain[]>

  constructor(ruleset: Ruleset, options: LiftElementsOptions) {
    this.#options = options
    this.#chains = grouped(ruleset.chains)
    this.#rules = grouped(ruleset.rules, ({ chain }) => chain)
    this.#sets = grouped(ruleset.sets)
    this.#objects = grouped(ruleset.objects)
    this.#flowtables = grouped(ruleset.flowtables)
    this.#elements = new Map(ruleset.elements.map(({ set, elements }) => [keyOf(set, set.name), elements]))
    this.#unnamed = grouped(ruleset.chains.filter(isUnnamed))
    this.#named = new Map(ruleset.sets.map(set => [keyOf(set, set.name), set]))
  }

  table(table: Table): Item[] {
    const key = keyOf({ family: table.family, table: table.name })
    // nft's text has chains without a name within rules, its JSON has not.
    const chains = (this.#chains.get(key) ?? []).filter(chain => this.#options.whole || !isUnnamed(chain))
    const sets = (this.#sets.get(key) ?? []).filter(set => !isUnnamed(set))
    return [
      { table: liftTable(table) },
      ...chains.map(chain => ({ chain: liftChain(chain) })),
      ...(this.#objects.get(key) ?? []).map(liftObject).filter(object => object !== undefined),
      ...sets.map(set => liftSet(set, this.#elements.get(keyOf(set, set.name)), this.#options)),
      ...(this.#flowtables.get(key) ?? []).map(flowtable => ({ flowtable: liftFlowtable(flowtable) })),
      ...chains.flatMap(chain => (this.#rules.get(keyOf(chain, chain.name)) ?? []).map(rule => ({ rule: this.rule(rule) }))),
    ]
  }

  rule(rule: Rule): json.Rule {
    const { family, table, chain, handle, comment } = rule
    const expr = this.#statements(rule, 1)
    return {
      family,
      table,
      chain,
      ...(handle !== undefined && { handle }),
      ...(comment !== undefined && { comment }),
      expr,
    }
  }

  /** A chain without a name stands in the rule that jumps to it, as nft's text: its JSON has no form for that. */
  #statements(rule: Rule, depth: number): readonly json.Statement[] {
    const unnamed = this.#unnamed.get(keyOf(rule))
    const statements = liftRule(rule, {
      family: rule.family,
      setNamed: name => {
        const set = this.#named.get(keyOf(rule, name))
        return set && { set, elements: this.#elements.get(keyOf(rule, name)) ?? [] }
      },
      devices: this.#options.devices,
      whole: this.#options.whole,
    })
    if (!unnamed) return statements
    return statements.map(statement => {
      const [verb, target] = jumpOf(statement)
      return unnamed.some(({ name }) => name === target) ? (this.#block(verb, rule, target, depth) as never) : statement
    })
  }

  #block(verb: string, { family, table }: Rule, chain: string, depth: number): string {
    const indent = '\t'.repeat(depth + 1)
    const rules = this.#rules.get(keyOf({ family, table }, chain)) ?? []
    const lines = rules.map(rule => {
      const text = renderStatements(this.#statements(rule, depth + 1), { family })
      return `${indent}\t${text}${rule.comment === undefined ? '' : ` comment "${rule.comment}"`}\n`
    })
    return `${verb} {\n${lines.join('')}${indent}}`
  }
}

function jumpOf(statement: json.Statement): readonly [verb: string, target: string] {
  if ('jump' in statement) return ['jump', statement.jump.target]
  return 'goto' in statement ? ['goto', statement.goto.target] : ['', '']
}
