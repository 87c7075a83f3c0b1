/** Manifests in a directory, or one file, read again when they change. */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Manifest, parseManifest } from './manifest.js'
import { lossOf } from './persist.js'
import { Shelf } from './shelf.js'
import type { Source, SourceProblem } from './source.js'

export interface DirectoryOptions {
  /** A directory with `*.yaml`, `*.yml` and `*.json`, deep down as well; or a file. */
  readonly path: string
  /** Milliseconds to wait for more, once something has changed. Default 50. */
  readonly settle?: number | undefined
  /** Milliseconds after which it is looked at all the same, for file systems that tell nothing. Default 10000. */
  readonly interval?: number | undefined
}

const NAMES = /\.(ya?ml|json)$/
/** A mounted ConfigMap has its files a second time in such a directory. */
const HIDDEN = /(^|\/)\./

interface Read {
  readonly stamp: string
  readonly manifest: Manifest
}

/** A source of manifests. Of objects that several files have the one of the file counts whose name comes first; the others are problems. */
export function directorySource({ path, settle = 50, interval = 10_000 }: DirectoryOptions): Source {
  return {
    name: `directory ${path}`,
    async *updates(signal) {
      const shelf = new Shelf()
      const known = new Map<string, Read>()
      let before = ''
      let complete = false
      while (!signal.aborted) {
        await using watcher = watching(path)
        const { read, changed, trouble } = await readAgain(path, known)
        complete ||= read
        const steps = changed.flatMap(file => shelf.put(file, known.get(file)?.manifest.objects ?? []))
        // What moves from one file to another is not gone in between.
        const changes = [...new Map(steps.map(step => [`${step.kind} ${step.name}`, step])).values()]
        const problems = [...trouble, ...problemsIn(known), ...shelf.conflicts()]
        const now = JSON.stringify({ complete, problems })
        if (changes.length > 0 || now !== before) yield { complete, changes, problems }
        before = now
        await watcher.changed(signal, settle, interval)
      }
    },
  }
}

interface Found {
  readonly read: boolean
  /** Files that are new, different, or gone. */
  readonly changed: readonly string[]
  /** What could not be read at all: what was read before stays then. */
  readonly trouble: readonly SourceProblem[]
}

/** Reads files that are new or different; forgets those that are gone. */
async function readAgain(path: string, known: Map<string, Read>): Promise<Found> {
  const trouble: SourceProblem[] = []
  let files: readonly string[]
  try {
    files = await filesIn(path)
  } catch (error) {
    return { read: false, changed: [], trouble: [{ where: path, message: lossOf(error, known.size > 0) }] }
  }
  const there = new Set(files)
  const changed = [...known.keys()].filter(file => !there.has(file))
  for (const file of changed) known.delete(file)
  for (const file of files) {
    try {
      const { mtimeMs, size, ino } = await stat(file)
      const stamp = `${mtimeMs} ${size} ${ino}`
      if (known.get(file)?.stamp === stamp) continue
      known.set(file, { stamp, manifest: parseManifest(await readFile(file, 'utf8'), file) })
      changed.push(file)
    } catch (error) {
      trouble.push({ where: file, message: lossOf(error, known.has(file)) })
    }
  }
  return { read: true, changed, trouble }
}

function problemsIn(known: ReadonlyMap<string, Read>): readonly SourceProblem[] {
  const inOrder = [...known].sort(([a], [b]) => (a < b ? -1 : 1))
  return inOrder.flatMap(([, { manifest }]) => manifest.problems.map(({ file, ...problem }) => ({ where: file, ...problem })))
}

async function filesIn(path: string): Promise<readonly string[]> {
  if ((await stat(path)).isFile()) return [path]
  const names = await readdir(path, { recursive: true })
  return names
    .filter(name => NAMES.test(name) && !HIDDEN.test(name))
    .map(name => join(path, name))
    .sort()
}

/** Watches from now on, so that nothing is missed between reading and waiting. */
function watching(path: string): AsyncDisposable & {
  changed(signal: AbortSignal, settle: number, interval: number): Promise<void>
} {
  const woken = new AbortController()
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(path, { recursive: true }, () => woken.abort())
    watcher.on('error', () => woken.abort())
  } catch {
    // The directory is not there (yet): looked at again and again.
  }
  return {
    async changed(signal, settle, interval) {
      const either = AbortSignal.any([signal, woken.signal])
      await pause(interval, undefined, { signal: either }).catch(() => {})
      if (!signal.aborted && woken.signal.aborted) await pause(settle, undefined, { signal }).catch(() => {})
    },
    async [Symbol.asyncDispose]() {
      watcher?.close()
    },
  }
}
