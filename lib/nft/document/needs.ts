/** What has to be known of the ruleset before a document becomes commands. */
import type { Entry } from './entries.js'

/** A table, or all of a family, or all. */
export interface Part {
  readonly family?: string | undefined
  readonly table?: string | undefined
}

export interface Needs {
  /** Which tables commands refer to; undefined: all. */
  readonly tables: readonly Required<Part>[] | undefined
  /** Whether rules are named by their place in the chain. */
  readonly rules: boolean
}

type Given = Readonly<Record<string, unknown>> | null

/** More tables than this are read as one. */
const MANY = 4

/** Malformed entries need nothing: what lowers them says what is wrong. */
export function needsOf(entries: readonly Entry[]): Needs {
  const tables = new Map<string, Required<Part>>()
  let all = false
  let rules = false
  for (const { verb, kind, value } of entries) {
    if (verb === 'list' || verb === 'reset') continue
    if (verb === 'flush' && kind === 'ruleset') all = true
    const given = (typeof value === 'object' ? value : null) as Given
    if (kind === 'rule' && given?.index !== undefined) rules = true
    if (!DEPENDENT.has(kind)) continue
    const { family, table } = given ?? {}
    if (typeof family === 'string' && typeof table === 'string') tables.set(`${family}/${table}`, { family, table })
  }
  return { tables: all || tables.size > MANY ? undefined : [...tables.values()], rules }
}

/** What is written by the sets and the chains that are there. */
const DEPENDENT: ReadonlySet<string> = new Set(['rule', 'element', 'set', 'map'])
