/** `ts-ipvs top`: rates and connections, live on a terminal, as a table elsewhere. */
import { hostname } from 'node:os'
import type { Key } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import Table from 'cli-table3'
import { type IpvsClient, isTransient, type Snapshot } from '../../ipvs/index.js'
import { CommandError, hasColours, type Io, SUCCESS, write } from '../io.js'
import { type CommonOptions, openClient } from '../program.js'
import { Screen } from '../screen.js'
import { COLUMNS, type SortKey, sorted } from '../top/columns.js'
import { type Look, look, type Row } from '../top/look.js'
import { draw, pageOf, press, type Size, startView, type View } from '../top/view.js'
import { parseInterval } from '../words.js'

export interface TopOptions extends Omit<CommonOptions, 'json'> {
  readonly interval: string
  readonly sort: SortKey
  readonly iterations?: string
}

export async function top(io: Io, options: TopOptions): Promise<number> {
  const interval = parseInterval(options.interval)
  const iterations = parseIterations(options.iterations)
  await using client = await openClient(io, options)
  const terminal = io.stdout.isTTY === true && io.env.TERM !== 'dumb'
  if (terminal) await new Live(io, client, options, interval).run(iterations ?? Number.POSITIVE_INFINITY)
  else await plain(io, client, options.sort, interval, iterations ?? 1)
  return SUCCESS
}

function parseIterations(word: string | undefined): number | undefined {
  if (word === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(word)) throw new CommandError(`--iterations ${word}: give a whole number from 1`)
  return Number(word)
}

/** Turns at whole intervals from now on, however long each takes; those that one takes too long for are left out. */
async function* turns(interval: number, signal: AbortSignal): AsyncGenerator<void> {
  const began = performance.now()
  while (!signal.aborted) {
    yield
    const rest = interval * 1000 - ((performance.now() - began) % (interval * 1000))
    await sleep(rest, undefined, { signal }).catch(() => {})
  }
}

const now = (): number => performance.now() / 1000

/** A snapshot, or undefined when the signal came first. */
async function snapshot(client: IpvsClient, signal: AbortSignal): Promise<Snapshot | undefined> {
  try {
    return await client.snapshot({ statistics: true, signal })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

async function plain(io: Io, client: IpvsClient, by: SortKey, interval: number, iterations: number): Promise<void> {
  let latest: Look | undefined
  let left = iterations
  for await (const _ of turns(interval, io.signal)) {
    const tables = await snapshot(client, io.signal)
    if (!tables) return
    const separator = latest ? '\n' : ''
    latest = look(latest, tables.virtualServers, now())
    await write(io.stdout, separator + table(sorted(latest, { by, reversed: false }), by))
    if (--left === 0) return
  }
}

const BORDERS = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'] as const
const LINES = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'] as const

/** The columns that are text: a history has no place in a file. */
function table(rows: readonly Row[], by: SortKey): string {
  const columns = COLUMNS.filter(({ heading }) => heading !== 'History')
  const lines = new Table({
    head: columns.map(({ heading }) => heading),
    colAligns: columns.map(({ align }) => align),
    chars: { ...Object.fromEntries([...BORDERS, ...LINES].map(name => [name, ''])), middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) lines.push(columns.map(({ text }) => text(row, { by, reversed: false })))
  return `${lines.toString()}\n`
}

/** The full screen: it looks at the kernel, and draws after each look, key and change of size. */
class Live {
  readonly #io: Io
  readonly #client: IpvsClient
  readonly #options: TopOptions
  readonly #interval: number
  readonly #quit = new AbortController()
  #view: View
  #look: Look | undefined
  #time = new Date()
  #rows: readonly Row[] = []
  /** Why the last look failed; the one before is still shown. */
  #failure: string | undefined
  /** What ends it with an error. */
  #broken: { readonly error: unknown } | undefined

  constructor(io: Io, client: IpvsClient, options: TopOptions, interval: number) {
    this.#io = io
    this.#client = client
    this.#options = options
    this.#interval = interval
    this.#view = startView(options.sort)
  }

  async run(iterations: number): Promise<void> {
    const signal = AbortSignal.any([this.#io.signal, this.#quit.signal])
    // What can not be read at all is told on the screen that stays.
    const first = await snapshot(this.#client, signal)
    if (!first) return
    this.#take(first)
    using screen = new Screen(this.#io, {
      key: key => this.#press(key, screen),
      redraw: () => this.#draw(screen),
      failed: error => this.#end({ error }),
    })
    let shown = 0
    for await (const _ of turns(this.#interval, signal)) {
      if (shown === iterations) break
      if (shown++ > 0 && !this.#view.paused) await this.#refresh(signal)
      this.#draw(screen)
    }
    if (this.#broken) throw this.#broken.error
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      const tables = await snapshot(this.#client, signal)
      if (tables && !this.#view.paused) this.#take(tables) // one under way when it was paused is late
      this.#failure = undefined
    } catch (error) {
      if (!isTransient(error)) throw error
      this.#failure = (error as Error).message
    }
  }

  #take({ virtualServers }: Snapshot): void {
    this.#look = look(this.#look, virtualServers, now())
    this.#time = new Date()
    this.#rows = sorted(this.#look, this.#view.sorting)
  }

  #press(key: Key, screen: Screen): void {
    if (key.ctrl && key.name === 'z') return screen.suspend()
    const before = this.#view
    this.#view = press(before, key, pageOf(this.#size), this.#rows.length)
    if (this.#view.ended) return this.#end()
    if (this.#look && this.#view.sorting !== before.sorting) this.#rows = sorted(this.#look, this.#view.sorting)
    this.#draw(screen)
  }

  get #size(): Size {
    const { columns, rows } = this.#io.stdout
    return { columns: columns || 80, rows: rows || 24 } // a serial console may say 0
  }

  #draw(screen: Screen): void {
    if (!this.#look) return
    screen.draw(
      draw(this.#rows, this.#view, this.#size, {
        look: this.#look,
        host: hostname(),
        namespace: this.#options.netns,
        interval: this.#interval,
        time: this.#time,
        failure: this.#failure,
        colours: hasColours(this.#io, this.#io.stdout),
      }),
    )
  }

  #end(broken?: { readonly error: unknown }): void {
    this.#broken ??= broken
    this.#quit.abort()
  }
}
