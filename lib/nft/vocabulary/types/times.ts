/** Types of time (nftables, src/datatype.c and src/meta.c). */
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Immediate } from '../../json/index.js'
import type { ValueType } from '../value-type.js'
import { inRange, integerOf, jsonNumber, numberType } from './number.js'
import { DAYS } from './words.js'

const UNITS = { d: 86_400_000n, h: 3_600_000n, m: 60_000n, s: 1000n, ms: 1n } as const

/** A duration in milliseconds as nft writes it: `1d2h3m4s5ms`, without the units of which there are none. */
export function printDuration(milliseconds: bigint): string {
  let rest = milliseconds
  let text = ''
  for (const [unit, size] of Object.entries(UNITS)) {
    if (rest >= size) text += `${rest / size}${unit}`
    rest %= size
  }
  return text || '0s'
}

/** The milliseconds of `1h30m` or of a number of seconds; undefined for what is neither. */
function durationOf(given: Immediate): bigint | undefined {
  const seconds = integerOf(given)
  if (seconds !== undefined) return seconds * 1000n
  if (typeof given === 'number') return given >= 0 ? BigInt(Math.round(given * 1000)) : undefined
  if (typeof given !== 'string') return undefined
  const parts = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(given)
  if (parts === null || given === '') return undefined
  return Object.values(UNITS).reduce((sum, size, i) => sum + BigInt(parts[i + 1] ?? 0) * size, 0n)
}

/** How long something takes: in registers milliseconds, in JSON seconds. */
export const DURATION: ValueType = {
  ...numberType({ name: 'time', number: 18, bits: 32, order: 'host' }),
  parse(given, bits) {
    const value = durationOf(given)
    if (value === undefined)
      throw new BadValue('type', `${shown(given)} is no time: give a number of seconds, or text, as "1d2h3m4s"`)
    return inRange(value, bits || 32)
  },
  json: value => jsonNumber(value / 1000n),
  print: printDuration,
  printNumber: value => `${value / 1000n}s`,
}

const SECOND = 1_000_000_000n
const two = (number: number): string => String(number).padStart(2, '0')

function printDate(value: bigint): string {
  const date = new Date(Number(value / SECOND) * 1000)
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

function dateOf(text: string): bigint | undefined {
  const parts = /^(\d{4})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2}))?)?$/.exec(text)
  if (parts === null) return undefined
  const [year, month, day, hour = 0, minute = 0, second = 0] = parts.slice(1).map(part => Number(part ?? 0))
  return BigInt(new Date(year as number, (month as number) - 1, day, hour, minute, second).getTime() / 1000)
}

const quotedDate = (value: bigint): string => `"${printDate(value)}"`

/** A point of time: nanoseconds since 1970, shown in local time. */
export const DATE: ValueType = {
  ...numberType({ name: 'time', number: 43, bits: 64, order: 'host' }),
  parse(given) {
    const seconds = (typeof given === 'string' ? dateOf(given) : undefined) ?? integerOf(given)
    if (seconds === undefined)
      throw new BadValue('type', `${shown(given)} is no date: give text, as "2026-01-31 12:00:00", or seconds since 1970`)
    return inRange(seconds * SECOND, 64)
  },
  json: printDate,
  print: quotedDate,
  printNumber: quotedDate,
}

const DAY = 86_400
/** The kernel knows the hour of UTC, nft that of the local time. */
const shifted = (seconds: number, by: number): number => (((seconds + by) % DAY) + DAY) % DAY
const offset = (): number => -60 * new Date().getTimezoneOffset()

function printHour(value: bigint): string {
  const seconds = shifted(Number(value), offset())
  const minutes = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}`
  return seconds % 60 === 0 ? minutes : `${minutes}:${two(seconds % 60)}`
}

function hourOf(given: Immediate): number | undefined {
  const parts = typeof given === 'string' ? /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/.exec(given) : null
  if (parts === null) return undefined
  const [hour = 0, minute = 0, second = 0] = parts.slice(1).map(part => Number(part ?? 0))
  return hour < 24 && minute < 60 && second < 60 ? 3600 * hour + 60 * minute + second : undefined
}

const quotedHour = (value: bigint): string => `"${printHour(value)}"`

/** A time of day: seconds since midnight, shown in local time. */
export const HOUR: ValueType = {
  ...numberType({ name: 'hour', number: 44, bits: 32, order: 'host' }),
  parse(given) {
    const number = integerOf(given)
    if (number !== undefined) return inRange(number, 32)
    const seconds = hourOf(given)
    if (seconds === undefined)
      throw new BadValue('type', `${shown(given)} is no hour: give text, as "17:30", or seconds since midnight of UTC`)
    return BigInt(shifted(seconds, -offset()))
  },
  json: printHour,
  print: quotedHour,
  printNumber: quotedHour,
}

const day = numberType({ name: 'day', number: 45, bits: 8, order: 'host', symbols: DAYS, quoted: true })

/** A day of the week. */
export const WEEKDAY: ValueType = {
  ...day,
  parse(given, bits) {
    const value = day.parse(given, bits)
    if (value > 6n) throw new BadValue('range', `${shown(given)}: give a day, or 0 for Sunday to 6 for Saturday`)
    return value
  },
}
