/**
 * Reads a command line as popt does (libpopt 1.19, poptGetNextOpt): short options may be bundled, an argument may follow directly, behind
 * `=`, or as the next word; what is no option may stand anywhere; nothing behind `--` is an option.
 */
import { OPTIONS, type OptionSpec } from './options.js'

export interface Option {
  readonly spec: OptionSpec
  readonly argument?: string | undefined
  /** The word that was read last for it: its argument where that stands for itself. */
  readonly word: string
}

/** What popt calls an error: the word, and what is wrong with it. */
export class ScanError extends Error {
  constructor(word: string, problem: string) {
    super(`${word}: ${problem}`)
  }
}

const LONG = new Map(OPTIONS.map(spec => [spec.name, spec]))
const SHORT = new Map(OPTIONS.flatMap(spec => (spec.short === undefined ? [] : [[spec.short, spec] as const])))
const list = LONG.get('list') as OptionSpec
SHORT.set('l', list)

/** What a command line without a command asks for. */
export const LIST: Option = { spec: list, word: '--list' }

/** The options of a command line one by one, and then what is left. */
export class Scanner {
  readonly #words: readonly string[]
  #next = 0
  /** The rest of a bundle. */
  #bundle = ''
  #word = ''
  #over = false
  readonly leftovers: string[] = []

  constructor(words: readonly string[]) {
    this.#words = words
  }

  /** The next option; undefined at the end. @throws {ScanError} */
  next(): Option | undefined {
    if (this.#bundle !== '') return this.#short()
    for (let word = this.#words[this.#next++]; word !== undefined; word = this.#words[this.#next++]) {
      if (this.#over || !word.startsWith('-') || word === '-') {
        this.leftovers.push(word)
      } else if (word === '--') {
        this.#over = true
      } else {
        this.#word = word
        if (word.startsWith('--')) return this.#long(word.slice(2))
        this.#bundle = word.slice(1)
        return this.#short()
      }
    }
    return undefined
  }

  #long(text: string): Option {
    const equals = text.indexOf('=')
    const spec = LONG.get(equals < 0 ? text : text.slice(0, equals))
    if (!spec) throw new ScanError(this.#word, 'unknown option')
    return this.#withArgument(spec, equals < 0 ? undefined : text.slice(equals + 1))
  }

  #short(): Option {
    const spec = SHORT.get(this.#bundle.charAt(0))
    if (!spec) throw new ScanError(this.#word, 'unknown option')
    const rest = this.#bundle.slice(1)
    if (!spec.argument && !rest.startsWith('=')) {
      this.#bundle = rest
      return { spec, word: this.#word }
    }
    this.#bundle = ''
    return this.#withArgument(spec, rest === '' ? undefined : rest.replace(/^=/, ''))
  }

  #withArgument(spec: OptionSpec, attached: string | undefined): Option {
    const word = this.#word
    if (!spec.argument) {
      if (attached !== undefined) throw new ScanError(word, 'option does not take an argument')
      return { spec, word }
    }
    if (attached !== undefined) return { spec, argument: attached, word }
    const following = this.#words[this.#next]
    if (spec.argument.optional && (following === undefined || following.startsWith('-'))) return { spec, word }
    if (following === undefined) throw new ScanError(word, 'missing argument')
    this.#next++
    return { spec, argument: following, word: following }
  }
}
