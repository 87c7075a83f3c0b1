/** A ruleset made of nothing but events. */
import assert from 'node:assert/strict'
import type { Change, NftClient, WatchEvent } from '../../../../lib/nft/index.js'

/** Applies events strictly: what is added must not be there, what is changed or removed must. */
export class Mirror {
  readonly #there = new Map<string, unknown>()
  generation = 0

  apply({ generation, resynchronised, changes }: WatchEvent): void {
    assert.ok(
      this.generation === 0 || generation === this.generation + 1 || resynchronised,
      `${this.generation}, then ${generation}`,
    )
    this.generation = generation
    for (const change of changes) this.#apply(change)
  }

  #apply({ type, object, before, after }: Change): void {
    if (object === 'elements') return
    if (before) {
      assert.ok(
        this.#there.delete(keyOf(object, before)),
        `${object} ${JSON.stringify(before, bigints)} is ${type} and was not there`,
      )
    }
    if (after) {
      const key = keyOf(object, after)
      assert.ok(!this.#there.has(key), `${key} is ${type} and was there`)
      this.#there.set(key, essence(after))
    }
  }

  /** Whether it is what the kernel lists. */
  async compare(nf: NftClient): Promise<void> {
    const lists = { table: nf.tables(), chain: nf.chains(), rule: nf.rules(), object: nf.objects() }
    const there = new Map<string, unknown>()
    for (const [word, list] of Object.entries(lists))
      for (const object of await list) there.set(keyOf(word, object), essence(object))
    assert.deepEqual(new Map([...this.#there].sort()), new Map([...there].sort()))
  }
}

interface Named {
  readonly family: string
  readonly table?: string
  readonly name?: string
  readonly handle?: number | undefined
}

const keyOf = (word: string, object: object): string => {
  const { family, table, name, handle } = object as Named
  return [word, family, table, word === 'rule' ? handle : name].join(' ')
}

/** What events and listings tell alike. */
function essence(object: object): unknown {
  const { use: _use, after: _after, ...rest } = object as { use?: number; after?: number }
  return rest
}

const bigints = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** The next event, which has to come. */
export async function next(events: AsyncIterator<WatchEvent, void>): Promise<WatchEvent> {
  const { value } = await events.next()
  assert.ok(value, 'it has ended')
  return value
}

/** The changes in few words: `added chain in`. */
export function summary({ changes }: Pick<WatchEvent, 'changes'>): string[] {
  return changes.map(change => {
    const of = (change.after ?? change.before) as { name?: string; comment?: string; set?: { name: string } }
    return `${change.type} ${change.object} ${of.name ?? of.comment ?? of.set?.name ?? ''}`.trim()
  })
}
