/** A terminal without a screen: what is written to it is kept, and keys come from the test. */
import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import ansiEscapes from 'ansi-escapes'
import type { Input, Io, Output } from '../../../lib/cli/io.js'
import { main } from '../../../lib/cli/main.js'
import { open } from '../../../lib/ipvs/index.js'
import type { MemoryKernel } from '../../../lib/testing/index.js'
import { Text } from '../support.js'

/** Milliseconds: the machine may be busy. */
const LIMIT = 60_000

export class FakeTerminal {
  readonly #ending = new AbortController()
  readonly #out = Object.assign(new Text(), { isTTY: true, columns: 100, rows: 12 })
  readonly #keyboard = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => {
      this.rawModes.push(raw)
    },
  })
  readonly rawModes: boolean[] = []
  readonly errors = new Text()
  /** What had been written whenever the program had itself stopped. */
  readonly stops: string[] = []

  /** Runs the command line here, and returns its status. */
  run(argv: readonly string[], kernel: MemoryKernel, env: Io['env'] = {}): Promise<number> {
    return main(argv, {
      program: 'ts-ipvs',
      stdin: this.#keyboard as Input,
      stdout: this.#out as Output,
      stderr: this.errors,
      env: { LANG: 'C.UTF-8', ...env },
      signal: this.#ending.signal,
      suspend: () => {
        this.stops.push(this.written)
      },
      open: () => open({ transport: kernel }),
      openNft: () => Promise.reject(new Error('nothing is opened')),
    })
  }

  /** Everything that was written so far. */
  get written(): string {
    return this.#out.text
  }

  /** The text of the last screen. */
  get screen(): string {
    const last = this.written.split(ansiEscapes.beginSynchronizedOutput).at(-1) ?? ''
    return stripVTControlCharacters(last.replaceAll(ansiEscapes.eraseLine, '\n'))
  }

  type(keys: string): void {
    this.#keyboard.write(keys)
  }

  resize(columns: number, rows: number): void {
    Object.assign(this.#out, { columns, rows })
    this.#out.emit('resize')
  }

  /** From now on whoever asks for its size gets an exception. */
  breakDrawing(): void {
    const get = (): never => {
      throw new Error('it does not draw')
    }
    Object.defineProperty(this.#out, 'columns', { get })
    this.#out.emit('resize')
  }

  /** The signal that asks the program to end. */
  end(): void {
    this.#ending.abort()
  }

  /** The terminal is gone. */
  hangUp(): void {
    this.#out.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }))
  }

  /** Listeners that were left behind. */
  get listeners(): number {
    return this.#out.listenerCount('resize') + this.#keyboard.listenerCount('keypress')
  }

  /** Waits until it is so. */
  async until(condition: (terminal: FakeTerminal) => boolean): Promise<void> {
    const end = performance.now() + LIMIT
    while (!condition(this)) {
      if (performance.now() > end) throw new Error(`it never came to that:\n${this.screen}`)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
}
