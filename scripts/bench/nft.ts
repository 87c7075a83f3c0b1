/**
 * npm run bench nft [-- --part speed|memory|slices] [--pairs N] [--quick]
 *
 * Measures the nftables client against a C program that sends the same messages, and against nft, on this machine's kernel, in a network
 * namespace; then its memory, and how long it keeps the event loop to itself. Prints a table; a run without options also writes it to
 * results/nft.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inNamespace, load, machine, root } from './machine.js'
import type { Memory, MemoryOptions } from './nft/memory.js'
import type { SlicesOptions, TaskSlices } from './nft/slices.js'
import type { Compared, Speed, SpeedOptions } from './nft/speed.js'
import type { Size, Task } from './nft/tasks.js'
import { comparison, MEBIBYTE, milliseconds, type Row, slicesRow, table, weightRow } from './table.js'

const SIZE: Size = { elements: 100_000, rules: 20_000 }
const RULES: readonly number[] = [5_000, 10_000, 20_000, 40_000]

/** At most so many times what is compared with. */
const LIMITS = {
  commit: { floor: 1.4, nft: 1 / 3.5 },
  reading: { floor: 2, nft: 1 / 5 },
  rules: { floor: 1.5 },
} satisfies Record<string, { floor: number; nft?: number }>
const WHERE = 'this machine'
/** Milliseconds. */
const ONE_ELEMENT = 3
const DELAY = 20
/** By how much more a rule's time may grow from the fewest rules to the most than it does for the C program, and be called linear. */
const LINEAR = 1.25
/** Of memory: so many times the bytes on the wire, and so many bytes. */
const TIMES_WIRE = 3
const BEYOND_WIRE = 60 * MEBIBYTE

const PARTS = ['speed', 'memory', 'slices'] as const

const { values } = parseArgs({
  options: { part: { type: 'string' }, pairs: { type: 'string' }, quick: { type: 'boolean', default: false } },
})

function parts(): readonly (typeof PARTS)[number][] {
  if (values.part === undefined) return PARTS
  const part = PARTS.find(known => known === values.part)
  if (!part) throw new Error(`there is no part ${values.part}: give ${PARTS.join(', ')}`)
  return [part]
}

function pairCount(): number {
  const pairs = Number(values.pairs ?? (values.quick ? 3 : 15))
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs ${values.pairs}: give a whole number from 1`)
  return pairs
}

function speedRows(): Row[] {
  // nft takes so much longer that few pairs tell.
  const nftPairs = values.quick ? 1 : 5
  const floor = join(root, 'build/floor')
  const options = { elements: SIZE.elements, rules: RULES, pairs: pairCount(), nftPairs, floor }
  const { commit, reading, oneElement, rules, delay } = inNamespace<SpeedOptions, Speed>('nft/speed', options)
  return [
    ...comparedRows(`commit of ${count(SIZE.elements)} elements`, 'nft -f', commit, LIMITS.commit),
    ...comparedRows(`reading ${count(SIZE.elements)} elements`, 'nft -j list map', reading, LIMITS.reading),
    atMost('one element more', oneElement, ONE_ELEMENT),
    ...rules.flatMap(({ count: number, compared }) =>
      comparedRows(`commit of ${count(number)} rules`, 'nft -f', compared, number === SIZE.rules ? LIMITS.rules : {}),
    ),
    linearity(rules),
    atMost('the event loop is late while committing and reading elements, 99th percentile', delay, DELAY),
  ]
}

function comparedRows(what: string, nft: string, compared: Compared, limits: { floor?: number; nft?: number }): Row[] {
  return [
    comparison({ what, where: WHERE }, 'C', compared.floor, limits.floor),
    comparison({ what, where: WHERE }, nft, compared.nft, limits.nft),
    { what: `${what}, first run`, where: WHERE, ours: milliseconds(compared.cold) },
  ]
}

/** The kernel itself takes longer for a rule among many: what counts is how much of that is ours. */
function linearity(rules: Speed['rules']): Row {
  const growth = (whose: 'ours' | 'theirs'): number => {
    const each = rules.map(({ count: number, compared }) => compared.floor[whose] / number)
    return (each.at(-1) ?? 0) / (each[0] ?? 0)
  }
  const ratio = growth('ours') / growth('theirs')
  return {
    what: `a rule among ${count(RULES.at(-1) ?? 0)}, to one among ${count(RULES[0] ?? 0)}`,
    where: WHERE,
    ours: `${growth('ours').toFixed(2)} times the time`,
    theirs: `C: ${growth('theirs').toFixed(2)} times`,
    ratio: ratio.toFixed(2),
    target: `at most ${LINEAR.toFixed(2)}`,
    met: ratio <= LINEAR,
  }
}

function atMost(what: string, time: number, limit: number): Row {
  return { what, where: WHERE, ours: milliseconds(time), target: `at most ${limit} ms`, met: time <= limit }
}

function memoryRows(): Row[] {
  return inNamespace<MemoryOptions, Memory[]>('nft/memory', { size: SIZE }).map(({ task, ...weight }) =>
    weightRow({ what: `memory: ${what(task)}`, where: WHERE }, weight, TIMES_WIRE * weight.wire + BEYOND_WIRE),
  )
}

function sliceRows(): Row[] {
  return inNamespace<SlicesOptions, TaskSlices[]>('nft/slices', { size: SIZE, runs: 7 }).map(({ task, ...slices }) =>
    slicesRow(what(task), slices),
  )
}

function what(task: Task): string {
  return {
    'commit of elements': `commit of ${count(SIZE.elements)} elements`,
    'reading elements': `reading ${count(SIZE.elements)} elements`,
    'commit of rules': `commit of ${count(SIZE.rules)} rules`,
  }[task]
}

const count = (number: number): string => number.toLocaleString('en')

function main(): void {
  const before = load()
  const rows = { speed: speedRows, memory: memoryRows, slices: sliceRows }
  const report = `${heading(before)}\n${table(parts().flatMap(part => rows[part]()))}`
  process.stdout.write(report)
  if (values.part === undefined && values.pairs === undefined && !values.quick)
    writeFileSync(join(root, 'scripts/bench/results/nft.md'), report)
}

function heading(before: string): string {
  return `# nftables in bulk

One transaction that makes a table with a map (addr . proto . port : addr . port) and its elements, or with a chain and its rules (protocol,
address, port, counter, verdict). Medians of ${pairCount()} pairs of runs, by turns, each with a new table; the ratio is the median of the pairs'
ratios (its middle half in parentheses). C is a program that sends the same messages and counts the answers: the floor. Memory is beyond
what the caller has; at most ${TIMES_WIRE} times the bytes on the wire and ${BEYOND_WIRE / MEBIBYTE} MB.

${machine(before)}
`
}

main()
