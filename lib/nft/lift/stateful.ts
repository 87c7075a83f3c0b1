/** Expressions that keep a state: of rules, sets and elements (src/statement.c and src/json.c, *_stmt_json). */
import type { Limit as LimitExpression, StatefulExpression } from '../expressions/index.js'
import type * as json from '../json/index.js'

const PERIODS: ReadonlyMap<bigint, NonNullable<json.Limit['per']>> = new Map([
  [1n, 'second'],
  [60n, 'minute'],
  [3600n, 'hour'],
  [86_400n, 'day'],
  [604_800n, 'week'],
])
const UNITS = ['bytes', 'kbytes', 'mbytes'] as const

export type ByteUnit = (typeof UNITS)[number]

/** Bytes in the largest unit that they are a multiple of. */
export function inUnits(bytes: bigint): readonly [amount: number, unit: ByteUnit] {
  let amount = bytes
  let unit = 0
  while (unit < UNITS.length - 1 && amount > 0n && amount % 1024n === 0n) {
    amount /= 1024n
    unit++
  }
  return [Number(amount), UNITS[unit] as ByteUnit]
}

/** `per` of a limit; undefined for a time that nft has no word for. */
export const periodOf = (unit: bigint): json.Limit['per'] => PERIODS.get(unit)

/** nft's JSON has numbers of 64 bits with a sign. */
const signed = (value: bigint): number => Number(BigInt.asIntN(64, value))

const inverted = (flags: readonly (string | number)[] | undefined, flag: string): { inv: true } | undefined =>
  flags?.includes(flag) ? { inv: true } : undefined

export function liftLimit({ rate, unit, burst = 0, of = 'packets', flags }: Omit<LimitExpression, 'kind'>): json.Limit {
  const per = periodOf(unit)
  if (of !== 'bytes') return { rate: Number(rate), burst, per, ...inverted(flags, 'invert') }
  const [amount, rate_unit] = inUnits(rate)
  const [bytes, burst_unit] = inUnits(BigInt(burst))
  return { rate: amount, burst: bytes, per, ...inverted(flags, 'invert'), rate_unit, burst_unit }
}

/**
 * What `nft -j` prints.
 *
 * @param stateless without what was counted, as it stands with sets
 */
export function liftStateful(expression: StatefulExpression, stateless = false): json.ElementStatement | undefined {
  switch (expression.kind) {
    case 'counter': {
      const { packets = 0n, bytes = 0n } = expression
      return { counter: stateless ? null : { packets: signed(packets), bytes: signed(bytes) } }
    }
    case 'limit':
      return { limit: liftLimit(expression) }
    case 'quota': {
      const [val, val_unit] = inUnits(expression.bytes)
      const [used, used_unit] = inUnits(expression.used ?? 0n)
      const counted = !stateless && used > 0 ? { used, used_unit } : undefined
      return { quota: { val, val_unit, ...counted, ...inverted(expression.flags, 'over') } }
    }
    case 'connlimit':
      return { 'ct count': { val: expression.count, ...inverted(expression.flags, 'invert') } }
    case 'last':
      return { last: expression.used && !stateless ? { used: expression.milliseconds ?? 0 } : null }
    case 'opaque':
      return undefined
  }
}
