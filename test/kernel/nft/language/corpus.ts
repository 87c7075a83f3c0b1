/** The corpus of test/nft/language, each file in namespaces of its own. */
import { documentOfText } from '../../../../lib/nft/json/number.js'
import type { Check, Where } from './check.js'
import { applyChecks, type Bench, examine, examineOld, newest } from './examine.js'
import { type Loaded, loadRules } from './loading.js'
import { Missing, OLD } from './oracle.js'
import { place, type RulesFile } from './rules-file.js'

/** The rules of a file, loaded by nft 1.1.3, and those that it knows by nft 1.0.6. */
export async function checkRules(bench: Bench, file: RulesFile): Promise<Check[]> {
  const here = await bench.another()
  const loaded = await load(bench, newest(), here.netns, file)
  const checks = await examine(bench, here, whereIs(file, loaded))
  const old = place(file).filter(({ rule }) => rule.old)
  if (old.length === 0 || OLD === newest()) return [...refusals(file, loaded), ...checks]
  const there = await bench.another()
  const oldLoaded = await loadRules(bench.oracle, OLD, there.netns, file, old)
  return [...refusals(file, loaded), ...checks, ...(await examineOld(bench, there, whereIs(file, oldLoaded)))]
}

async function load({ oracle }: Bench, program: string, netns: string, file: RulesFile): Promise<Loaded> {
  try {
    const loaded = await loadRules(oracle, program, netns, file)
    if (file.needs.length > 0 && loaded.rules.length === 0) throw new Missing(loaded.refused[0]?.why)
    return loaded
  } catch (error) {
    throw file.needs.length > 0 && error instanceof Error ? new Missing(error.message) : error
  }
}

export const LOADED = 'nft loads the rules'

/** Every rule of the corpus is one that nft loads: where the kernel has all of it. */
function refusals({ name, needs, random }: RulesFile, { rules, refused }: Loaded): Check[] {
  if (needs.length > 0 || random) return []
  const differences = refused.map(({ placed, why }) => ({
    where: `${name}:${placed.rule.line}`,
    actual: placed.rule.text,
    expected: why,
  }))
  return [{ name: LOADED, of: rules.length + refused.length, differences }]
}

/** The n-th rule of the chain `c` of a family is the n-th that was loaded there. */
function whereIs(file: RulesFile, { rules }: Loaded): Where {
  return (chain, index) => {
    const [family = ''] = chain.split(' ')
    const rule = rules.filter(placed => placed.family === family)[index]?.rule
    return rule ? `${file.name}:${rule.line} ${family}: ${rule.text}` : `${chain}, rule ${index}`
  }
}

const byPlace: Where = (chain, index) => `${chain}, rule ${index + 1}`

/** A document as nft loads it: read by us, and applied by us as it is. */
export async function checkDocument(bench: Bench, text: string): Promise<Check[]> {
  const here = await bench.another()
  const refused = await bench.oracle.load(newest(), here.netns, text, true)
  if (refused !== undefined) throw new Error(`nft does not load it: ${refused.slice(0, 300)}`)
  const checks = await examine(bench, here, byPlace)
  const listed = await bench.oracle.list(newest(), here.netns)
  const document = documentOfText(text)
  const applied = await applyChecks(bench.oracle, await bench.another(), document, listed, byPlace)
  return [...checks, ...applied.map(check => ({ ...check, name: `as it is written, ${check.name}` }))]
}

/** A ruleset as text, whatever is in it. */
export async function checkText(bench: Bench, text: string, program = newest()): Promise<Check[]> {
  const here = await bench.another()
  const refused = await bench.oracle.load(program, here.netns, text)
  if (refused !== undefined) throw new Missing(refused.slice(0, 300))
  return examine(bench, here, byPlace)
}
