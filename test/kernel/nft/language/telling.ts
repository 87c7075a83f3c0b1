/** Tells the checks of many rulesets: each as a test, and at the end how many rules each sentence holds for. */
import type { Report } from '../../support/tap.js'
import type { Check } from './check.js'

export class Telling {
  readonly #report: Report
  readonly #show: number
  readonly #totals = new Map<string, { of: number; differences: number }>()

  /** `show`: how many of the rules of a check that fails are shown. */
  constructor(report: Report, show: number) {
    this.#report = report
    this.#show = show
  }

  tell(source: string, checks: readonly Check[]): void {
    for (const { name, of, differences } of checks) {
      const total = this.#totals.get(name) ?? { of: 0, differences: 0 }
      this.#totals.set(name, { of: total.of + of, differences: total.differences + differences.length })
      const title = `${source}: ${name}`
      if (differences.length === 0) this.#report.pass(title)
      else this.#report.fail(title, this.#message(of, differences))
    }
  }

  #message(of: number, differences: Check['differences']): string {
    const shown = differences.slice(0, this.#show)
    const rules = shown.map(
      ({ where, actual, expected }) => `${where}\n  ours: ${indented(actual)}\n  nft's: ${indented(expected)}`,
    )
    const more = differences.length > shown.length ? `\n… and ${differences.length - shown.length} more` : ''
    return `${differences.length} of ${of}\n${rules.join('\n')}${more}`
  }

  end(): void {
    for (const [name, { of, differences }] of this.#totals) this.#report.comment(`${name}: ${of - differences} of ${of}`)
    this.#report.end()
  }
}

const indented = (text: string): string => text.slice(0, 1500).replaceAll('\n', '\n    ')
