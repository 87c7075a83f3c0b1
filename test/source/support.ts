/** A source under test: what it has told by now. */
import type { Test } from 'tap'
import type { KubernetesObject } from '../../lib/source/kubernetes.js'
import type { Source, SourceUpdate } from '../../lib/source/source.js'

export interface Reading {
  /** What the objects are now, by kind and name. */
  readonly objects: ReadonlyMap<string, KubernetesObject>
  /** All changes, in their order: `+ Service default/web`, `- …` */
  readonly changes: string[]
  /** Those of the last update. */
  readonly problems: () => readonly string[]
  readonly complete: () => boolean
  /** Reads on until something holds. */
  until(what: string, holds: () => boolean): Promise<void>
}

/** Milliseconds after which something that is awaited is taken not to come. */
const MOST = 60_000

export function reading(t: Test, source: Source): Reading {
  const ending = new AbortController()
  const updates = source.updates(ending.signal)[Symbol.asyncIterator]()
  t.teardown(async () => {
    ending.abort()
    await next?.catch(() => {})
    await updates.return?.()
  })
  const objects = new Map<string, KubernetesObject>()
  const changes: string[] = []
  let last: SourceUpdate = { complete: false, changes: [], problems: [] }
  let next: Promise<IteratorResult<SourceUpdate>> | undefined
  const take = (update: SourceUpdate): void => {
    last = update
    for (const { kind, name, object } of update.changes) {
      changes.push(`${object ? '+' : '-'} ${kind} ${name}`)
      if (object) objects.set(`${kind} ${name}`, object)
      else objects.delete(`${kind} ${name}`)
    }
  }
  return {
    objects,
    changes,
    problems: () =>
      last.problems.map(({ where, field, message }) => `${where}: ${field === undefined ? '' : `${field}: `}${message}`),
    complete: () => last.complete,
    async until(what, holds) {
      const late = AbortSignal.timeout(MOST)
      const end = new Promise<undefined>(resolve => late.addEventListener('abort', () => resolve(undefined)))
      while (!holds()) {
        next ??= updates.next()
        const result = await Promise.race([next, end])
        if (!result)
          throw new Error(`not told in time: ${what}; problems: ${last.problems.map(({ message }) => message).join('; ')}`)
        next = undefined
        if (result.done) throw new Error(`the source ended before: ${what}`)
        take(result.value)
      }
    },
  }
}
