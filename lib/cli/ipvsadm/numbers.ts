/** Numbers and IPv4 addresses as the C library reads them. */
import { parseIPv4 } from '../../netlink/address.js'

/** strtol in base 10, whole: blanks and a sign may lead, nothing may follow. Undefined when it is none, or out of range. */
export function wholeNumber(text: string, minimum: number, maximum: number): number | undefined {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(text)) return undefined
  const number = Number(text)
  return number >= minimum && number <= maximum ? number : undefined
}

/** atoi: the digits at the beginning, else 0. */
export function leadingNumber(text: string): number {
  return Number.parseInt(/^[ \t\n\v\f\r]*[+-]?\d+/.exec(text)?.[0] ?? '0', 10)
}

const PART = /^(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9]\d*))$/

const scratch = new Uint8Array(4)

/** inet_aton: one to four parts, decimal, octal or hexadecimal, of which the last fills what is left. As a dotted quad. */
export function dottedQuad(text: string): string | undefined {
  if (parseIPv4(text, scratch, 0)) return text // as nearly every address is written
  const parts = text.replace(/[ \t\n\v\f\r].*$/s, '').split('.')
  if (parts.length > 4) return undefined
  let value = 0
  for (const [i, part] of parts.entries()) {
    const match = PART.exec(part)
    if (!match) return undefined
    const [, hex, octal, decimal = ''] = match
    const number =
      hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : Number(decimal)
    const last = i === parts.length - 1
    if (number >= (last ? 256 ** (5 - parts.length) : 256)) return undefined
    value += last ? number : number * 256 ** (3 - i)
  }
  return [value / 0x1000000, value / 0x10000, value / 0x100, value].map(octet => Math.floor(octet) % 256).join('.')
}
