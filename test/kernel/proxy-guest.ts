/**
 * Runs the cases of the proxy that have a cluster under this kernel, and prints TAP: `node proxy-guest.js [--backend ipvs|nftables]
 * [--limit SECONDS] [--every N] [WORD…]`, only those whose name contains one of the words. A case counts as hung after 300 seconds, or the limit:
 * emulated processors take longer for the whole table of flows, and for a proxy that is killed at every step. With `--every 7` each seventh line of
 * the table is asked, and each seventh step is one to be killed at. It makes network namespaces: scripts/in-namespace gives them names of their
 * own on a host.
 */
import { parseArgs } from 'node:util'
import { open as openConntrack } from '../../lib/conntrack/index.js'
import type { ServiceProxyOptions } from '../../lib/proxy/index.js'
import * as addresses from './proxy/addresses.js'
import type { ProxyCase } from './proxy/cluster.js'
import * as contract from './proxy/contract.js'
import * as interrupted from './proxy/interrupted.js'
import * as many from './proxy/many.js'
import * as removed from './proxy/removed.js'
import * as special from './proxy/special.js'
import * as steady from './proxy/steady.js'
import * as table from './proxy/table.js'
import { NODES, nodeNamespace, topology } from './proxy/topology.js'
import { Cleanup } from './support/case.js'
import { HUNG, orHung } from './support/hung.js'
import { sh } from './support/linux.js'
import { Report } from './support/tap.js'

const all: readonly ProxyCase[] = [table, special, addresses, contract, steady, many, removed, interrupted].flatMap(
  ({ cases }): readonly ProxyCase[] => cases,
)

async function runCase(it: ProxyCase, options: Partial<ServiceProxyOptions>, every: number): Promise<void> {
  const cleanup = new Cleanup()
  try {
    await it.run({ topology: await topology(), options, every, after: undo => cleanup.after(undo) })
  } finally {
    await cleanup.run()
    await forgetFlows()
  }
}

/** A flow of one case would take packets of the next one, from the same port, to where it led. */
async function forgetFlows(): Promise<void> {
  for (const node of NODES) {
    await using tracked = await openConntrack({ netns: { name: nodeNamespace(node) } })
    await tracked.flush('all')
  }
}

async function main(
  options: Partial<ServiceProxyOptions>,
  { limit, every }: Readonly<Record<'limit' | 'every', number>>,
  words: readonly string[],
): Promise<number> {
  const report = new Report()
  report.comment(`Linux ${(await sh('uname -r')).trim()}, Node.js ${process.version}, ${JSON.stringify(options)}`)
  const chosen = all.filter(({ name }) => words.length === 0 || words.some(word => name.includes(word)))
  for (const it of chosen.filter(({ needs }) => needs === undefined || needs === options.backend)) {
    const began = performance.now()
    try {
      await orHung(runCase(it, options, every), limit)
      report.pass(it.name)
    } catch (error) {
      report.fail(it.name, error)
    }
    report.comment(`  took ${((performance.now() - began) / 1000).toFixed(1)} s`)
  }
  report.end()
  return report.failed === 0 ? 0 : 1
}

process.setSourceMapsEnabled(true)
const { values, positionals } = parseArgs({
  options: {
    backend: { type: 'string' },
    limit: { type: 'string', default: String(HUNG) },
    every: { type: 'string', default: '1' },
  },
  allowPositionals: true,
})
const { limit, every, ...options } = values
process.exit(await main(options as Partial<ServiceProxyOptions>, { limit: Number(limit), every: Number(every) }, positionals))
