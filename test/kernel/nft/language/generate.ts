/** Rules at random, of a seed. */
import type { Family } from '../../../../lib/nft/index.js'
import { Random } from '../../support/random.js'
import { type Selector, STATEMENTS, selectorsOf } from './grammar.js'
import type { RulesFile } from './rules-file.js'

const FAMILIES: readonly Family[] = ['ip', 'ip6', 'inet', 'bridge', 'netdev']

/** A file of rules that are never twice the same, for one family. nft may refuse some. */
export function generateRules(seed: number, count: number): RulesFile {
  const random = new Random(seed)
  const family = random.of(FAMILIES)
  const rules = Array.from({ length: count }, (_, index) => ({
    line: index + 1,
    text: generateRule(random, selectorsOf(random, family)),
    old: true,
  }))
  return {
    name: `rules of seed ${seed}`,
    families: [family],
    hook: 'prerouting',
    type: 'filter',
    priority: '0',
    table: [],
    needs: [],
    random: true,
    rules,
  }
}

function generateRule(random: Random, selectors: readonly Selector[]): string {
  const matches = Array.from({ length: 1 + random.below(3) }, () => match(random, selectors))
  const ends = [verdictMap, map, statement]
  return [...matches, random.of(ends)(random, selectors)].join(' ')
}

const statement = (random: Random): string => random.of(STATEMENTS)(random)

function match(random: Random, selectors: readonly Selector[]): string {
  const selector = random.of(selectors)
  const { text, value, range, mask } = selector
  const forms: (() => string)[] = [
    () => `${text} ${value(random)}`,
    () => `${text} != ${value(random)}`,
    () => `${text} ${not(random)}{ ${distinct(random, value)} }`,
    () => concatenation(random, selectors),
  ]
  if (range)
    forms.push(
      () => `${text} ${not(random)}${range(random)}`,
      () => `${text} ${not(random)}{ ${range(random)} }`,
    )
  if (range && !text.includes('addr')) forms.push(() => `${text} ${random.of(['<', '>', '<=', '>='])} ${value(random)}`)
  if (mask) forms.push(() => masked(random, text, mask, value))
  return random.of(forms)()
}

const not = (random: Random): string => random.of(['', '', '!= '])

function masked(random: Random, text: string, mask: (random: Random) => string, value: (random: Random) => string): string {
  const bits = mask(random)
  if (!bits.includes(',')) return `${text} & ${bits} ${random.of(['==', '!='])} ${random.of([bits, within(bits, value(random))])}`
  return random.of([`${text} & (${bits.replaceAll(',', ' | ')}) == ${value(random)}`, `${text} ${not(random)}${bits}`])
}

/** Without the bits beside a mask: with one of those a rule never holds, and nft shows another one. */
const within = (mask: string, value: string): string => (/^0x/.test(mask) ? String(BigInt(mask) & BigInt(value)) : value)

function distinct(random: Random, value: (random: Random) => string): string {
  return [...new Set(Array.from({ length: 1 + random.below(5) }, () => value(random)))].join(', ')
}

/** Two to four selectors, and elements of their constants, or ranges. */
function concatenation(random: Random, selectors: readonly Selector[]): string {
  const parts = partsOf(random, selectors)
  const elements = Array.from({ length: 1 + random.below(3) }, () => element(random, parts))
  return `${key(parts)} ${not(random)}{ ${[...new Set(elements)].join(', ')} }`
}

function partsOf(random: Random, selectors: readonly Selector[]): Selector[] {
  const usable = selectors.filter(({ alone, unlisted }) => !alone && !unlisted)
  return Array.from({ length: 2 + random.below(3) }, () => random.of(usable))
}

const key = (parts: readonly Selector[]): string => parts.map(({ text }) => text).join(' . ')

function element(random: Random, parts: readonly Selector[]): string {
  const ranges = random.below(3) === 0
  return parts.map(({ value, range }) => (ranges && range ? range(random) : value(random))).join(' . ')
}

const VERDICTS = ['accept', 'drop', 'jump other', 'goto other', 'return', 'continue']

function verdictMap(random: Random, selectors: readonly Selector[]): string {
  return `${mapKey(random, selectors, () => random.of(VERDICTS), 'vmap')}`
}

function map(random: Random, selectors: readonly Selector[]): string {
  const usable = selectors.filter(({ unmapped }) => !unmapped)
  return `meta mark set ${mapKey(random, usable, () => `0x${random.below(0x10000).toString(16)}`, 'map')}`
}

function mapKey(random: Random, selectors: readonly Selector[], data: () => string, word: string): string {
  const parts = random.below(2) === 0 ? [random.of(selectors)] : partsOf(random, selectors)
  const keys = new Set(Array.from({ length: 1 + random.below(4) }, () => element(random, parts)))
  return `${key(parts)} ${word} { ${[...keys].map(it => `${it} : ${data()}`).join(', ')} }`
}
