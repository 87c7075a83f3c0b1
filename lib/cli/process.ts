/** A command line as a process: its streams, its signals, its end. */
import { fstatSync, readSync, writeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { describeError, type Input, type Io, type Output, write } from './io.js'

/** Signals that ask the program to end, by their numbers. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const
type Signal = keyof typeof SIGNALS
const signals = Object.keys(SIGNALS) as Signal[]

/** Exit status of what SIGPIPE ends; Node.js ignores that signal. */
const BROKEN_PIPE = 141

/**
 * Runs `main` with the arguments, streams and signals of this process. Its exit status becomes that of the process, which ends when all
 * output has been taken; nothing is read any more. A signal ends the process at once, unless `main` has asked for `io.signal`: then it
 * aborts that, and ends the process when `main` has come to its end; a second one ends it at once.
 */
export async function runProcess(main: (argv: readonly string[], io: Io) => Promise<number>, program: string): Promise<void> {
  const io = new ProcessIo(program)
  process.noDeprecation = true
  process.on('uncaughtException', error => failed(program, error))
  let received: Signal | undefined
  let ended = false
  const onSignal = (signal: Signal): void => {
    if (received || ended || !io.signalAsked) endBy(signal)
    received = signal
    io.abort()
  }
  const endBy = (signal: Signal): void => {
    io.restoreTerminal()
    for (const name of signals) process.off(name, onSignal)
    process.kill(process.pid, signal)
    process.exit(128 + SIGNALS[signal]) // the first process of a container does not die of its own signals
  }
  for (const name of signals) process.on(name, onSignal)

  process.once('beforeExit', neverEnded)
  process.exitCode = await main(process.argv.slice(2), io)
  process.off('beforeExit', neverEnded)
  ended = true
  await io.end()
  if (received) endBy(received)
}

/** The streams are made when they are asked for: each takes milliseconds. */
class ProcessIo implements Io {
  readonly program: string
  readonly env = process.env
  readonly #ending = new AbortController()
  /** Whether something here has to come to an orderly end. */
  signalAsked = false
  #stdin: (Input & Partial<Pick<NodeJS.ReadStream, 'isRaw'>>) | undefined
  readonly #outputs = new Set<Output>()

  constructor(program: string) {
    this.program = program
  }

  get signal(): AbortSignal {
    this.signalAsked = true
    return this.#ending.signal
  }

  get stdin(): Input {
    this.#stdin ??= isOnDisk(0) ? readable(0) : process.stdin
    return this.#stdin
  }

  get stdout(): Output {
    this.#outputs.add(process.stdout)
    return process.stdout
  }

  get stderr(): Output {
    this.#outputs.add(process.stderr)
    return process.stderr
  }

  async open(options: Parameters<Io['open']>[0]): ReturnType<Io['open']> {
    const { open } = await import('../ipvs/open.js')
    return open(options)
  }

  async openNft(options: Parameters<Io['openNft']>[0]): ReturnType<Io['openNft']> {
    // Of the other file: ipvsadm's grammar does not need it.
    const { openNft } = await import('./subcommands.js')
    return openNft(options)
  }

  suspend(): void {
    process.kill(process.pid, 'SIGSTOP')
  }

  abort(): void {
    this.#ending.abort()
  }

  restoreTerminal(): void {
    if (this.#stdin?.isRaw) this.#stdin.setRawMode?.(false)
  }

  /** Waits until all output is taken, or fails, which the output tells those who listen; and lets go of the input, which would hold the process. */
  async end(): Promise<void> {
    for (const output of this.#outputs) if (output.writable) await write(output, '').catch(() => {})
    this.#stdin?.destroy()
  }
}

function isOnDisk(fd: number): boolean {
  try {
    const stats = fstatSync(fd)
    return stats.isFile() || stats.isDirectory() // as if it were empty, process.stdin would say of a directory
  } catch {
    return false // not open at all: process.stdin knows what to do
  }
}

/**
 * A file never makes its reader wait: what Node.js needs to read it on its threads takes longer to start than the reading. Between two
 * portions signals have their turn.
 */
function readable(fd: number): Readable {
  const CHUNK = 65536
  return new Readable({
    highWaterMark: CHUNK,
    read() {
      setImmediate(() => {
        try {
          const bytes = Buffer.allocUnsafe(CHUNK)
          const length = readSync(fd, bytes)
          this.push(length === 0 ? null : bytes.subarray(0, length))
        } catch (error) {
          this.destroy(error as Error)
        }
      })
    },
  })
}

/** Nothing holds the process, and `main` waits for ever. */
function neverEnded(): void {
  process.exitCode = 1
}

/** For what nobody has caught: outputs that nobody reads any more, and mistakes of the program itself. */
function failed(program: string, error: unknown): void {
  if ((error as { code?: unknown } | undefined)?.code === 'EPIPE') process.exit(BROKEN_PIPE)
  try {
    writeSync(2, `${program}: ${describeError(error)}\n`)
  } catch {} // nowhere to say it
  process.exit(1)
}
