/** The kernel's expressions of rules as text, the same for rules that are the same. */
import type { Snapshot } from '../../../../lib/nft/index.js'

/** By chain. Instead of the name of a set that has none stands what it holds: the kernel keeps its elements in any order. */
export function expressionsOf({ rules, elements, sets }: Snapshot): ReadonlyMap<string, readonly string[]> {
  const contents = new Map(elements.map(({ set, elements: held }) => [`${set.family} ${set.table} ${set.name}`, held]))
  const anonymous = new Map(
    sets.filter(({ flags }) => flags?.includes('anonymous')).map(set => [`${set.family} ${set.table} ${set.name}`, set]),
  )
  const texts = new Map<string, string[]>()
  for (const { family, table, chain, expressions } of rules) {
    const key = `${family} ${table} ${chain}`
    const list = texts.get(key) ?? []
    list.push(expressions.map(expression => show(expression, name => describe(`${family} ${table} ${name}`))).join('\n'))
    texts.set(key, list)
  }
  return texts

  function describe(name: string): string | undefined {
    const set = anonymous.get(name)
    if (!set) return undefined
    const elements = (contents.get(name) ?? []).map(element => show(element, () => undefined)).sort()
    return [show({ key: set.key, data: set.data, objects: set.objects, flags: set.flags }, () => undefined), ...elements].join(
      ' ',
    )
  }
}

function show(value: object, setNamed: (name: string) => string | undefined): string {
  return JSON.stringify(value, (key, field) => {
    if (key === 'set' && typeof field === 'string') return setNamed(field) ?? field
    if (key === 'userData' || key === 'setId' || key === 'milliseconds') return undefined
    if (typeof field === 'bigint') return `${field}n`
    return field instanceof Uint8Array ? Buffer.from(field).toString('hex') : field
  })
}
