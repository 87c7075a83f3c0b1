/**
 * Runs the conformance suites of routes and connection tracking under this kernel, and prints TAP: `node network-guest.js [WORD…]`, only the
 * cases whose name contains one of the words. It makes network namespaces: scripts/in-namespace gives them names of their own on a host.
 */

import { open as openConntrack } from '../../lib/conntrack/index.js'
import { nativeTransport } from '../../lib/netlink/index.js'
import { open as openRoute } from '../../lib/route/index.js'
import { type Case, type LinuxContext, type Options, Skip } from './network/case.js'
import { cases } from './network/index.js'
import { Cleanup } from './support/case.js'
import { orHung } from './support/hung.js'
import { Namespaces, sh } from './support/linux.js'
import { Report } from './support/tap.js'

function contextOf(netns: string, namespaces: Namespaces, cleanup: Cleanup): LinuxContext {
  const closed = <T extends { close(): Promise<void> }>(client: T): T => {
    cleanup.after(() => client.close())
    return client
  }
  const of = (options: Options) => (options.transport ? options : { ...options, netns: { name: netns } })
  return {
    kernel: 'linux',
    netns,
    sh,
    inside: command => sh(`ip netns exec ${netns} ${command}`),
    transport: () => nativeTransport({ name: netns }),
    after: undo => cleanup.after(undo),
    another: async () => {
      const name = await namespaces.take()
      cleanup.after(() => namespaces.give(name))
      return name
    },
    route: async (options = {}) => closed(await openRoute(of(options))),
    conntrack: async (options = {}) => closed(await openConntrack(of(options))),
  }
}

async function runCase(it: Exclude<Case, { needs: 'memory' }>, namespaces: Namespaces): Promise<void> {
  const netns = await namespaces.take()
  const cleanup = new Cleanup()
  cleanup.after(() => namespaces.give(netns))
  try {
    await it.run(contextOf(netns, namespaces, cleanup))
  } finally {
    await cleanup.run()
  }
}

async function main(words: readonly string[]): Promise<number> {
  const report = new Report()
  report.comment(`Linux ${(await sh('uname -r')).trim()}, Node.js ${process.version}`)
  const namespaces = new Namespaces()
  const chosen = cases.filter(({ name }) => words.length === 0 || words.some(word => name.includes(word)))
  for (const it of chosen) {
    if (it.needs === 'memory') continue
    const began = performance.now()
    try {
      await orHung(runCase(it, namespaces))
      report.pass(it.name)
    } catch (error) {
      if (error instanceof Skip) report.skip([it.name], error.message)
      else report.fail(it.name, error)
    }
    const took = performance.now() - began
    if (took > 2000) report.comment(`  took ${(took / 1000).toFixed(1)} s`)
  }
  const elsewhere = chosen.filter(({ needs }) => needs === 'memory')
  report.skip(
    elsewhere.map(({ name }) => name),
    'need the memory kernel, which can be told to misbehave',
  )
  await namespaces.close()
  report.end()
  return report.failed === 0 ? 0 : 1
}

process.setSourceMapsEnabled(true)
process.exit(await main(process.argv.slice(2)))
