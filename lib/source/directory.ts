/** Manifests in a directory, or one file, read again when they change. */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { nameOf } from '../service/index.js'
import type { KubernetesObject } from './kubernetes.js'
import { type Manifest, parseManifest } from './manifest.js'
import type { ObjectChange, Source, SourceProblem, SourceUpdate } from './source.js'

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
      const known = new Map<string, Read>()
      let told: ReadonlyMap<string, string> = new Map()
      let before = ''
      let complete = false
      let toldComplete = false
      for (let first = true; !signal.aborted; first = false) {
        await using watcher = watching(path)
        const { read, trouble } = await readAgain(path, known)
        complete ||= read
        const { objects, problems } = gather(known, trouble)
        const now = new Map([...objects].map(([key, object]) => [key, JSON.stringify(object)]))
        const update: SourceUpdate = { complete, changes: differences(told, now, objects), problems }
        const problemsNow = JSON.stringify(problems)
        if (first || update.changes.length > 0 || problemsNow !== before || complete !== toldComplete) yield update
        toldComplete = complete
        told = now
        before = problemsNow
        await watcher.changed(signal, settle, interval)
      }
    },
  }
}

/** Reads files that are new or different; forgets those that are gone. Returns what could not be read at all: what was read before stays then. */
async function readAgain(
  path: string,
  known: Map<string, Read>,
): Promise<{ readonly read: boolean; readonly trouble: readonly SourceProblem[] }> {
  const problems: SourceProblem[] = []
  let files: readonly string[]
  try {
    files = await filesIn(path)
  } catch (error) {
    const message = `can not be read: ${(error as Error).message}: what was read before is served on`
    return { read: false, trouble: [{ where: path, message }] }
  }
  for (const file of known.keys()) if (!files.includes(file)) known.delete(file)
  for (const file of files) {
    try {
      const { mtimeMs, size, ino } = await stat(file)
      const stamp = `${mtimeMs} ${size} ${ino}`
      if (known.get(file)?.stamp !== stamp)
        known.set(file, { stamp, manifest: parseManifest(await readFile(file, 'utf8'), file) })
    } catch (error) {
      problems.push({ where: file, message: `can not be read: ${(error as Error).message}` })
    }
  }
  return { read: true, trouble: problems }
}

async function filesIn(path: string): Promise<readonly string[]> {
  if ((await stat(path)).isFile()) return [path]
  const names = await readdir(path, { recursive: true })
  return names
    .filter(name => NAMES.test(name) && !HIDDEN.test(name))
    .map(name => join(path, name))
    .sort()
}

function gather(
  known: ReadonlyMap<string, Read>,
  trouble: readonly SourceProblem[],
): { readonly objects: ReadonlyMap<string, KubernetesObject>; readonly problems: readonly SourceProblem[] } {
  const objects = new Map<string, KubernetesObject>()
  const places = new Map<string, string>()
  const problems = [...trouble]
  for (const [file, { manifest }] of [...known].sort(([a], [b]) => (a < b ? -1 : 1))) {
    problems.push(...manifest.problems.map(({ file, ...problem }) => ({ where: file, ...problem })))
    for (const object of manifest.objects) {
      const key = keyOf(object)
      const other = places.get(key)
      if (other !== undefined) problems.push({ where: file, message: `${key} is in ${other} already: that one is served` })
      else {
        objects.set(key, object)
        places.set(key, file)
      }
    }
  }
  return { objects, problems }
}

/** Nodes have no namespace. */
const keyOf = ({ kind, metadata }: KubernetesObject): string => `${kind} ${kind === 'Node' ? metadata.name : nameOf(metadata)}`

function differences(
  told: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  objects: ReadonlyMap<string, KubernetesObject>,
): readonly ObjectChange[] {
  const changeOf = (key: string): ObjectChange => {
    const [kind, name] = key.split(' ') as [ObjectChange['kind'], string]
    return { kind, name, object: objects.get(key) }
  }
  const gone = [...told.keys()].filter(key => !now.has(key))
  const different = [...now].filter(([key, text]) => told.get(key) !== text).map(([key]) => key)
  return [...gone, ...different].map(changeOf)
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
