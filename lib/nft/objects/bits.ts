/** Flags as lists of words. */
import { BadValue, entryOf, shown } from '../../netlink/schema.js'

/** The bits of a list of words and numbers. Throws a `BadValue` at `field`. */
export function bitsOf<W extends string>(
  list: readonly (W | number)[],
  words: Readonly<Record<W, number>>,
  field: string,
): number {
  if (!Array.isArray(list))
    throw new BadValue('type', `${shown(list)}: give a list of ${Object.keys(words).join(', ')}`).within(field)
  let bits = 0
  for (const [i, word] of list.entries()) {
    const bit = typeof word === 'number' ? word : entryOf(words, word)
    if (bit === undefined || bit >>> 0 !== bit)
      throw new BadValue('type', `${shown(word)}: give one of ${Object.keys(words).join(', ')}`).within(i).within(field)
    bits |= bit
  }
  return bits >>> 0
}

/** The words of some bits; bits without a word are one number at the end. */
export function wordsOf<W extends string>(bits: number, words: Readonly<Record<W, number>>): (W | number)[] {
  const list: (W | number)[] = []
  let rest = bits
  for (const [word, bit] of Object.entries(words) as [W, number][]) {
    if ((rest & bit) !== bit) continue
    list.push(word)
    rest &= ~bit
  }
  if (rest !== 0) list.push(rest >>> 0)
  return list
}
