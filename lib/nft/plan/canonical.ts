/** When two objects of JSON are the same: whatever stands in them besides what packets and time change. */
type Json = unknown
type Fields = Readonly<Record<string, Json>>

export const isObject = (value: Json): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What packets and time change, by the word that it stands below. */
const VOLATILE: Readonly<Record<string, readonly string[]>> = {
  counter: ['packets', 'bytes'],
  quota: ['used', 'used_unit'],
  last: ['used'],
  elem: ['expires'],
}

/** Texts that are equal where the values are, whatever the order of their fields. */
export function canonical(value: Json, word = ''): string {
  if (Array.isArray(value)) return `[${value.map(item => canonical(item)).join()}]`
  if (!isObject(value)) return typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'null')
  const left = VOLATILE[word] ?? []
  const names = Object.keys(value).filter(name => value[name] !== undefined && !left.includes(name))
  // A counter without values is one that starts at 0.
  if (names.length === 0 && word in VOLATILE) return 'null'
  return `{${names
    .sort()
    .map(name => `${JSON.stringify(name)}:${canonical(value[name], name)}`)
    .join()}}`
}

/** The fields of an object without some of them. */
export const without = (object: object, ...names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))

const OBJECT_WORDS: readonly string[] = [
  'counter',
  'quota',
  'limit',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'synproxy',
  'tunnel',
]

/** Names that a rule or an element refers to: `chain a`, `@b`, `counter c`. */
export function* referencesOf(value: Json): Generator<string, void, undefined> {
  if (typeof value === 'string' && value.startsWith('@')) yield value
  else if (Array.isArray(value)) for (const item of value) yield* referencesOf(item)
  else if (isObject(value)) {
    for (const [word, below] of Object.entries(value)) {
      if ((word === 'jump' || word === 'goto') && isObject(below)) yield `chain ${below.target}`
      else if (OBJECT_WORDS.includes(word) && typeof below === 'string') yield `${word} ${below}`
      else yield* referencesOf(below)
    }
  }
}
