/**
 * Any directory of rulesets: text as `nft -f` takes it; documents as `nft -j -f` takes them; and files of rules alone, which are lists of
 * statements one behind the other, with lines of comment between them.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Family } from '../../../../lib/nft/index.js'
import type * as json from '../../../../lib/nft/json/index.js'
import type { Check } from './check.js'
import { checkDocument, checkText } from './corpus.js'
import { type Bench, newest } from './examine.js'

/** Each file of a directory and of those in it. */
export function directoryFiles(directory: string): { readonly name: string; check(bench: Bench): Promise<Check[]> }[] {
  const names = readdirSync(directory, { recursive: true }).map(String)
  return names
    .filter(name => statSync(join(directory, name)).isFile())
    .sort()
    .map(name => ({ name, check: bench => checkFile(bench, name, readFileSync(join(directory, name), 'utf8')) }))
}

async function checkFile(bench: Bench, name: string, text: string): Promise<Check[]> {
  const rules = name.includes('.json') ? listsIn(text) : undefined
  if (rules === undefined) return name.includes('.json') ? checkDocument(bench, text) : checkText(bench, text)
  const checks: Check[] = []
  for (const family of familiesOf(name)) {
    const document = await loadable(bench, family, rules)
    if (document.nftables.length > 3) checks.push(...(await checkDocument(bench, JSON.stringify(document))))
  }
  return checks
}

/** The lists of a file that holds nothing else; undefined where it is one document. */
function listsIn(text: string): json.Statement[][] | undefined {
  const parts = text.replace(/^#.*$/gm, '').split(/^(?=\[)/m)
  try {
    const lists = parts
      .map(part => part.trim())
      .filter(part => part !== '')
      .map(part => JSON.parse(part))
    return lists.every(Array.isArray) ? lists : undefined
  } catch {
    return undefined
  }
}

/** What families a file is for: the folder says so, or the ending does. */
function familiesOf(name: string): readonly Family[] {
  const families = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'] as const
  const named = families.filter(family => name.split(/[/.]/).includes(family))
  return named.length > 0 ? named : ['inet', 'ip', 'ip6', 'bridge', 'netdev']
}

type Item = json.Document['nftables'][number]

function surroundings(family: Family): readonly Item[] {
  const table = 't'
  const hook = family === 'netdev' ? 'ingress' : family === 'arp' ? 'input' : 'prerouting'
  const device = family === 'netdev' ? { dev: 'lo' } : {}
  return [
    { add: { table: { family, name: table } } },
    { add: { chain: { family, table, name: 'other' } } },
    { add: { chain: { family, table, name: 'c', type: 'filter', hook, prio: 0, ...device } } },
  ]
}

/** A document of the rules that nft takes. */
async function loadable(bench: Bench, family: Family, rules: readonly (readonly json.Statement[])[]): Promise<json.Document> {
  const { netns } = await bench.another()
  const before = surroundings(family)
  const taken: Item[] = [...before]
  const program = newest()
  const failed = await bench.oracle.load(program, netns, JSON.stringify({ nftables: before }), true)
  if (failed !== undefined) throw new Error(failed)
  const add = async (some: readonly Item[]): Promise<void> => {
    const refused = await bench.oracle.load(program, netns, JSON.stringify({ nftables: some }), true)
    if (refused === undefined) taken.push(...some)
    else if (some.length > 1) {
      await add(some.slice(0, some.length >> 1))
      await add(some.slice(some.length >> 1))
    }
  }
  await add(rules.map(expr => ({ add: { rule: { family, table: 't', chain: 'c', expr } } })))
  return { nftables: taken }
}
