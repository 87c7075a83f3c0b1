/** The proxy with its nftables backend, on this machine's kernel: what is measured, and what has to come out. */
import { inNamespace } from '../machine.js'
import type { Slices } from '../slices.js'
import { MEBIBYTE, milliseconds, type Row } from '../table.js'
import type { Results, TaskName, TaskOptions } from './guest.js'
import type { Size } from './objects.js'
import { type Bench, changeRows, count, LARGE, memoryRow, sized } from './rows.js'

const SIZE: Size = { services: 10_000, endpoints: 2 }
const SMALLER: readonly Size[] = [500, 2_000].map(services => ({ ...SIZE, services }))

/** Milliseconds; bytes. */
const LIMITS = { load: 2000, change: 10, slice: 20, memory: 1000 * MEBIBYTE }
const WHERE = 'this machine'
const BOUNDS = { where: WHERE, ...LIMITS }

function measure<T extends TaskName>(task: T, size: Size, runs: number): Results[T] {
  return inNamespace<TaskOptions, Results[T]>('proxy/guest', { task, size, runs })
}

const timeRows =
  (task: 'load' | 'restart' | 'removal' | 'cleanup', what: string, limit?: number): Bench['rows'][string] =>
  ({ runs }) => {
    const { cold, median } = measure(task, SIZE, runs)
    const target = limit === undefined ? {} : { target: `at most ${count(limit)} ms`, met: median <= limit }
    return [
      { what, where: WHERE, ours: milliseconds(median), ...target },
      { what: `${what}, first run of the process`, where: WHERE, ours: milliseconds(cold) },
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

/** Others disturb a run less than its collections do. */
const SLICES = (runs: number): number => Math.ceil(runs / 2)

const rows: { readonly [T in TaskName]: Bench['rows'][string] } = {
  load: timeRows('load', `${sized(SIZE)}, from nothing`, LIMITS.load),
  change: ({ changes }) =>
    changeRows(
      [...SMALLER, SIZE].map(size => ({ size, ...measure('change', size, changes) })),
      BOUNDS,
    ),
  restart: timeRows('restart', 'a new proxy takes them over: nothing is changed'),
  removal: timeRows('removal', 'all of them are removed'),
  cleanup: timeRows('cleanup', 'cleanup'),
  parsing: () => [slicesRow(`reading manifests of ${sized(SIZE)}`, measure('parsing', SIZE, 3))],
  slices: ({ runs }) => [slicesRow(`${sized(LARGE)}, from nothing`, measure('slices', LARGE, SLICES(runs)), LIMITS.slice)],
  memory: ({ runs }) => [memoryRow(measure('memory', LARGE, runs), BOUNDS)],
}

const heading: Bench['heading'] = ({ runs, changes }) => `# Services

The proxy on nftables: from objects that are parsed, as a source hands them over, until the kernel has them all (a change: from the source's
event). Medians of ${runs} runs behind those that warm up, and of ${changes} changes; each task in a process of its own.

kube-proxy has no numbers of this machine here; what its developers and users have published of its nftables mode: 10,000 Services with 2
endpoints each are there after [9 minutes, and one more after 141 ms](https://github.com/kubernetes/kubernetes/pull/126013), on a test cluster;
with 44,125 Services [a full sync takes 16 minutes 43 seconds, and one change 1.3 s](https://github.com/kubernetes/kubernetes/issues/139513)
once lists of the whole table are left out; with 5,006 Services and 250,000 endpoints
[2 to 13 minutes](https://github.com/kubernetes/kubernetes/issues/135639).
`

export const onNftables: Bench = { rows, heading, file: 'proxy.md' }
