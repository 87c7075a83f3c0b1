/** What runs in a network namespace of the bench's own, on the host's kernel: a task, in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceProxy } from '../../../lib/proxy/proxy.js'
import { directorySource } from '../../../lib/source/directory.js'
import type { SourceUpdate } from '../../../lib/source/source.js'
import { quantile } from '../pairs.js'
import { quiet, say, shell } from '../shell.js'
import { type Slices, slicesOf } from '../slices.js'
import { gone, objectsOf, type Size, Told, told } from './objects.js'
import { changed, loaded, mostMemory, open, type Times, timed, WARM } from './subject.js'

export interface TaskOptions {
  readonly task: TaskName
  readonly size: Size
  readonly runs: number
}

export interface Results {
  readonly load: Times
  readonly change: Times
  readonly restart: Times
  readonly removal: Times
  readonly cleanup: Times
  readonly slices: Slices
  readonly parsing: Slices
  /** Bytes: the most that the process had of the machine's memory, its own and the caller's objects included. */
  readonly memory: number
}

export type TaskName = keyof Results

const FILES = 20

/** The first run, those that warm up, and those that count. */
async function repeated(runs: number, run: () => Promise<number>): Promise<Times> {
  const cold = await run()
  for (let i = 1; i < WARM; i++) await run()
  const times: number[] = []
  for (let i = 0; i < runs; i++) times.push(await run())
  return { cold, median: quantile(times, 0.5) }
}

async function end(proxy: ServiceProxy): Promise<void> {
  await proxy.cleanup()
  await proxy.close()
  await quiet(1)
}

const tasks: { readonly [T in TaskName]: (size: Size, runs: number) => Promise<Results[T]> } = {
  load: (size, runs) =>
    repeated(runs, async () => {
      const { proxy, took } = await loaded(size)
      await end(proxy)
      return took
    }),

  async change(size, runs) {
    const { proxy, source } = await loaded(size)
    const times = await changed(proxy, source, size, runs)
    await end(proxy)
    return times
  },

  /** Another proxy takes over what the one before left, and reads the source anew. */
  async restart(size, runs) {
    let { proxy } = await loaded(size)
    const times = await repeated(runs, async () => {
      await proxy.close()
      const source = new Told()
      source.tell(objectsOf(size).map(told))
      return timed(async () => {
        proxy = await open(source)
        const { ipv4 } = await proxy.once()
        if (ipv4?.added !== 0 || ipv4.removed !== 0) throw new Error(`a restart changed something: ${JSON.stringify(ipv4)}`)
      })
    })
    await end(proxy)
    return times
  },

  /** The source tells that all Services and slices are gone. */
  removal: (size, runs) =>
    repeated(runs, async () => {
      const { proxy, source } = await loaded(size)
      const changes = objectsOf(size).map(told).map(gone)
      const took = await timed(() => {
        source.tell(changes)
        return proxy.once()
      })
      await end(proxy)
      return took
    }),

  cleanup: (size, runs) =>
    repeated(runs, async () => {
      const { proxy } = await loaded(size)
      const took = await timed(() => proxy.cleanup())
      await proxy.close()
      await quiet(1)
      return took
    }),

  /** All of it, from parsed objects until the kernel has them. */
  slices: (size, runs) =>
    slicesOf(runs, async () => {
      const source = new Told()
      const proxy = await open(source)
      source.tell(objectsOf(size).map(told))
      return { run: () => proxy.once(), end: () => end(proxy) }
    }),

  /** Manifests of a directory. */
  async parsing(size, runs) {
    const path = mkdtempSync(join(tmpdir(), 'bench-'))
    const objects = objectsOf(size)
    const each = Math.ceil(objects.length / FILES)
    for (let i = 0; i < FILES; i++) {
      const documents = objects.slice(i * each, (i + 1) * each).map(object => `---\n${JSON.stringify(object, undefined, 1)}\n`)
      writeFileSync(join(path, `${i}.yaml`), documents.join(''))
    }
    try {
      return await slicesOf(runs, async () => ({ run: () => first(path, objects.length), end: async () => {} }))
    } finally {
      rmSync(path, { recursive: true })
    }
  },

  async memory(size) {
    const { proxy } = await loaded(size)
    await end(proxy)
    return mostMemory()
  },
}

async function first(path: string, count: number): Promise<SourceUpdate> {
  const ending = new AbortController()
  for await (const update of directorySource({ path }).updates(ending.signal)) {
    ending.abort()
    if (update.changes.length !== count)
      throw new Error(`${update.changes.length} objects were read: ${JSON.stringify(update.problems[0])}`)
    return update
  }
  throw new Error('nothing was read')
}

const { task, size, runs } = JSON.parse(process.argv[2] ?? '') as TaskOptions
say(`${task}: ${size.services} Services with ${size.endpoints} endpoints each`)
await shell.run('ip link set lo up')
process.stdout.write(JSON.stringify(await tasks[task](size, runs)))
shell.end()
