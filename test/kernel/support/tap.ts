/** Test Anything Protocol on standard output: tap itself takes 8 s to load under emulation. */
import { AssertionError } from 'node:assert'
import { inspect } from 'node:util'

export class Report {
  readonly #print: (line: string) => void
  #count = 0
  failed = 0
  #skipped = 0

  constructor(print: (line: string) => void = line => process.stdout.write(`${line}\n`)) {
    this.#print = print
    print('TAP version 14')
  }

  comment(text: string): void {
    for (const line of text.split('\n')) this.#print(`# ${line}`)
  }

  pass(name: string): void {
    this.#print(`ok ${++this.#count} - ${escaped(name)}`)
  }

  /** Cases that can not exist here, and why: listed, and told as one. */
  skip(names: readonly string[], why: string): void {
    if (names.length === 0) return
    for (const name of names) this.comment(`not here: ${name}`)
    this.#print(`ok ${++this.#count} - ${names.length} cases that ${why} # SKIP ${why}`)
    this.#skipped++
  }

  fail(name: string, error: unknown): void {
    this.failed++
    this.#print(`not ok ${++this.#count} - ${escaped(name)}`)
    this.#print('  ---')
    for (const [key, value] of Object.entries(diagnostics(error)))
      this.#print([`  ${key}: |`, ...value.split('\n').map(line => `    ${line}`)].join('\n'))
    this.#print('  ...')
  }

  /** The plan, and how it went. */
  end(): void {
    this.#print(`1..${this.#count}`)
    this.comment(`${this.#count - this.failed - this.#skipped} ok, ${this.failed} not ok`)
  }
}

function diagnostics(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { message: String(error) }
  const { message, stack = '', cause } = error
  const places = stack.split('\n').filter(line => /^\s+at .*\/(lib|test)\/(?!kernel\/guest)/.test(line))
  return {
    message,
    ...(error instanceof AssertionError && { actual: show(error.actual), expected: show(error.expected) }),
    ...(cause !== undefined && { cause: show(cause) }),
    at: places.join('\n'),
  }
}

const show = (value: unknown): string => inspect(value, { depth: 6 })
/** `#` and `\` mean something in a description. */
const escaped = (name: string): string => name.replace(/[\\#]/g, '\\$&')
