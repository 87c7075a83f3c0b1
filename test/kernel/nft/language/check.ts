/** What was compared of a ruleset, and where it differs. */
import { canonical, type Listing, linesApart } from './listing.js'
import { placeOf } from './second-opinion.js'

export interface Difference {
  /** File, line and rule; or what of the ruleset it is. */
  readonly where: string
  /** Of a rule: its chain, and how many stand before it. */
  readonly place?: string | undefined
  readonly actual: string
  readonly expected: string
}

/** A sentence, and the rules that it does not hold for. */
export interface Check {
  readonly name: string
  readonly of: number
  readonly differences: readonly Difference[]
}

/** Which rule stands at a place of a chain. */
export type Where = (chain: string, index: number) => string

/** What stands where no rule is. */
const NONE = '(no rule)'

/** Compares rules by their places. `show` makes text of a rule. */
export function compareRules<T>(
  name: string,
  actual: ReadonlyMap<string, readonly T[]>,
  expected: ReadonlyMap<string, readonly T[]>,
  where: Where,
  show: (rule: T) => string,
): Check {
  const differences: Difference[] = []
  let of = 0
  for (const [chain, wanted] of expected) {
    const found = actual.get(chain) ?? []
    for (let i = 0; i < Math.max(found.length, wanted.length); i++) {
      of++
      const [mine, theirs] = [found[i], wanted[i]].map(rule => (rule === undefined ? NONE : show(rule)))
      if (mine !== theirs)
        differences.push({ where: where(chain, i), place: placeOf(chain, i), actual: mine ?? NONE, expected: theirs ?? NONE })
    }
  }
  return { name, of, differences }
}

/** Compares two listings: rule by rule, and all else line by line. */
export function compareListings<T>(
  name: string,
  actual: Listing<T>,
  expected: Listing<T>,
  where: Where,
  show: (rule: T) => string,
): Check {
  const rules = compareRules(name, actual.rules, expected.rules, where, show)
  const apart = linesApart(actual.rest, expected.rest)
  const rest = apart ? [{ where: 'what is no rule', ...apart }] : []
  return { name, of: rules.of + 1, differences: [...rules.differences, ...rest] }
}

/** As `canonical`, of the statements and the comment only: where the rule stands is its place. */
export const showRule = ({ expr, comment }: { readonly expr: unknown; readonly comment?: string | undefined }): string =>
  canonical({ expr, comment })

/** A check of one thing that failed as a whole. */
export const failedWhole = (name: string, error: unknown): Check => ({
  name,
  of: 1,
  differences: [
    {
      where: 'the whole of it',
      actual: error instanceof Error ? (error.stack ?? error.message) : String(error),
      expected: 'done',
    },
  ],
})
