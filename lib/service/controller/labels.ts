/** Objects by their labels: who is looked for is looked for among few. */
import type { Metadata } from '../objects.js'

/** One label of a namespace. */
export type LabelKey = string

export const labelKeys = (
  { namespace = 'default' }: Pick<Metadata, 'namespace'>,
  labels: Readonly<Record<string, string>> = {},
): readonly LabelKey[] => Object.entries(labels).map(([label, value]) => `${namespace} ${label}=${value}`)

/** Names by labels. */
export class LabelIndex {
  readonly #names = new Map<LabelKey, Set<string>>()

  add(keys: Iterable<LabelKey>, name: string): void {
    for (const key of keys) {
      const names = this.#names.get(key)
      if (names) names.add(name)
      else this.#names.set(key, new Set([name]))
    }
  }

  remove(keys: Iterable<LabelKey>, name: string): void {
    for (const key of keys) {
      const names = this.#names.get(key)
      names?.delete(name)
      if (names?.size === 0) this.#names.delete(key)
    }
  }

  having(key: LabelKey): ReadonlySet<string> {
    return this.#names.get(key) ?? NONE
  }

  /** Those that have the one of these labels that the fewest have: all that have every one are among them. */
  fewest(keys: readonly LabelKey[]): ReadonlySet<string> {
    let fewest: ReadonlySet<string> | undefined
    for (const key of keys) {
      const names = this.having(key)
      if (!fewest || names.size < fewest.size) fewest = names
    }
    return fewest ?? NONE
  }
}

const NONE: ReadonlySet<string> = new Set()
