/**
 * npm run bench cli [-- --task restore|list|version] [--pairs N]
 *
 * Measures the program as people start it, its own start included, against ipvsadm in user-mode-linux, and against Node.js that does
 * nothing. Prints a table; a run without options also writes it to results/cli.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { TASKS, type TaskName, type TaskOptions } from './cli/tasks.js'
import { inside, load, machine, NAMES, root } from './machine.js'
import type { Pairs } from './pairs.js'
import { shell } from './shell.js'
import { comparison, type Row, table } from './table.js'

const { values } = parseArgs({ options: { task: { type: 'string' }, pairs: { type: 'string' } } })

const SIZE = { virtualServers: 1000, realServers: 10 }
/** ipvsadm -R takes ten seconds. */
const PAIRS: Readonly<Record<TaskName, number>> = { restore: 9, list: 15, version: 25 }

const ABOUT: Readonly<Record<TaskName, { readonly what: string; readonly name: string; readonly limit: number }>> = {
  restore: { what: '-R of 11,000 lines', name: 'ipvsadm -R', limit: 1 / 4 },
  list: { what: '-Ln of the same, beyond the start of Node.js', name: 'ipvsadm -Ln', limit: 1.5 },
  version: { what: '--version', name: 'node -e 0', limit: 1.6 },
}

function tasks(): readonly TaskName[] {
  const names = Object.keys(TASKS) as TaskName[]
  if (values.task === undefined) return names
  const chosen = names.filter(name => name === values.task)
  if (chosen.length === 0) throw new Error(`there is no task ${values.task}: give ${names.join(', ')}`)
  return chosen
}

function optionsOf(task: TaskName): TaskOptions {
  const count = Number(values.pairs ?? PAIRS[task])
  if (!Number.isInteger(count) || count < 1) throw new Error(`--pairs ${values.pairs}: give a whole number from 1`)
  return { bin: join(root, 'dist/cli/bin.cjs'), node: process.execPath, size: SIZE, pairs: count }
}

async function rowsOf(task: TaskName, out: string): Promise<Row[]> {
  const { what, name, limit } = ABOUT[task]
  const options = optionsOf(task)
  const row = (where: string, measured: Pairs): Row => comparison({ what, where }, name, measured, limit)
  const here = task === 'version' ? [row('this machine', await TASKS.version(options))] : []
  return [...here, row(NAMES.uml, inside('uml', 'cli/guest', { ...options, task }, out))]
}

async function main(): Promise<void> {
  const before = load()
  const out = mkdtempSync(join(tmpdir(), 'ts-ipvs-bench-'))
  try {
    const rows: Row[] = []
    for (const task of tasks()) rows.push(...(await rowsOf(task, out)))
    const report = `${heading(before)}\n${table(rows)}`
    process.stdout.write(report)
    if (values.task === undefined && values.pairs === undefined) writeFileSync(join(root, 'scripts/bench/results/cli.md'), report)
  } finally {
    rmSync(out, { recursive: true })
    shell.end()
  }
}

function heading(before: string): string {
  return `# The command line

Whole runs, from a shell, by turns: medians, and the median of the pairs' ratios (its middle half in parentheses). -R and -Ln: ${SIZE.virtualServers.toLocaleString('en')}
virtual servers with ${SIZE.realServers} real servers each; each -R goes into a new network namespace.

${machine(before)}
`
}

await main()
