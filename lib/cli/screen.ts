/** The whole terminal, for a while: what was there before comes back, however the program ends. */
import { emitKeypressEvents, type Key } from 'node:readline'
import ansiEscapes from 'ansi-escapes'
import type { Io } from './io.js'

export interface ScreenEvents {
  key(key: Key): void
  /** The terminal has another size. */
  resize(): void
  /** The terminal is gone, or one of the functions above has thrown. */
  failed(error: unknown): void
}

/** Shows the alternate screen without a cursor, and takes every key from the keyboard, where there is one. */
export class Screen implements Disposable {
  readonly #io: Io
  readonly #undo: (() => void)[] = []

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
    this.#listen(stdout, 'resize', guarded(events.resize))
    stdout.write(ansiEscapes.enterAlternativeScreen + ansiEscapes.cursorHide)
    this.#undo.push(() => stdout.write(ansiEscapes.cursorShow + ansiEscapes.exitAlternativeScreen))
    if (!stdin.isTTY) return
    stdin.setRawMode?.(true)
    this.#undo.push(() => stdin.setRawMode?.(false))
    emitKeypressEvents(stdin)
    this.#listen(
      stdin,
      'keypress',
      guarded((_: string, key: Key) => events.key(key)),
    )
    this.#listen(stdin, 'error', events.failed)
    stdin.resume()
    this.#undo.push(() => stdin.pause())
  }

  /** Replaces what is shown. Lines must fit. */
  draw(lines: readonly string[]): void {
    const rows = lines.map((line, y) => ansiEscapes.cursorTo(0, y) + ansiEscapes.eraseLine + line)
    this.#io.stdout.write(ansiEscapes.synchronizedOutput(rows.join('') + ansiEscapes.eraseDown))
  }

  [Symbol.dispose](): void {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) undo()
  }

  #listen<A extends unknown[]>(emitter: Io['stdin'] | Io['stdout'], event: string, listener: (...parameters: A) => void): void {
    emitter.on(event, listener as (...parameters: unknown[]) => void)
    this.#undo.push(() => emitter.off(event, listener as (...parameters: unknown[]) => void))
  }
}
