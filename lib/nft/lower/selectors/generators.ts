/** Numbers that are made (src/numgen.c, src/hash.c). */
import { BadValue } from '../../../netlink/schema.js'
import type { Expression } from '../../expressions/index.js'
import { at, fieldsOf, numberIn, optionalNumber, optionalWord } from '../../json/fields.js'
import { INTEGER } from '../../vocabulary/types.js'
import type { Shape } from '../../vocabulary/value-type.js'
import { emit, register } from '../emit.js'
import type { Source, Term } from '../terms.js'

const U32 = 0xffff_ffff
const NUMBER: Shape = { type: INTEGER, bits: 32, order: 'host' }

const source = (load: Source['load']): Source => ({ kind: 'source', shape: NUMBER, width: 32, load })

export function numgen(given: unknown): Term {
  const fields = fieldsOf(given, ['mode', 'mod', 'offset'])
  const type = optionalWord(fields, 'mode', ['inc', 'random'] as const)
  if (type === undefined) throw new BadValue('type', 'is missing: give "inc" or "random"').within('mode')
  const modulus = numberIn(fields, 'mod', 1, U32)
  const offset = optionalNumber(fields, 'offset', 0, U32) ?? 0
  return source(step => [{ kind: 'numgen', destination: register(step), modulus, type, offset }])
}

export function symhash(given: unknown): Term {
  const fields = fieldsOf(given, ['mod', 'offset'])
  const modulus = numberIn(fields, 'mod', 1, U32)
  const offset = optionalNumber(fields, 'offset', 0, U32) ?? 0
  return source(step => [{ kind: 'hash', destination: register(step), modulus, offset, type: 'symmetric' }])
}

/** `operand`: what is hashed. */
export function jhash(given: unknown, operand: (given: unknown) => Term): Term {
  const fields = fieldsOf(given, ['mod', 'offset', 'expr', 'seed'])
  const modulus = numberIn(fields, 'mod', 1, U32)
  const offset = optionalNumber(fields, 'offset', 0, U32) ?? 0
  const seed = optionalNumber(fields, 'seed', 0, U32)
  const hashed = at('expr', () => operand(fields.expr))
  return source((step, free): Expression[] => [
    ...emit(hashed, free),
    {
      kind: 'hash',
      source: register(free),
      destination: register(step),
      length: hashed.width >> 3,
      modulus,
      ...(seed !== undefined && { seed }),
      offset,
      type: 'jenkins',
    },
  ])
}
