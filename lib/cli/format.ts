/** Numbers, times and colours as a person reads them. */

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'] as const

/** `0`, `0.5`, `7`, `999`, `1.2K`, `34K`, `5.6M`: a number from 0 in at most four characters, by powers of 1000. */
export function human(value: number): string {
  let scaled = value
  let unit = 0
  // 999.7 would be rounded to four digits: it is 1.0K.
  while (Math.round(scaled) >= 1000 && unit < UNITS.length - 1) {
    scaled /= 1000
    unit++
  }
  const decimals = scaled < 9.95 && (unit > 0 || scaled % 1 !== 0) ? 1 : 0
  const digits = scaled.toFixed(decimals)
  return `${unit === 0 ? digits.replace(/\.0$/, '') : digits}${UNITS[unit]}`
}

/** `12 s`, `0.5 s` */
export function seconds(value: number): string {
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} s`
}

/** `1 connection`, `2 connections` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** ISO 8601 in local time, to the millisecond: `2025-11-25T18:11:33.123+01:00`. */
export function localTime(date: Date): string {
  const offset = -date.getTimezoneOffset()
  const shifted = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1)
  const two = (number: number): string => String(Math.floor(number)).padStart(2, '0')
  return `${shifted}${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`
}

/** Select Graphic Rendition (ECMA-48, 8.3.117). */
const STYLES = { bold: 1, dim: 2, inverse: 7, red: 31, green: 32, yellow: 33 } as const

/** The text in a style, or as it is where there shall be no colours. */
export function styled(text: string, style: keyof typeof STYLES, colours: boolean): string {
  return colours ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text
}
