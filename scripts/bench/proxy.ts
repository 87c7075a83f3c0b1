/**
 * npm run bench proxy [-- [--backend nftables|ipvs] [--task load|change|restart|removal|cleanup|parsing|slices|memory] [--quick]]
 *
 * Measures the service proxy, each task in a process of its own: with its nftables backend on this machine's kernel, in a network namespace;
 * with its IPVS backend in an emulated kernel (load, change, memory). Prints a table; a run of all tasks in full also writes it to
 * results/proxy.md, or results/proxy-ipvs.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { load, machine, root } from './machine.js'
import { onIpvs } from './proxy/on-ipvs.js'
import { onNftables } from './proxy/on-nftables.js'
import type { Bench } from './proxy/rows.js'
import { table } from './table.js'

const BACKENDS: ReadonlyMap<string, Bench> = new Map([
  ['nftables', onNftables],
  ['ipvs', onIpvs],
])

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'nftables' },
    task: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
})

/** What an option names of what there is. */
function chosen<T>(option: 'backend' | 'task', name: string, all: ReadonlyMap<string, T>): T {
  const found = all.get(name)
  if (found === undefined) throw new Error(`there is no ${option} ${name}: give ${[...all.keys()].join(', ')}`)
  return found
}

/** Where processors are emulated runs differ more. */
const RUNS = { nftables: 9, ipvs: 27 }

const { rows, heading, file } = chosen('backend', values.backend, BACKENDS)
const counts = values.quick ? { runs: 3, changes: 51 } : { runs: RUNS[values.backend as keyof typeof RUNS], changes: 301 }
const tasks = new Map(Object.entries(rows))
const before = load()
const measured = values.task === undefined ? [...tasks.values()] : [chosen('task', values.task, tasks)]
const results = measured.flatMap(task => task(counts))
const report = `${heading(counts)}\n${machine(before)}\n\n${table(results)}`
process.stdout.write(report)
if (values.task === undefined && !values.quick) writeFileSync(join(root, 'scripts/bench/results', file), report)
