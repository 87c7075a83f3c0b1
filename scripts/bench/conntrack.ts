/**
 * npm run bench conntrack [-- --quick]
 *
 * Measures how long a table of 100,000 flows takes to be read, filtered and partly deleted, on this machine's kernel, in a network namespace;
 * and how long that keeps the event loop to itself. Prints a table; a run without options also writes it to results/conntrack.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { GuestOptions, Measured } from './conntrack/guest.js'
import { inNamespace, load, machine, root } from './machine.js'
import { milliseconds, type Row, slicesRow, table } from './table.js'

const FLOWS = 100_000
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const before = load()
const runs = values.quick ? 3 : 7
const { reading, filtering, asking, deleting, slices } = inNamespace<GuestOptions, Measured>('conntrack/guest', {
  flows: FLOWS,
  runs,
})

const count = FLOWS.toLocaleString('en')
const row = (what: string, time: number): Row => ({ what, where: 'this machine', ours: milliseconds(time) })
const report = `# ${count} flows

Of UDP, with an address each. Medians of ${runs} runs.

${machine(before)}

${table([
  row('reading all', reading),
  row('reading all for those of a network', filtering),
  row('reading those of an address, which the kernel looks for', asking),
  row('deleting half of them, by protocol and port', deleting),
  slicesRow('reading all', slices.reading),
  slicesRow('reading all for those of a network', slices.filtering),
])}`
process.stdout.write(report)
if (!values.quick) writeFileSync(join(root, 'scripts/bench/results/conntrack.md'), report)
