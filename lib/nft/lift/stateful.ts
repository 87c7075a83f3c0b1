/** Expressions that keep a state: of rules, sets and elements (src/statement.c and src/json.c, *_stmt_json). */
import type { Limit as LimitExpression, StatefulExpression } from '../expressions/index.js'
import type * as json from '../json/index.js'
import { inUnits, wholeOf } from '../json/number.js'

const PERIODS: ReadonlyMap<bigint, NonNullable<json.Limit['per']>> = new Map([
  [1n, 'second'],
  [60n, 'minute'],
  [3600n, 'hour'],
  [86_400n, 'day'],
  [604_800n, 'week'],
])
/** `per` of a limit; undefined for a time that nft has no word for. */
export const periodOf = (unit: bigint): json.Limit['per'] => PERIODS.get(unit)

const inverted = (flags: readonly (string | number)[] | undefined, flag: string): { inv: true } | undefined =>
  flags?.includes(flag) ? { inv: true } : undefined

export function liftLimit({ rate, unit, burst = 0, of = 'packets', flags }: Omit<LimitExpression, 'kind'>): json.Limit {
  const per = periodOf(unit)
  if (of !== 'bytes') return { rate: wholeOf(rate), burst, per, ...inverted(flags, 'invert') }
  const [amount, rate_unit] = inUnits(rate)
  const [bytes, burst_unit] = inUnits(BigInt(burst))
  return { rate: amount, burst: Number(bytes), per, ...inverted(flags, 'invert'), rate_unit, burst_unit }
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
      return { counter: stateless ? null : { packets: wholeOf(packets), bytes: wholeOf(bytes) } }
    }
    case 'limit':
      return { limit: liftLimit(expression) }
    case 'quota': {
      const [val, val_unit] = inUnits(expression.bytes)
      const [used, used_unit] = inUnits(expression.used ?? 0n)
      const counted = !stateless && used !== 0 ? { used, used_unit } : undefined
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
