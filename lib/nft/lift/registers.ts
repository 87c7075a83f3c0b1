/** The kernel's registers, in words of 4 bytes. */
import type { Register } from '../data.js'
import { bitsOf } from './shape.js'
import { unliftable, type Value } from './value.js'

const WORDS = 16
const REG32 = 8

interface Content {
  readonly value: Value
  used: boolean
}

/** 1 to 4 are those of 16 bytes, 8 to 23 the words of the same. */
export function wordOf(register: Register): number {
  if (register >= 1 && register <= 4) return 4 * (register - 1)
  if (register >= REG32 && register < REG32 + WORDS) return register - REG32
  return unliftable(`register ${register}`)
}

const wordsOf = (bits: number): number => Math.max(1, Math.ceil(bits / 32))

export class Registers {
  readonly #words: (Content | undefined)[] = []

  set(register: Register, value: Value): void {
    const word = wordOf(register)
    const before = this.#words[word]
    // What nothing looked at would be lost.
    if (before && !before.used) unliftable(`register ${register} is loaded twice`)
    this.#words[word] = { value, used: false }
  }

  /** What a register holds, and that it is looked at. */
  get(register: Register): Value {
    return this.#at(wordOf(register), register)
  }

  find(register: Register): Value | undefined {
    return this.#words[wordOf(register)]?.value
  }

  /** What stands in so many bytes from a register on. */
  concatenation(register: Register, bits: number): Value {
    let word = wordOf(register)
    const parts: Value[] = []
    for (let rest = wordsOf(bits); rest > 0; ) {
      const part = this.#at(word, register)
      const words = wordsOf(bitsOf(part))
      parts.push(part)
      rest -= words
      word += words
    }
    return parts.length === 1 ? (parts[0] as Value) : { kind: 'concatenated', parts }
  }

  /** Whether there is something that no statement looked at. */
  get unread(): boolean {
    return this.#words.some(content => content && !content.used)
  }

  #at(word: number, register: Register): Value {
    const content = this.#words[word]
    if (!content) return unliftable(`register ${register} is empty`)
    content.used = true
    return content.value
  }
}
