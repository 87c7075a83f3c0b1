/** Statements that keep a state: of rules, sets and elements (src/parser_json.c, json_parse_limit_stmt and those beside it). */
import { BadValue } from '../../netlink/schema.js'
import type { StatefulExpression } from '../expressions/index.js'
import {
  at,
  type Fields,
  fieldsOf,
  numberIn,
  optionalBoolean,
  optionalNumber,
  optionalWhole,
  optionalWord,
  singleOf,
  wholeIn,
} from '../json/fields.js'

const SECONDS = { second: 1n, minute: 60n, hour: 3600n, day: 86_400n, week: 604_800n } as const
const BYTES = { bytes: 1n, kbytes: 1n << 10n, mbytes: 1n << 20n } as const

type Period = keyof typeof SECONDS
type ByteUnit = keyof typeof BYTES

const PERIODS = Object.keys(SECONDS) as Period[]
const BYTE_UNITS = Object.keys(BYTES) as ByteUnit[]
const UNITS = ['packets', ...BYTE_UNITS] as const
/** What a limit of packets lets through at once where nothing is said. */
const BURST = 5
const U32 = 0xffff_ffff

/** Rate, unit and burst of a limit: of an expression, or of an object. */
export interface LimitFields {
  readonly rate: bigint
  readonly unit: bigint
  readonly burst: number
  readonly of: 'packets' | 'bytes'
  readonly flags?: readonly 'invert'[]
}

export const LIMIT_FIELDS = ['rate', 'rate_unit', 'per', 'burst', 'burst_unit', 'inv'] as const

export function limitOf(fields: Fields): LimitFields {
  const rate = wholeIn(fields, 'rate')
  if (rate === 0n) throw new BadValue('range', '0: give a whole number from 1').within('rate')
  const rateUnit = optionalWord(fields, 'rate_unit', UNITS) ?? 'packets'
  const per = optionalWord(fields, 'per', PERIODS) ?? 'second'
  const burst = optionalNumber(fields, 'burst', 0, U32) ?? 0
  const burstUnit = optionalWord(fields, 'burst_unit', UNITS) ?? 'bytes'
  const inverted = optionalBoolean(fields, 'inv') ? { flags: ['invert'] as const } : {}
  const unit = SECONDS[per]
  if (rateUnit === 'packets') return { rate, unit, burst: burst || BURST, of: 'packets', ...inverted }
  if (burstUnit === 'packets')
    throw new BadValue('type', '"packets": the rate is of bytes: give bytes, kbytes or mbytes').within('burst_unit')
  const bytes = BigInt(burst) * BYTES[burstUnit]
  if (bytes > BigInt(U32)) throw new BadValue('range', `${burst} ${burstUnit}: are too many: 4 GB fit`).within('burst')
  return { rate: rate * BYTES[rateUnit], unit, burst: Number(bytes), of: 'bytes', ...inverted }
}

export const QUOTA_FIELDS = ['val', 'val_unit', 'used', 'used_unit', 'inv'] as const

export function quotaOf(fields: Fields): { bytes: bigint; used?: bigint; flags?: readonly 'over'[] } {
  const bytes = wholeIn(fields, 'val') * BYTES[optionalWord(fields, 'val_unit', BYTE_UNITS) ?? 'bytes']
  const used = (optionalWhole(fields, 'used') ?? 0n) * BYTES[optionalWord(fields, 'used_unit', BYTE_UNITS) ?? 'bytes']
  return { bytes, ...(used > 0n && { used }), ...(optionalBoolean(fields, 'inv') && { flags: ['over'] as const }) }
}

const KINDS: Readonly<Record<string, (given: unknown) => StatefulExpression>> = {
  counter(given) {
    if (given === null) return { kind: 'counter' }
    const fields = fieldsOf(given, ['packets', 'bytes'])
    return { kind: 'counter', packets: optionalWhole(fields, 'packets') ?? 0n, bytes: optionalWhole(fields, 'bytes') ?? 0n }
  },
  limit: given => ({ kind: 'limit', ...limitOf(fieldsOf(given, LIMIT_FIELDS)) }),
  quota: given => ({ kind: 'quota', ...quotaOf(fieldsOf(given, QUOTA_FIELDS)) }),
  'ct count'(given) {
    const fields = fieldsOf(given, ['val', 'inv'])
    const count = numberIn(fields, 'val', 0, U32)
    return { kind: 'connlimit', count, ...(optionalBoolean(fields, 'inv') && { flags: ['invert'] as const }) }
  },
  last(given) {
    if (given === null) return { kind: 'last' }
    const milliseconds = optionalNumber(fieldsOf(given, ['used']), 'used')
    return milliseconds === undefined ? { kind: 'last' } : { kind: 'last', used: true, milliseconds }
  },
}

/** Names of the statements that may stand with sets and elements. */
export const STATEFUL: readonly string[] = Object.keys(KINDS)

/** One of them: `{ "counter": null }`. Throws a `BadValue`. */
export function lowerStateful(given: unknown): StatefulExpression {
  const [kind, value] = singleOf(given, STATEFUL)
  return at(kind, () => statefulOf(kind, value))
}

/** One of them by its name. Throws a `BadValue`. */
export function statefulOf(kind: string, value: unknown): StatefulExpression {
  const lower = KINDS[kind]
  if (lower === undefined) throw new BadValue('type', `${kind}: keeps no state`)
  return lower(value)
}
