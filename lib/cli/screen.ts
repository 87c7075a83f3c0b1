/** The whole terminal, for a while: what was there before comes back, however the program ends or is stopped. */
import { emitKeypressEvents, type Key } from 'node:readline'
import ansiEscapes from 'ansi-escapes'
import { hasUnicode, type Io } from './io.js'

export interface ScreenEvents {
  key(key: Key): void
  /** The terminal has another size, or shows something else: the program was stopped, and goes on. */
  redraw(): void
  /** The terminal is gone, or one of the functions above has thrown. */
  failed(error: unknown): void
}

/** What stands for characters that a terminal without Unicode has not got, one for one. */
const ASCII: Readonly<Record<string, string>> = {
  ...{ '←': '<', '→': '>', '↑': '^', '↓': 'v', '…': '~' },
  ...{ '▁': '.', '▂': ',', '▃': ':', '▄': ';', '▅': '+', '▆': '*', '▇': '%', '█': '#' },
}
const ascii = (text: string): string => text.replaceAll(/[^\0-\x7f]/gu, char => ASCII[char] ?? '?')

/** What listeners are given, and taken from. */
interface Emitter {
  on(event: string, listener: (...parameters: unknown[]) => void): unknown
  off(event: string, listener: (...parameters: unknown[]) => void): unknown
}

/** Shows the alternate screen without a cursor, and takes every key from the keyboard, where there is one. */
export class Screen implements Disposable {
  readonly #io: Io
  readonly #undo: (() => void)[] = []
  /** What brings the terminal back as it was. */
  readonly #leave: (() => void)[] = []

  constructor(io: Io, events: ScreenEvents) {
    this.#io = io
    const guarded =
      <A extends unknown[]>(handle: (...parameters: A) => void) =>
      (...parameters: A): void => {
        try {
          handle(...parameters)
        } catch (error) {
          events.failed(error)
        }
      }
    // The last resort, where an exception that nobody catches ends the process: a terminal takes what is written at once.
    const restore = (): void => this[Symbol.dispose]()
    process.once('exit', restore)
    this.#undo.push(() => process.off('exit', restore))
    const { stdin, stdout } = io
    // For ever: when the terminal is gone, what restores it fails, too, and nobody else listens.
    stdout.on('error', events.failed)
    this.#listen(stdout, 'resize', guarded(events.redraw))
    this.#listen(process, 'SIGTSTP', () => this.suspend())
    const goOn = (): void => {
      this.#restore() // also where SIGSTOP gave no time for it: Node.js knows nothing of what the shell has done to the terminal
      this.#enter()
      events.redraw()
    }
    this.#listen(process, 'SIGCONT', guarded(goOn))
    if (stdin.isTTY) {
      emitKeypressEvents(stdin)
      this.#listen(
        stdin,
        'keypress',
        guarded((_: string, key: Key) => events.key(key)),
      )
      this.#listen(stdin, 'error', events.failed)
    }
    this.#enter()
  }

  /** Replaces what is shown. Lines must fit. */
  draw(lines: readonly string[]): void {
    if (this.#leave.length === 0) return // stopped, or about to be
    const shown = hasUnicode(this.#io) ? lines : lines.map(ascii)
    const rows = shown.map((line, y) => ansiEscapes.cursorTo(0, y) + ansiEscapes.eraseLine + line)
    this.#io.stdout.write(ansiEscapes.synchronizedOutput(rows.join('') + ansiEscapes.eraseDown))
  }

  /** Gives the terminal back, and stops the process until the shell lets it go on. */
  suspend(): void {
    this.#restore()
    this.#io.suspend()
  }

  [Symbol.dispose](): void {
    this.#restore()
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) undo()
  }

  #enter(): void {
    const { stdin, stdout } = this.#io
    stdout.write(ansiEscapes.enterAlternativeScreen + ansiEscapes.cursorHide)
    this.#leave.push(() => stdout.write(ansiEscapes.cursorShow + ansiEscapes.exitAlternativeScreen))
    if (!stdin.isTTY) return
    stdin.setRawMode?.(true)
    this.#leave.push(() => stdin.setRawMode?.(false))
    stdin.resume()
    this.#leave.push(() => stdin.pause())
  }

  #restore(): void {
    for (let leave = this.#leave.pop(); leave; leave = this.#leave.pop()) leave()
  }

  #listen<A extends unknown[]>(emitter: Emitter, event: string, listener: (...parameters: A) => void): void {
    emitter.on(event, listener as (...parameters: unknown[]) => void)
    this.#undo.push(() => emitter.off(event, listener as (...parameters: unknown[]) => void))
  }
}
