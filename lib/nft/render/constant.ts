/** Constants as nft's text shows them. */
import { BadValue } from '../../netlink/schema.js'
import type { Immediate } from '../json/index.js'
import { knownType } from '../vocabulary/types.js'
import type { Shape, ValueType } from '../vocabulary/value-type.js'
import { quote, unsigned } from './words.js'

/** Types whose words only the machine knows that the rules are on: text shows what JSON has. */
const OWN_WORDS: ReadonlySet<number> = new Set(
  ['iface_index', 'cgroupsv2', 'ct_label', 'hour', 'date'].map(name => knownType(name).number),
)
/** Types whose words are quoted. */
const QUOTED: ReadonlySet<number> = new Set(['realm', 'devgroup', 'day'].map(name => knownType(name).number))

/** A number in nft's JSON stands for itself, a word is quoted where the type has quoted words. */
function asItIs(given: string | number, { number }: ValueType): string {
  if (typeof given === 'number') return unsigned(given)
  const quoted = (OWN_WORDS.has(number) || QUOTED.has(number)) && !/^\d+$/.test(given)
  return quoted ? quote(given) : given
}

/**
 * A constant of JSON as text. Words that the type does not know are shown as they are; those of a range's bounds as numbers, and
 * numbers as numbers: nft's JSON has words for all that its text has words for.
 */
export function renderConstant(given: Immediate | bigint, shape: Shape | undefined, bound = false): string {
  if (typeof given === 'boolean') return bound ? String(Number(given)) : given ? 'exists' : 'missing'
  if (shape === undefined || (typeof given === 'string' && given.startsWith('@'))) return String(given)
  const { type, bits } = shape
  if (typeof given === 'bigint') return type.print(given, bits)
  if (type.text) return quote(given)
  if (OWN_WORDS.has(type.number)) return asItIs(given, type)
  try {
    const value = type.parse(typeof given === 'number' ? unsigned(given) : given, ANY)
    return bound || (typeof given === 'number' && type !== DURATION) ? type.printNumber(value, bits) : type.print(value, bits)
  } catch (error) {
    if (error instanceof BadValue) return asItIs(given, type)
    throw error
  }
}

/** Bits: how long a constant may be has been checked by nft. */
const ANY = 128
const DURATION = knownType('time')
