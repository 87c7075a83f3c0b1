/** Counters as JSON: whole numbers of any size, digit by digit. */

/** Stands before the digits of a bigint on their way through JSON.stringify. A character for private use: no name contains it. */
const MARK = '\uE000'

/** JSON.stringify that writes a bigint as a number. JSON has no largest number (RFC 8259, section 6); readers of doubles lose digits. */
export function toJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? MARK + part : part), indent)
  return text.replaceAll(new RegExp(`"${MARK}(-?\\d+)"`, 'g'), '$1')
}
