/** Checks of what the kernel would take and spoil. Every message names the field and says what to give instead. */

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value === 'bigint' ? `${value}n` : String(value)
}

export function integer(value: unknown, field: string, minimum: number, maximum: number): number {
  if (typeof value !== 'number')
    throw new TypeError(`${field}: ${show(value)} is no number: give a whole number from ${minimum} to ${maximum}`)
  if (!Number.isInteger(value) || value < minimum || value > maximum)
    throw new RangeError(`${field}: ${value} is out of range: give a whole number from ${minimum} to ${maximum}`)
  return value
}

export function oneOf<T extends string>(value: unknown, field: string, words: readonly T[]): T {
  if (typeof value === 'string' && (words as readonly string[]).includes(value)) return value as T
  const give = `give ${words.map(word => `'${word}'`).join(', ')}`
  if (typeof value !== 'string') throw new TypeError(`${field}: ${show(value)} is no word for it: ${give}`)
  throw new RangeError(`${field}: ${show(value)} is not known: ${give}`)
}

export function object(value: unknown, field: string): void {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new TypeError(`${field}: ${show(value)} is no object`)
}

export function boolean(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${field}: ${show(value)} is neither true nor false`)
  return value
}

/** Names that the kernel keeps in `maximum` bytes without their NUL. */
export function name(value: unknown, field: string, maximum: number): string {
  if (typeof value !== 'string') throw new TypeError(`${field}: ${show(value)} is no string`)
  if (value.length < 1 || value.length > maximum || !/^[\x21-\x7e]+$/.test(value))
    throw new RangeError(`${field}: ${show(value)} is no name: give 1 to ${maximum} ASCII characters without a space`)
  return value
}

/** Refuses misspelt fields: the kernel never sees them, so nobody else would. */
export function knownKeys(value: object, field: string, known: Readonly<Record<string, unknown>>): void {
  for (const key in value) {
    if (Object.hasOwn(known, key)) continue
    throw new TypeError(`${field}.${key}: there is no such field${nearest(key, Object.keys(known))}`)
  }
}

function nearest(key: string, known: readonly string[]): string {
  const close = known
    .map(word => ({ word, distance: editDistance(key.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return close && close.distance <= Math.max(2, key.length / 3)
    ? `: did you mean ${close.word}?`
    : `: the fields are ${known.join(', ')}`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

export function malformedAddress(value: unknown, field: string): Error {
  const give = "give an IPv4 or IPv6 address as text, '10.0.0.1' or '2001:db8::1'"
  if (typeof value !== 'string') return new TypeError(`${field}: ${show(value)} is no address: ${give}`)
  if (/^\[.*\]$|\/|%/.test(value))
    return new RangeError(`${field}: ${show(value)} is malformed: ${give}, without brackets, prefix length or zone`)
  return new RangeError(`${field}: ${show(value)} is no address: ${give}`)
}
