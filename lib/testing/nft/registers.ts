/** The registers of a rule's expressions (nf_tables_api.c, nft_parse_register_load and …_store): a rule may read only what it has written. */
import type { MessageWriter } from '../../netlink/buffer.js'
import { EINVAL, ENODATA, ERANGE, Errno } from '../errno.js'
import { type Nest, putBe32 } from './attributes.js'

/** 32-bit words: 4 of the verdict, and 16 for data. */
const WORDS = 20
const FIRST = 4

/** The register of an attribute by its first word. */
export function registerOf(attributes: Nest, id: number): number {
  const number = attributes.be32(id)
  if (number === undefined) throw new Errno(EINVAL)
  if (number <= 4) return number * 4
  if (number >= 8 && number <= 23) return number - 8 + FIRST
  throw new Errno(ERANGE)
}

/** Those at 16 bytes are told by their old numbers (nft_dump_register). */
export function putRegister(writer: MessageWriter, id: number, word: number): void {
  putBe32(writer, id, word % 4 === 0 ? word / 4 : word - FIRST + 8)
}

export class Registers {
  /** A bit for each word that was written. */
  #written = 0

  /** Reads `length` bytes from the register of an attribute. */
  load(attributes: Nest, id: number, length: number): number {
    const word = registerOf(attributes, id)
    checkRange(word, length)
    const mask = maskOf(word, length)
    if ((this.#written & mask) !== mask) throw new Errno(ENODATA)
    return word
  }

  /** Writes `length` bytes to the register of an attribute. */
  store(attributes: Nest, id: number, length: number): number {
    const word = registerOf(attributes, id)
    if (word === 0) throw new Errno(EINVAL)
    checkRange(word, length)
    this.#written |= maskOf(word, length)
    return word
  }
}

function checkRange(word: number, length: number): void {
  if (word < FIRST || length === 0) throw new Errno(EINVAL)
  if (word * 4 + length > WORDS * 4) throw new Errno(ERANGE)
}

const maskOf = (word: number, length: number): number => ((1 << Math.ceil(length / 4)) - 1) << word
