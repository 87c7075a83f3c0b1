/** What the kernel tells of some expressions and does not take back, so that it is not written when it says nothing. */

type Fields = Readonly<Record<string, unknown>>

const TOLD: Readonly<Record<string, readonly string[]>> = {
  dynset: ['flags', 'timeout'],
  osf: ['flags'],
  quota: ['flags'],
  exthdr: ['flags', 'length', 'offset'],
}

/**
 * A record without these fields, and without what is not known of such an expression: a second attribute of the same number becomes the
 * field when the first is not written. Undefined when there is no such expression in it.
 */
export function withoutTold(record: unknown): unknown {
  let found = false
  const strip = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
    if (Array.isArray(value)) return value.map(strip)
    const told = TOLD[(value as Fields).kind as string]
    if (told) found = true
    const left = Object.entries(value).filter(([name]) => !told || !(name === 'unknown' || told.includes(name)))
    return Object.fromEntries(left.map(([name, field]) => [name, strip(field)]))
  }
  const stripped = strip(record)
  return found ? stripped : undefined
}
