/** The proxy with its IPVS backend, in a kernel that has it: what is measured, against what, and what has to come out. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inside, type Kernel, NAMES } from '../machine.js'
import { comparison, MEBIBYTE, milliseconds } from '../table.js'
import type { Size } from './objects.js'
import { type Bench, type Bounds, changeRows, count, LARGE, memoryRow, sized } from './rows.js'
import type { VirtualOptions, VirtualResults, VirtualTask } from './virtual.js'

const KERNEL: Kernel = 'debian12'
const SIZE: Size = { services: 2_000, endpoints: 2 }
const SIZES: readonly Size[] = [500, 2_000, 8_000].map(services => ({ ...SIZE, services }))
/** At most so many times what the clients take. */
const LOAD = 1.5
const BOUNDS: Bounds = { where: NAMES[KERNEL], memory: 1000 * MEBIBYTE }

function measure<T extends VirtualTask>(task: T, size: Size, runs = 1): VirtualResults[T] {
  const out = mkdtempSync(join(tmpdir(), 'ts-ipvs-bench-'))
  try {
    return inside<VirtualOptions, VirtualResults[T]>(KERNEL, 'proxy/virtual', { task, size, runs }, out)
  } finally {
    rmSync(out, { recursive: true })
  }
}

const loadRows: Bench['rows'][string] = ({ runs }) => {
  const { kernel, cold, sync, whole, operations, elements } = measure('load', SIZE, runs)
  const where = `${BOUNDS.where}, Linux ${kernel}`
  const what = `a full sync: ${sized(SIZE)}`
  const name = `the ${count(operations)} objects of IPVS and ${count(elements)} elements of nftables, by the clients`
  return [
    comparison({ what, where }, name, sync, LOAD),
    { what: 'the same from parsed objects on', where, ours: milliseconds(whole) },
    { what: 'the same, first run of the process', where, ours: milliseconds(cold) },
  ]
}

const rows: { readonly [T in VirtualTask]: Bench['rows'][string] } = {
  load: loadRows,
  change: ({ changes }) =>
    changeRows(
      SIZES.map(size => ({ size, ...measure('change', size, changes) })),
      BOUNDS,
    ),
  memory: () => [memoryRow(measure('memory', LARGE), BOUNDS)],
}

const heading: Bench['heading'] = ({ runs, changes }) => `# Services on IPVS

The proxy on IPVS, in an emulated kernel: from when it has taken note of all objects until the kernel has them (a change: from the source's
event). It is compared with the clients of this library, which are given the same objects of the kernel: a transaction for
each table of nftables, and one batch for IPVS. Medians of ${runs} pairs of runs by turns, each in a new network namespace, behind those that
warm up (the ratio is the median of the pairs' ratios, its middle half in parentheses), and of ${changes} changes; each task in a process and a
kernel of its own.
`

export const onIpvs: Bench = { rows, heading, file: 'proxy-ipvs.md' }
