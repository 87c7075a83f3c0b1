/**
 * npm run bench ipvs [-- --kernel uml|debian12] [--pairs N] [--quick]
 *
 * Measures the IPVS client against a C program that sends the same messages, and against ipvsadm, under real kernels; then its memory,
 * and how long it keeps the event loop to itself. Prints a table; a run without options also writes it to results/ipvs.md.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Size } from './ipvs/fleet.js'
import type { Memory, MemoryOptions } from './ipvs/memory.js'
import type { RecordOptions } from './ipvs/record.js'
import { type Slices, slices } from './ipvs/slices.js'
import type { Speed, SpeedOptions } from './ipvs/speed.js'
import type { Pairs } from './pairs.js'
import { type Row, table } from './table.js'

const KERNELS = ['uml', 'debian12'] as const
type Kernel = (typeof KERNELS)[number]
const NAMES: Readonly<Record<Kernel, string>> = { uml: 'user-mode-linux', debian12: 'QEMU, emulated' }

const SPEED_SIZE: Size = { virtualServers: 1000, realServers: 10 }
const LARGE_SIZE: Size = { virtualServers: 10_000, realServers: 10 }

/** At most so many times what is compared with. A guest without a limit is measured for information. */
const LIMITS: Readonly<Record<Kernel, { apply: number; snapshot: number; planAndApply: number; ipvsadm?: number }>> = {
  uml: { apply: 5, snapshot: 1.5, planAndApply: 1.3, ipvsadm: 10 },
  debian12: { apply: 2, snapshot: 3, planAndApply: 1.3 },
}
const MEBIBYTE = 1 << 20
const MEMORY_LIMITS: Partial<Record<Memory['task'], number>> = {
  'plan of a new table': 60,
  'plan of the table as it is': 60,
  'snapshot with statistics': 100,
}
const LONGEST_SLICE = 10

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..')
const { values } = parseArgs({
  options: { kernel: { type: 'string' }, pairs: { type: 'string' }, quick: { type: 'boolean', default: false } },
})

/** Runs a program of this bench inside a kernel, and returns what it prints as JSON. */
function inside<O, T>(kernel: Kernel, program: string, options: O, out: string): T {
  process.stderr.write(`${NAMES[kernel]}: ${program}\n`)
  const script = join(root, 'build/js/scripts/bench/ipvs', `${program}.js`)
  const args = ['--kernel', kernel, '--out', out, '--', process.execPath, '--expose-gc', script, JSON.stringify(options)]
  const text = execFileSync(join(root, 'scripts/vm'), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return (text ? JSON.parse(text) : undefined) as T
}

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
    'speed',
    { size: SPEED_SIZE, pairs: pairCount(), ipvsadmPairs, floor: join(root, 'build/floor') },
    out,
  )
}

function speedRows(kernel: Kernel, speed: Speed): Row[] {
  const limits = LIMITS[kernel]
  const where = `${NAMES[kernel]}, Linux ${speed.kernel}`
  const compared = (what: string, name: string, pairs: Pairs | undefined, limit?: number): Row[] =>
    pairs
      ? [
          {
            what,
            where,
            ours: milliseconds(pairs.ours),
            theirs: `${name}: ${milliseconds(pairs.theirs)}`,
            ...ratioOf(pairs, limit),
          },
        ]
      : []
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

function ratioOf({ ratio, spread: [low, high], pairs }: Pairs, limit: number | undefined): Partial<Row> {
  const shown = pairs > 1 ? `${factor(ratio)} (${factor(low)} to ${factor(high)})` : factor(ratio)
  return { ratio: shown, ...(limit && { target: `at most ${factor(limit)}`, met: ratio <= limit }) }
}

function memoryRows(measured: readonly Memory[]): Row[] {
  return measured.map(({ task, held, peak }) => {
    const limit = MEMORY_LIMITS[task]
    return {
      what: `memory: ${task}`,
      where: NAMES.uml,
      ours: `${megabytes(peak)} at most, ${megabytes(held)} held`,
      ...(limit && { target: `at most ${limit} MB`, met: peak <= limit * MEBIBYTE }),
    }
  })
}

function sliceRows(measured: readonly Slices[]): Row[] {
  return measured.map(({ task, longest, withCollections, total }) => ({
    what: `longest slice: ${task}`,
    where: 'replayed on the host',
    ours: `${milliseconds(longest)} of ${milliseconds(total)}; with V8's collections ${milliseconds(withCollections)}`,
    target: `at most ${LONGEST_SLICE} ms`,
    met: longest <= LONGEST_SLICE,
  }))
}

const milliseconds = (time: number): string => `${time < 10 ? time.toFixed(1) : Math.round(time).toLocaleString('en')} ms`
const megabytes = (bytes: number): string => `${Math.max(0, bytes / MEBIBYTE).toFixed(1)} MB`
const factor = (ratio: number): string => (ratio < 1 ? ratio.toFixed(3) : ratio.toFixed(2))

async function main(): Promise<void> {
  const out = mkdtempSync(join(tmpdir(), 'ts-ipvs-bench-'))
  const load = (loadavg()[0] as number).toFixed(1)
  try {
    const rows = kernels().flatMap(kernel => speedRows(kernel, measureSpeed(kernel, out)))
    const size = values.quick ? SPEED_SIZE : LARGE_SIZE
    rows.push(...memoryRows(inside<MemoryOptions, Memory[]>('uml', 'memory', { size }, out)))
    const file = join(out, 'transcripts')
    inside<RecordOptions, undefined>('uml', 'record', { size, file }, out)
    rows.push(...sliceRows(await slices(file, size, 7)))
    const report = `${heading(load, size)}\n${table(rows)}`
    process.stdout.write(report)
    if (values.kernel === undefined && values.pairs === undefined && !values.quick)
      writeFileSync(join(root, 'scripts/bench/results/ipvs.md'), report)
  } finally {
    rmSync(out, { recursive: true })
  }
}

function heading(load: string, size: Size): string {
  const [cpu] = cpus()
  const count = (number: number): string => number.toLocaleString('en')
  return `# IPVS in bulk

${count(SPEED_SIZE.virtualServers)} virtual servers with ${SPEED_SIZE.realServers} real servers each: 11,000 operations. Medians of ${pairCount()} pairs of runs in one
process, by turns, each in a new network namespace; the ratio is the median of the pairs' ratios (its middle half in parentheses).
C is a program that sends the same messages and counts the answers: the floor. Memory and slices: ${count(size.virtualServers)} x ${size.realServers}.

${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, Linux ${release()}, load ${load} before; Node.js ${process.version}.
`
}

await main()
