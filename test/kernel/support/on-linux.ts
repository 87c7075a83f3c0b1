/** Runs a suite under this kernel. */
import { nativeTransport } from '../../../lib/netlink/index.js'
import { Cleanup } from './case.js'
import { orHung } from './hung.js'
import { Namespaces, sh } from './linux.js'
import { type Case, type ClientsOf, type LinuxContext, Skip } from './suite.js'
import { Report } from './tap.js'

/**
 * Prints TAP, and returns an exit status. It makes network namespaces: scripts/in-namespace gives them names of their own on a host.
 *
 * @param words only cases whose name contains one of them; none: all
 */
export async function runOnLinux<C>(
  cases: readonly Case<C>[],
  clientsOf: ClientsOf<C>,
  words: readonly string[],
): Promise<number> {
  const report = new Report()
  report.comment(`Linux ${(await sh('uname -r')).trim()}, Node.js ${process.version}`)
  const namespaces = new Namespaces()
  const chosen = cases.filter(({ name }) => words.length === 0 || words.some(word => name.includes(word)))
  for (const it of chosen) {
    if (it.needs === 'memory') continue
    const began = performance.now()
    try {
      await orHung(runCase(it, clientsOf, namespaces))
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

async function runCase<C>(
  it: Exclude<Case<C>, { needs: 'memory' }>,
  clientsOf: ClientsOf<C>,
  namespaces: Namespaces,
): Promise<void> {
  const netns = await namespaces.take()
  const cleanup = new Cleanup()
  cleanup.after(() => namespaces.give(netns))
  const clients = clientsOf(
    options => ({ ...(options?.transport ? {} : { netns: { name: netns } }), ...options }),
    async opening => {
      const client = await opening
      cleanup.after(() => client.close())
      return client
    },
  )
  try {
    await it.run({ ...contextOf(netns, namespaces, cleanup), ...clients })
  } finally {
    await cleanup.run()
  }
}

function contextOf(netns: string, namespaces: Namespaces, cleanup: Cleanup): LinuxContext {
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
  }
}
