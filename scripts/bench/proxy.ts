/**
 * npm run bench proxy [-- --task load|change|restart|removal|cleanup|parsing|slices|memory] [--quick]
 *
 * Measures the service proxy with its nftables backend on this machine's kernel, in a network namespace, each task in a process of its own.
 * Prints a table; a run without options also writes it to results/proxy.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inNamespace, load, machine, root } from './machine.js'
import type { Results, TaskName, TaskOptions } from './proxy/guest.js'
import type { Size } from './proxy/objects.js'
import type { Slices } from './slices.js'
import { MEBIBYTE, milliseconds, type Row, table } from './table.js'

const SIZE: Size = { services: 10_000, endpoints: 2 }
const SMALLER: readonly Size[] = [500, 2_000].map(services => ({ ...SIZE, services }))
const LARGE: Size = { services: 5_000, endpoints: 50 }

/** Milliseconds; bytes. */
const LIMITS = { load: 2000, change: 10, slice: 20, memory: 1000 * MEBIBYTE }
/** A change among the most may take so many times as long as one among the fewest, and it is still none of all that there is. */
const FLAT = 2

const WHERE = 'this machine'
const { values } = parseArgs({ options: { task: { type: 'string' }, quick: { type: 'boolean', default: false } } })
const RUNS = values.quick ? 3 : 9
const CHANGES = values.quick ? 51 : 301

function measure<T extends TaskName>(task: T, size: Size = SIZE, runs = RUNS): Results[T] {
  return inNamespace<TaskOptions, Results[T]>('proxy/guest', { task, size, runs })
}

const count = (number: number): string => number.toLocaleString('en')
const sized = ({ services, endpoints }: Size): string => `${count(services)} Services with ${endpoints} endpoints each`

function timeRows(task: 'load' | 'restart' | 'removal' | 'cleanup', what: string, limit?: number): Row[] {
  const { cold, median } = measure(task)
  const target = limit === undefined ? {} : { target: `at most ${count(limit)} ms`, met: median <= limit }
  return [
    { what, where: WHERE, ours: milliseconds(median), ...target },
    { what: `${what}, first run of the process`, where: WHERE, ours: milliseconds(cold) },
  ]
}

function changeRows(): Row[] {
  const all = [...SMALLER, SIZE].map(size => ({ size, ...measure('change', size, CHANGES) }))
  const [fewest, most] = [all[0]?.median ?? 0, all.at(-1)?.median ?? 0]
  const row = ({ size, median }: (typeof all)[number]): Row => ({
    what: `one endpoint becomes another, among ${count(size.services)} Services`,
    where: WHERE,
    ours: milliseconds(median),
    ...(size === SIZE ? { target: `at most ${LIMITS.change} ms`, met: median <= LIMITS.change } : {}),
  })
  return [
    ...all.map(row),
    {
      what: `the same among ${count(SIZE.services)}`,
      where: WHERE,
      ours: milliseconds(most),
      theirs: `among ${count(SMALLER[0]?.services ?? 0)}: ${milliseconds(fewest)}`,
      ratio: (most / fewest).toFixed(2),
      target: `at most ${FLAT.toFixed(2)}`,
      met: most <= FLAT * fewest,
    },
  ]
}

function slicesRow(what: string, { longest, withCollections, total }: Slices, limit?: number): Row {
  return {
    what: `longest slice: ${what}`,
    where: WHERE,
    ours: `${milliseconds(longest)} of ${milliseconds(total)}; with V8's collections ${milliseconds(withCollections)}`,
    ...(limit === undefined ? {} : { target: `at most ${limit} ms`, met: longest <= limit }),
  }
}

function memoryRow(): Row {
  const bytes = measure('memory', LARGE)
  return {
    what: `memory of the whole process: ${sized(LARGE)}`,
    where: WHERE,
    ours: `${Math.round(bytes / MEBIBYTE)} MB at most`,
    target: `at most ${Math.round(LIMITS.memory / MEBIBYTE)} MB`,
    met: bytes <= LIMITS.memory,
  }
}

const ROWS: { readonly [T in TaskName]: () => readonly Row[] } = {
  load: () => timeRows('load', `${sized(SIZE)}, from nothing`, LIMITS.load),
  change: changeRows,
  restart: () => timeRows('restart', 'a new proxy takes them over: nothing is changed'),
  removal: () => timeRows('removal', 'all of them are removed'),
  cleanup: () => timeRows('cleanup', 'cleanup'),
  parsing: () => [slicesRow(`reading manifests of ${sized(SIZE)}`, measure('parsing', SIZE, 3))],
  slices: () => [slicesRow(`${sized(LARGE)}, from nothing`, measure('slices', LARGE, values.quick ? 1 : 5), LIMITS.slice)],
  memory: () => [memoryRow()],
}

function tasks(): readonly TaskName[] {
  const names = Object.keys(ROWS) as TaskName[]
  if (values.task === undefined) return names
  const chosen = names.filter(name => name === values.task)
  if (chosen.length === 0) throw new Error(`there is no task ${values.task}: give ${names.join(', ')}`)
  return chosen
}

function heading(before: string): string {
  return `# Services

The proxy on nftables: from objects that are parsed, as a source hands them over, until the kernel has them all (a change: from the source's
event). Medians of ${RUNS} runs behind those that warm up, and of ${CHANGES} changes; each task in a process of its own.

kube-proxy has no numbers of this machine here; what its developers and users have published of its nftables mode: 10,000 Services with 2
endpoints each are there after [9 minutes, and one more after 141 ms](https://github.com/kubernetes/kubernetes/pull/126013), on a test cluster;
with 44,125 Services [a full sync takes 16 minutes 43 seconds, and one change 1.3 s](https://github.com/kubernetes/kubernetes/issues/139513)
once lists of the whole table are left out; with 5,006 Services and 250,000 endpoints
[2 to 13 minutes](https://github.com/kubernetes/kubernetes/issues/135639).

${machine(before)}
`
}

const before = load()
const report = `${heading(before)}\n${table(tasks().flatMap(task => ROWS[task]()))}`
process.stdout.write(report)
if (values.task === undefined && !values.quick) writeFileSync(join(root, 'scripts/bench/results/proxy.md'), report)
