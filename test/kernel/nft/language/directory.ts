/**
 * Any directory of rulesets: text as `nft -f` takes it; `*.rules` as those of the corpus are; documents as `nft -j -f` takes them; and files
 * of rules alone, which are lists of statements one behind the other, with lines of comment between them.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Family } from '../../../../lib/nft/index.js'
import type * as json from '../../../../lib/nft/json/index.js'
import type { Check } from './check.js'
import { checkDocument, checkRules, checkText, LOADED } from './corpus.js'
import { type Bench, newest } from './examine.js'
import { readRules } from './rules-file.js'

/** Each file of a directory and of those in it. */
export function directoryFiles(directory: string): { readonly name: string; check(bench: Bench): Promise<Check[]> }[] {
  const names = readdirSync(directory, { recursive: true }).map(String)
  return names
    .filter(name => statSync(join(directory, name)).isFile())
    .sort()
    .map(name => ({ name, check: bench => checkFile(bench, name, readFileSync(join(directory, name), 'utf8')) }))
}

async function checkFile(bench: Bench, name: string, text: string): Promise<Check[]> {
  if (name.endsWith('.rules')) return (await checkRules(bench, readRules(name, text))).filter(check => check.name !== LOADED)
  if (!name.includes('.json')) return checkText(bench, text)
  const rules = listsIn(text)
  if (rules === undefined) return checkTaken(bench, (JSON.parse(text) as json.Document).nftables)
  const checks: Check[] = []
  for (const family of familiesOf(name)) {
    const added = rules.map((expr): Item => ({ add: { rule: { family, table: 't', chain: 'c', expr } } }))
    checks.push(...(await checkTaken(bench, [...surroundings(family), ...added])))
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

/** A document, as far as nft takes it. */
async function checkTaken(bench: Bench, items: readonly Item[]): Promise<Check[]> {
  const { netns } = await bench.another()
  const taken: Item[] = []
  const add = async (some: readonly Item[]): Promise<void> => {
    const refused = await bench.oracle.load(newest(), netns, JSON.stringify({ nftables: some }), true)
    if (refused === undefined) taken.push(...some)
    else if (some.length > 1) {
      await add(some.slice(0, some.length >> 1))
      await add(some.slice(some.length >> 1))
    }
  }
  await add(items)
  return checkDocument(bench, JSON.stringify({ nftables: taken }))
}
