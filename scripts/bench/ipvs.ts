/**
 * npm run bench ipvs [-- --kernel uml|debian12] [--pairs N] [--quick]
 *
 * Measures the IPVS client against a C program that sends the same messages, and against ipvsadm, under real kernels; then its memory,
 * and how long it keeps the event loop to itself. Prints a table; a run without options also writes it to results/ipvs.md.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Size } from './ipvs/fleet.js'
import type { Memory, MemoryOptions } from './ipvs/memory.js'
import type { RecordOptions } from './ipvs/record.js'
import { slices } from './ipvs/slices.js'
import type { Speed, SpeedOptions } from './ipvs/speed.js'
import { inside, KERNELS, type Kernel, load, machine, NAMES, root } from './machine.js'
import type { Pairs } from './pairs.js'
import { comparison, MEBIBYTE, milliseconds, type Row, slicesRow, table, weightRow } from './table.js'

const SPEED_SIZE: Size = { virtualServers: 1000, realServers: 10 }
const LARGE_SIZE: Size = { virtualServers: 10_000, realServers: 10 }

/** At most so many times what is compared with. A guest without a limit is measured for information. */
const LIMITS: Readonly<Record<Kernel, { apply: number; snapshot: number; planAndApply: number; ipvsadm?: number }>> = {
  uml: { apply: 5, snapshot: 1.5, planAndApply: 1.3, ipvsadm: 10 },
  debian12: { apply: 2, snapshot: 3, planAndApply: 1.3 },
}
const MEMORY_LIMITS: Partial<Record<Memory['task'], number>> = {
  'plan of a new table': 60,
  'plan of the table as it is': 60,
  'snapshot with statistics': 100,
}

const { values } = parseArgs({
  options: { kernel: { type: 'string' }, pairs: { type: 'string' }, quick: { type: 'boolean', default: false } },
})

function kernels(): readonly Kernel[] {
  if (values.kernel === undefined) return KERNELS
  const kernel = KERNELS.find(known => known === values.kernel)
  if (!kernel) throw new Error(`there is no kernel ${values.kernel}: give ${KERNELS.join(' or ')}`)
  return [kernel]
}

function pairCount(): number {
  const pairs = Number(values.pairs ?? (values.quick ? 3 : 15))
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs ${values.pairs}: give a whole number from 1`)
  return pairs
}

function measureSpeed(kernel: Kernel, out: string): Speed {
  // ipvsadm takes so much longer that few pairs tell; emulated, it would take minutes for information.
  const ipvsadmPairs = kernel === 'debian12' || values.quick ? 1 : 5
  return inside<SpeedOptions, Speed>(
    kernel,
    'ipvs/speed',
    { size: SPEED_SIZE, pairs: pairCount(), ipvsadmPairs, floor: join(root, 'build/floor') },
    out,
  )
}

function speedRows(kernel: Kernel, speed: Speed): Row[] {
  const limits = LIMITS[kernel]
  const where = `${NAMES[kernel]}, Linux ${speed.kernel}`
  const compared = (what: string, name: string, pairs: Pairs | undefined, limit?: number): Row[] =>
    pairs ? [comparison({ what, where }, name, pairs, limit)] : []
  const alone = (what: string, time: number): Row => ({ what, where, ours: milliseconds(time) })
  return [
    ...compared('apply', 'C', speed.apply, limits.apply),
    ...compared('apply', 'ipvsadm -R', speed.applyIpvsadm, limits.ipvsadm && 1 / limits.ipvsadm),
    alone('apply, first run of the process', speed.coldApply),
    ...compared('snapshot', 'C', speed.snapshot, limits.snapshot),
    ...compared('snapshot', 'ipvsadm -Sn', speed.snapshotIpvsadm),
    alone('snapshot, first run of the process', speed.coldSnapshot),
    ...compared('plan and apply one weight', 'snapshot', speed.planAndApply, limits.planAndApply),
  ]
}

function memoryRows(measured: readonly Memory[]): Row[] {
  return measured.map(({ task, ...weight }) => {
    const limit = MEMORY_LIMITS[task]
    return weightRow({ what: `memory: ${task}`, where: NAMES.uml }, weight, limit && limit * MEBIBYTE)
  })
}

async function main(): Promise<void> {
  const out = mkdtempSync(join(tmpdir(), 'ts-ipvs-bench-'))
  const before = load()
  try {
    const rows = kernels().flatMap(kernel => speedRows(kernel, measureSpeed(kernel, out)))
    const size = values.quick ? SPEED_SIZE : LARGE_SIZE
    rows.push(...memoryRows(inside<MemoryOptions, Memory[]>('uml', 'ipvs/memory', { size }, out)))
    const file = join(out, 'transcripts')
    inside<RecordOptions, undefined>('uml', 'ipvs/record', { size, file }, out)
    rows.push(...(await slices(file, size, 7)).map(({ task, ...measured }) => slicesRow(task, measured)))
    const report = `${heading(before, size)}\n${table(rows)}`
    process.stdout.write(report)
    if (values.kernel === undefined && values.pairs === undefined && !values.quick)
      writeFileSync(join(root, 'scripts/bench/results/ipvs.md'), report)
  } finally {
    rmSync(out, { recursive: true })
  }
}

function heading(before: string, size: Size): string {
  const count = (number: number): string => number.toLocaleString('en')
  return `# IPVS in bulk

${count(SPEED_SIZE.virtualServers)} virtual servers with ${SPEED_SIZE.realServers} real servers each: 11,000 operations. Medians of ${pairCount()} pairs of runs in one
process, by turns, each in a new network namespace; the ratio is the median of the pairs' ratios (its middle half in parentheses).
C is a program that sends the same messages and counts the answers: the floor. Memory and slices: ${count(size.virtualServers)} x ${size.realServers}.

${machine(before)}
`
}

await main()
