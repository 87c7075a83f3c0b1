/**
 * Runs suites under this kernel, in one process, and prints TAP: `node guest.js conformance traffic`. With `only=WORD` only the cases whose
 * name contains the word.
 */
import { cli } from './cli/index.js'
import { conformance, essentials } from './conformance/index.js'
import type { Case } from './support/case.js'
import { orHung } from './support/hung.js'
import { thisKernel } from './support/kernels.js'
import { Linux, loadSchedulers, Namespaces } from './support/linux.js'
import { Report } from './support/tap.js'
import { traffic } from './traffic/index.js'

const SUITES: Readonly<Record<string, readonly Case[]>> = { cli, conformance, essentials, traffic }

async function runCase(it: Exclude<Case, { needs: 'memory' }>, namespaces: Namespaces): Promise<void> {
  const down = it.needs === 'linux' && it.lo === 'down'
  const context = new Linux(down ? await namespaces.takeDown() : await namespaces.take(), namespaces)
  let failure: unknown
  try {
    await it.run(context)
  } catch (error) {
    failure = error
  }
  await context.close()
  if (failure !== undefined) throw failure
}

async function runSuite(cases: readonly Case[], report: Report, namespaces: Namespaces): Promise<void> {
  for (const it of cases) {
    if (it.needs === 'memory') continue
    const began = performance.now()
    try {
      await orHung(runCase(it, namespaces))
      report.pass(it.name)
    } catch (error) {
      report.fail(it.name, error)
    }
    const took = performance.now() - began
    if (took > 2000) report.comment(`  took ${(took / 1000).toFixed(1)} s`)
  }
  const elsewhere = cases.filter(({ needs }) => needs === 'memory')
  report.skip(
    elsewhere.map(({ name }) => name),
    'need the memory kernel, which can be told to misbehave',
  )
}

async function main(words: readonly string[]): Promise<number> {
  const only = words.find(word => word.startsWith('only='))?.slice('only='.length) ?? ''
  const report = new Report()
  const kernel = thisKernel()
  report.comment(`${kernel.name}: Linux ${kernel.release}, Node.js ${process.version}`)
  await loadSchedulers()
  const namespaces = new Namespaces()
  for (const word of words.filter(word => !word.startsWith('only='))) {
    const suite = SUITES[word]
    if (!suite) throw new Error(`there is no suite ${word}: ${Object.keys(SUITES).join(', ')}`)
    await runSuite(
      suite.filter(({ name }) => name.includes(only)),
      report,
      namespaces,
    )
  }
  await namespaces.close()
  report.end()
  return report.failed === 0 ? 0 : 1
}

process.setSourceMapsEnabled(true)
process.exit(await main(process.argv.slice(2)))
