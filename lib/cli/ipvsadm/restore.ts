/**
 * `-R`: lines of the standard input, each a command line. They are carried out as they come, many at a time. A bad line is told with its
 * number, and the others go on.
 */
import { addAbortSignal } from 'node:stream'
import type { IpvsClient, Operation } from '../../ipvs/index.js'
import { type Io, write } from '../io.js'
import { tuneForLongRuns } from '../tuning.js'
import { change, operationOf, problemOf } from './change.js'
import { Refused } from './entry.js'
import { uninitialised } from './messages.js'
import { parse, type Request, TRY_HELP } from './parse.js'

/** Lines that are sent together at most. More would stay in memory until V8 takes them for lasting. */
const BATCH = 200
/** Characters of a line at most. */
const LONGEST = 65536
/** Lines after which it pays to let V8 optimise. */
const MANY = 20_000

interface Line {
  readonly number: number
  readonly text: string
  readonly request: Request
  readonly operation: Operation
}

/** Runs what is no operation of a batch, such as a listing. Returns its exit status. */
export type Execute = (request: Request) => Promise<number>

export class Restore {
  readonly #lvs: IpvsClient
  readonly #io: Io
  readonly #execute: Execute
  #lines: Line[] = []
  #bad = 0
  #count = 0

  constructor(lvs: IpvsClient, io: Io, execute: Execute) {
    this.#lvs = lvs
    this.#io = io
    this.#execute = execute
  }

  /** Reads to the end. Returns the exit status: 0 only when every line was carried out. */
  async run(): Promise<number> {
    const { signal } = this.#io
    try {
      await this.#read()
    } catch (error) {
      if (!signal.aborted) throw error
      const [unsent] = this.#lines
      if (unsent) this.#count = unsent.number - 1
    }
    if (signal.aborted) await write(this.#io.stderr, `interrupted: nothing behind line ${this.#count} was done\n`)
    if (this.#bad > 0) await write(this.#io.stderr, `${this.#bad} of ${this.#count} lines failed, the others were carried out\n`)
    return this.#bad > 0 || signal.aborted ? 1 : 0
  }

  async #read(): Promise<void> {
    const stdin = addAbortSignal(this.#io.signal, this.#io.stdin)
    stdin.setEncoding('utf8')
    let rest = ''
    let tooLong = false
    for await (const chunk of stdin) {
      const text = rest + chunk
      let start = 0
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
        const pending = tooLong ? undefined : this.#take(text.slice(start, end))
        if (pending) await pending
        tooLong = false
        start = end + 1
      }
      rest = text.slice(start)
      await this.#flush() // whoever writes slowly sees each line done before the next
      if (!tooLong && rest.length > LONGEST) {
        tooLong = true
        await this.#take(rest)
      }
      if (tooLong) rest = ''
    }
    if (rest !== '') await this.#take(rest)
    await this.#flush()
  }

  /** Takes in a line. Most need not be waited for: they are kept until they are many. */
  #take(text: string): void | Promise<void> {
    const line = { number: ++this.#count, text }
    if (line.number === MANY) tuneForLongRuns()
    if (text.length > LONGEST) return this.#refuse(line, new Refused(`it is longer than ${LONGEST} characters`))
    const words = wordsOf(text)
    if (words.length === 0) return
    try {
      const request = parse(words)
      if (!(request instanceof Promise)) return this.#accept(line, request)
      return request.then(
        named => this.#accept(line, named),
        error => this.#refuse(line, error),
      )
    } catch (error) {
      return this.#refuse(line, error)
    }
  }

  #accept(line: Pick<Line, 'number' | 'text'>, request: Request): void | Promise<void> {
    if (request.command === 'help' || request.command === 'version') return this.#refuse(line, TRY_HELP)
    if (request.command === 'restore') return this.#refuse(line, new Refused('lines can not be restored from within'))
    if (request.netns) return this.#refuse(line, new Refused('--netns goes with -R itself, for all lines'))
    const operation = operationOf(request)
    if (!operation) return this.#perform(line, request)
    this.#lines.push({ number: line.number, text: line.text, request, operation })
    return this.#lines.length >= BATCH ? this.#flush() : undefined
  }

  async #refuse(line: Pick<Line, 'number' | 'text'>, error: unknown): Promise<void> {
    await this.#flush()
    if (!(error instanceof Refused)) throw error
    await this.#tell(line, error === TRY_HELP ? 'this is no command' : error.message)
  }

  /** What is no operation of a batch comes in its turn. */
  async #perform(line: Pick<Line, 'number' | 'text'>, request: Request): Promise<void> {
    await this.#flush()
    if (request.command === 'list' || request.command === 'save') {
      if ((await this.#execute(request)) !== 0) await this.#tell(line, 'see above')
      return
    }
    const result = await change(this.#lvs, request, this.#io.signal)
    if (!result.ok && uninitialised(result.error)) throw result.error
    const problem = await problemOf(this.#lvs, request, result)
    if (problem !== undefined) await this.#tell(line, problem)
  }

  async #flush(): Promise<void> {
    const lines = this.#lines
    if (lines.length === 0) return
    const operations = lines.map(({ operation }) => operation)
    const results = await this.#lvs.run(operations, { signal: this.#io.signal }) // rejects only when nothing was sent
    this.#lines = []
    for (let i = 0; i < lines.length; i++) {
      const result = results[i]
      if (!result || (result.ok && result.found !== false)) continue
      const line = lines[i] as Line
      if (!result.ok && uninitialised(result.error)) throw result.error
      const problem = await problemOf(this.#lvs, line.request, result)
      if (problem !== undefined) await this.#tell(line, problem)
    }
  }

  async #tell({ number, text }: Pick<Line, 'number' | 'text'>, problem: string): Promise<void> {
    this.#bad++
    await write(this.#io.stderr, `line ${number}: ${shown(text.trim())}: ${problem}\n`)
  }
}

/** Enough of a line to know it again, without what a terminal would take for an order. */
function shown(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text
  return short.replaceAll(/\p{Cc}/gu, char => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

const BLANK = /[ \t\r]+/

/** Words between blanks, up to a `#`. The program's name may stand among them, as in the lines of ipvsadm. */
function wordsOf(text: string): string[] {
  const words = text.split(/[\t\r]/.test(text) ? BLANK : ' ')
  const comment = text.includes('#') ? words.findIndex(word => word.startsWith('#')) : -1
  if (comment >= 0) words.length = comment
  const kept = words.some(isNoWord) ? words.filter(word => !isNoWord(word)) : words
  return kept[0] === 'ts-ipvs' ? kept.slice(1) : kept
}

const isNoWord = (word: string): boolean => word === '' || word === 'ipvsadm'
