/** Where apply works in tests: a kernel and a state file. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Configuration, describeVirtualServer } from '../../../lib/ipvs/index.js'
import { type MemoryKernel, memoryKernel } from '../../../lib/testing/index.js'
import { type CliOptions, cli, type Outcome } from '../support.js'

/** Of the state files. */
export const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-prune.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
let places = 0

/** A kernel, a state file, and apply with both. */
export async function place(
  kernel: MemoryKernel = memoryKernel({ interfaces: { lo: 65536, eth0: 1500 } }),
  state = join(folder, `${places++}.json`),
) {
  const { lvs, run } = await cli(kernel)
  const apply = (wanted: Configuration, words: string[] = [], options: CliOptions = {}): Promise<Outcome> =>
    run(['apply', '-f', '-', '--state', state, ...words], { ...options, stdin: JSON.stringify(wanted) })
  const prune = (wanted: Configuration, options: CliOptions = {}): Promise<Outcome> => apply(wanted, ['--prune'], options)
  const made = (): string[] => JSON.parse(readFileSync(state, 'utf8')).virtualServers
  const tables = async (): Promise<string[]> => (await lvs.snapshot()).virtualServers.map(describeVirtualServer).sort()
  return { kernel, lvs, run, state, apply, prune, made, tables }
}

/** The locks beside a state file. */
export function locks(state: string): string[] {
  return readdirSync(folder).filter(name => join(folder, name).startsWith(`${state}.lock`))
}
