/** Loads the rules of a file with nft, without those that this kernel or this nft refuses. */
import type { Oracle } from './oracle.js'
import { addRule, type Placed, place, type RulesFile, surroundings } from './rules-file.js'

/** What was loaded, in this order in the chain `c` of each family; and what was not, with nft's reason. */
export interface Loaded {
  readonly rules: readonly Placed[]
  readonly refused: readonly { readonly placed: Placed; readonly why: string }[]
}

const TRIES = 60

/** Throws where not even what the rules stand in is loaded. */
export async function loadRules(
  oracle: Oracle,
  program: string,
  netns: string,
  file: RulesFile,
  all = place(file),
): Promise<Loaded> {
  const before = surroundings(file)
  let rules: readonly Placed[] = all
  const refused: { placed: Placed; why: string }[] = []
  for (let tries = 0; tries < TRIES; tries++) {
    const error = await oracle.load(program, netns, `${[...before, ...rules.map(addRule)].join('\n')}\n`)
    if (error === undefined) return { rules, refused }
    const bad = badLines(error, before.length)
    if (bad.size === 0) throw new Error(`${file.name}: ${error.slice(0, 400)}`)
    refused.push(...[...bad].flatMap(([index, why]) => (rules[index] ? [{ placed: rules[index], why }] : [])))
    rules = rules.filter((_, index) => !bad.has(index))
  }
  throw new Error(`${file.name}: nft refuses more than ${refused.length} rules`)
}

/** The rules that nft complains of. The kernel refuses what comes behind a rule that it refuses, too: of those only the first. */
function badLines(error: string, before: number): Map<number, string> {
  const found = [...error.matchAll(/^line:(\d+):\S+ (.*)$/gm)].map(
    ([, line, why]) => [Number(line) - before - 1, why ?? ''] as const,
  )
  const ofKernel = found.filter(([, why]) => why.includes('Could not process rule'))
  const bad = ofKernel.length > 0 ? ofKernel.slice(0, 1) : found
  return new Map(bad.filter(([index]) => index >= 0))
}
