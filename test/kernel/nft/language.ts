/**
 * nftables' language against nft itself, and prints TAP: `scripts/in-namespace node build/js/test/kernel/nft/language.js [WORD…]`, only
 * the files whose names contain one of the words. `--show N`: how many of the rules that differ are shown of each file. `--directory PATH`:
 * instead of the corpus, the files there: *.json as `nft -j -f` takes them, and all others as `nft -f` does. `--seed N`: the first seed of
 * the rules at random, and `--random N`: how many seeds.
 */
import { parseArgs } from 'node:util'
import { open } from '../../../lib/nft/index.js'
import { Namespaces } from '../support/linux.js'
import { Report } from '../support/tap.js'
import type { Check } from './language/check.js'
import { checkDocument, checkRules } from './language/corpus.js'
import { directoryFiles } from './language/directory.js'
import type { Bench } from './language/examine.js'
import { generateRules } from './language/generate.js'
import { Missing, Oracle } from './language/oracle.js'
import { corpusFiles, readRules } from './language/rules-file.js'
import { Telling } from './language/telling.js'

/** A file, and what is checked of it. */
interface Source {
  readonly name: string
  check(bench: Bench): Promise<Check[]>
}

const corpus = (): Source[] => [
  ...corpusFiles('rules', '.rules').map(({ name, text }) => ({
    name,
    check: (bench: Bench) => checkRules(bench, readRules(name, text)),
  })),
  ...corpusFiles('json', '.json').map(({ name, text }) => ({ name, check: (bench: Bench) => checkDocument(bench, text) })),
]

/** Rules of one seed. */
const RULES = 100

const random = (seed: number, count: number): Source[] =>
  Array.from({ length: count }, (_, index) => {
    const file = generateRules(seed + index, RULES)
    return { name: file.name, check: bench => checkRules(bench, file) }
  })

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      show: { type: 'string', default: '5' },
      directory: { type: 'string' },
      seed: { type: 'string' },
      random: { type: 'string', default: '6' },
    },
    allowPositionals: true,
  })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6))
  const report = new Report()
  report.comment(`seed ${seed}`)
  const telling = new Telling(report, Number(values.show))
  const sources =
    values.directory === undefined ? [...corpus(), ...random(seed, Number(values.random))] : directoryFiles(values.directory)
  const chosen = sources.filter(({ name }) => positionals.length === 0 || positionals.some(word => name.includes(word)))
  const namespaces = new Namespaces()
  const oracle = new Oracle()
  const run = async (): Promise<void> => {
    for (let source = chosen.shift(); source; source = chosen.shift()) await tell(source, namespaces, oracle, telling, report)
  }
  await Promise.all([run(), run()])
  oracle.close()
  await namespaces.close()
  telling.end()
  return report.failed === 0 ? 0 : 1
}

async function tell(source: Source, namespaces: Namespaces, oracle: Oracle, telling: Telling, report: Report): Promise<void> {
  const undo: (() => Promise<void>)[] = []
  const another = async () => {
    const netns = await namespaces.take()
    const nf = await open({ netns: { name: netns } })
    undo.push(async () => {
      await nf.close()
      namespaces.give(netns)
    })
    return { netns, nf }
  }
  try {
    telling.tell(source.name, await source.check({ oracle, another }))
  } catch (error) {
    if (error instanceof Missing) report.skip([source.name], error.message.replaceAll('\n', ' ').slice(0, 200))
    else report.fail(source.name, error)
  } finally {
    for (const end of undo) await end()
  }
}

process.setSourceMapsEnabled(true)
process.exit(await main())
