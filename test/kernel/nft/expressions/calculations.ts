/** What only works with registers. */
import type { Bitwise, Byteorder, Cmp, Immediate, Range } from '../../../../lib/nft/index.js'
import { bytes, group, REGISTERS, vary } from './group.js'

const LENGTHS = [1, 2, 3, 4, 8, 15, 16]
const VALUES = LENGTHS.map(length => bytes(length))

/** Those that two words fit into. Not every kernel takes two that overlap. */
const PAIRS = REGISTERS.filter(
  register => register < 11 || (register > 12 && register !== 15 && register !== 19 && register !== 23),
)

const immediate: Immediate = { kind: 'immediate', destination: 1, data: bytes(4) }
const cmp: Cmp = { kind: 'cmp', source: 1, operator: 'eq', data: bytes(4) }
const range: Range = { kind: 'range', source: 1, operator: 'eq', from: bytes(4), to: bytes(4, 2) }
const byteorder: Byteorder = { kind: 'byteorder', source: 1, destination: 2, operator: 'ntoh', length: 8, size: 4 }
const mask: Bitwise = {
  kind: 'bitwise',
  source: 1,
  destination: 2,
  length: 4,
  operator: 'mask-xor',
  mask: bytes(4, 0xf0),
  xor: bytes(4),
}
const shift: Bitwise = { kind: 'bitwise', source: 1, destination: 2, length: 4, operator: 'lshift', data: uint32(1) }
const and: Bitwise = { kind: 'bitwise', source: 1, destination: 2, length: 4, operator: 'and', data: bytes(4) }

function uint32(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer)
}

export const calculations = [
  group('immediate: bytes in registers', [...vary(immediate, { destination: REGISTERS, data: VALUES })]),
  group(
    'immediate: verdicts',
    vary<Immediate>(
      { kind: 'immediate', destination: 0, data: { verdict: 'accept' } },
      {
        data: [
          { verdict: 'drop' },
          { verdict: 'continue' },
          { verdict: 'break' },
          { verdict: 'return' },
          { verdict: 'jump', chain: 'target' },
          { verdict: 'goto', chain: 'target' },
        ],
      },
    ),
  ),
  group('cmp', vary(cmp, { source: REGISTERS, operator: ['neq', 'lt', 'lte', 'gt', 'gte'], data: VALUES })),
  group(
    'cmp: the registers of 4 bytes that one of 16 starts with are told by its number',
    [8, 12, 16, 20].map((source): Cmp => ({ ...cmp, source })),
    { told: given => ({ ...given, source: (given.source - 4) / 4 }) },
  ),
  group('range', [
    ...vary(range, { source: REGISTERS, operator: ['neq'] }),
    ...LENGTHS.map((length): Range => ({ ...range, from: bytes(length), to: bytes(length, 9) })),
  ]),
  group('byteorder', [
    ...vary(byteorder, {
      source: PAIRS.filter(register => register !== 13),
      destination: PAIRS.filter(register => register !== 9),
    }),
    ...(['ntoh', 'hton'] as const).flatMap(operator =>
      [2, 4, 8].flatMap(size =>
        [size, 16, 64].map((length): Byteorder => ({ ...byteorder, destination: 1, operator, size, length })),
      ),
    ),
  ]),
  group('bitwise: mask and xor', [
    ...vary(mask, { source: REGISTERS, destination: REGISTERS }),
    ...LENGTHS.map((length): Bitwise => ({ ...mask, destination: 1, length, mask: bytes(length, 0x80), xor: bytes(length) })),
  ]),
  group('bitwise: mask and xor without an operator', vary(mask, { operator: [undefined] }).slice(1), {
    told: given => ({ ...given, operator: 'mask-xor' }),
  }),
  group('bitwise: shifts', vary(shift, { operator: ['rshift'], data: [uint32(31)], length: [8, 16] })),
  group(
    'bitwise: and, or, xor of a register and bytes, or of two registers',
    (['and', 'or', 'xor'] as const).flatMap((operator): Bitwise[] => {
      const { data, ...without } = and
      const two = REGISTERS.map((source2): Bitwise => ({ ...without, operator, source2 }))
      return [{ ...and, operator }, ...two, { ...without, operator, destination: 1, source2: 1, length: 64 }]
    }),
    { since: '6.13' },
  ),
]
