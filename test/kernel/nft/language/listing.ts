/** What nft lists, taken apart: its rules by the chains that they are in, and the rest. */
import type * as json from '../../../../lib/nft/json/index.js'

/** Rules by chain (`inet t c`), in the order of each, and all else. */
export interface Listing<T> {
  readonly rules: ReadonlyMap<string, readonly T[]>
  readonly rest: string
}

/** In a chain, but no rule. */
const OF_CHAIN = /^\t\t(type \S+ hook |comment ")/

/** Of `nft list ruleset`. */
export function readText(text: string): Listing<string> {
  const rules = new Map<string, string[]>()
  const rest: string[] = []
  let table = ''
  let chain: string[] | undefined
  for (const line of text.split('\n')) {
    const [, named] = line.match(/^table (\S+ \S+) \{/) ?? []
    const [, inner] = line.match(/^\tchain (\S+) \{/) ?? []
    if (named !== undefined) table = named
    if (line === '\t}') chain = undefined
    if (chain !== undefined && !OF_CHAIN.test(line)) addLine(chain, line)
    else rest.push(line)
    if (inner !== undefined) {
      chain = []
      rules.set(`${table} ${inner}`, chain)
    }
  }
  return { rules, rest: untimed(rest.join('\n')) }
}

/** A rule is a line; what goes on in the next line is indented deeper, or closes what did. */
function addLine(chain: string[], line: string): void {
  if (/^\t\t[^\t}]/.test(line)) chain.push(untimed(line.slice(2)))
  else chain.push(`${chain.pop() ?? ''}\n${line}`)
}

/** Time goes on between two listings. */
const untimed = (text: string): string => text.replace(/ expires [0-9dhms]+/g, '').replace(/(last used) [0-9dhms]+/g, '$1')

/** Of `nft -j list ruleset`. `rest` has a line for each object. */
export function readJson(document: json.Document): Listing<json.Rule> {
  const rules = new Map<string, json.Rule[]>()
  const rest: string[] = []
  for (const object of document.nftables) {
    if ('metainfo' in object) continue
    if ('rule' in object) {
      const rule = object.rule
      const chain = `${rule.family} ${rule.table} ${rule.chain}`
      const list = rules.get(chain)
      if (list) list.push(rule)
      else rules.set(chain, [rule])
    } else rest.push(canonical(object))
  }
  return { rules, rest: rest.join('\n') }
}

/** The same text for what is the same but for the order of keys, handles and times that go on. */
export const canonical = (value: unknown): string => JSON.stringify(value, sorted)

function sorted(key: string, value: unknown): unknown {
  // nft prints numbers from 2^63 on with a sign, which its own parser does not take back.
  if (typeof value === 'string' && /^[0-9]{19,20}$/.test(value)) return Number(BigInt.asIntN(64, BigInt(value)))
  if (key === 'handle' || key === 'expires' || (key === 'last' && value !== null)) return undefined
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What is only in one of two texts, line by line. */
export function linesApart(actual: string, expected: string): { readonly actual: string; readonly expected: string } | undefined {
  if (actual === expected) return undefined
  const [mine, theirs] = [actual.split('\n'), expected.split('\n')]
  const only = (a: readonly string[], b: readonly string[]): string => {
    const there = new Set(b)
    const lines = a.filter(line => !there.has(line))
    return (lines.length > 0 ? lines : ['(the same lines in another order)']).slice(0, 12).join('\n')
  }
  return { actual: only(mine, theirs), expected: only(theirs, mine) }
}
