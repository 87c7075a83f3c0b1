/** Objects by the places that they are read from: files, keys. */
import { isDeepStrictEqual } from 'node:util'
import { nameOf } from '../service/index.js'
import type { KubernetesObject } from './kubernetes.js'
import type { ObjectChange, SourceProblem } from './source.js'

interface Claim {
  readonly place: string
  readonly object: KubernetesObject
}

/** Of an object that is at several places the one counts whose place's name comes first. */
export class Shelf {
  readonly #keys = new Map<string, readonly string[]>()
  readonly #claims = new Map<string, readonly Claim[]>()
  readonly #contested = new Set<string>()

  /** Puts at a place what is there now; nothing: the place is gone. Returns what is different with that. */
  put(place: string, objects: readonly KubernetesObject[]): readonly ObjectChange[] {
    const now = new Map<string, readonly Claim[]>()
    for (const object of objects) {
      const key = `${object.kind} ${objectName(object)}`
      now.set(key, [...(now.get(key) ?? []), { place, object }])
    }
    const changes: ObjectChange[] = []
    for (const key of new Set([...(this.#keys.get(place) ?? []), ...now.keys()])) {
      const [before] = this.#claims.get(key) ?? []
      const after = this.#claim(key, place, now.get(key) ?? [])
      if (isDeepStrictEqual(before?.object, after?.object)) continue
      const { kind } = (after ?? before)?.object ?? {}
      if (kind) changes.push({ kind, name: key.slice(kind.length + 1), object: after?.object })
    }
    if (now.size > 0) this.#keys.set(place, [...now.keys()])
    else this.#keys.delete(place)
    return changes
  }

  /** Objects that are at several places. */
  conflicts(): readonly SourceProblem[] {
    return [...this.#contested].flatMap(key => {
      const [first, ...others] = this.#claims.get(key) ?? []
      return others.map(({ place }) => ({ where: place, message: `${key} is in ${first?.place} already: that one is served` }))
    })
  }

  /** Returns the one that is served. */
  #claim(key: string, place: string, claims: readonly Claim[]): Claim | undefined {
    const others = (this.#claims.get(key) ?? []).filter(claim => claim.place !== place)
    const all = [...others, ...claims].sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0))
    if (all.length > 0) this.#claims.set(key, all)
    else this.#claims.delete(key)
    if (all.length > 1) this.#contested.add(key)
    else this.#contested.delete(key)
    return all[0]
  }
}

/** Nodes have no namespace. */
export const objectName = ({ kind, metadata }: KubernetesObject): string => (kind === 'Node' ? metadata.name : nameOf(metadata))
