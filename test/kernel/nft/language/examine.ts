/** All checks of a ruleset that nft loads. */
import type { NftClient } from '../../../../lib/nft/index.js'
import type * as json from '../../../../lib/nft/json/index.js'
import { documentToText } from '../../../../lib/nft/json/number.js'
import { renderDocument } from '../../../../lib/nft/render/index.js'
import { applyAll, messageOf } from './applying.js'
import { type Check, compareListings, compareRules, failedWhole, showRule, type Where } from './check.js'
import { expressionsOf } from './kernel-rules.js'
import { readJson, readText } from './listing.js'
import { type Listed, NEW, OLD, type Oracle } from './oracle.js'
import { placedRules, secondOpinion, without } from './second-opinion.js'

/** A namespace of its own, and a client there. */
export interface Place {
  readonly netns: string
  readonly nf: NftClient
}

export interface Bench {
  readonly oracle: Oracle
  another(): Promise<Place>
}

const asIs = (text: string): string => text

/** What nft 1.1.3 has loaded in a place: read by us, and applied by us in another place. */
export async function examine({ oracle, another }: Bench, place: Place, where: Where): Promise<Check[]> {
  const listed = await oracle.list(newest(), place.netns)
  const original = expressionsOf(await place.nf.snapshot())
  const copy = await another()
  const applied = await applyChecks(oracle, copy, listed.json, listed, where)
  const expressions = compareRules("the expressions are nft's", expressionsOf(await copy.nf.snapshot()), original, where, asIs)
  const loaded = await loadsAgain({ oracle, another }, copy, listed)
  return [
    ...(await readChecks(place, listed, where)),
    ...(await unlessNftDoes({ oracle, another }, listed.json, [...applied, expressions])),
    loaded,
  ]
}

/**
 * An operator boots from what nft lists: it takes the listing of what we wrote, unless it does not take its own, or not that of the same JSON
 * (which tells no `typeof`, and nft's text has no type of that name).
 */
async function loadsAgain({ oracle, another }: Bench, copy: Place, own: Listed): Promise<Check> {
  const name = 'nft loads the listing of what was applied'
  const listed = await attemptList(oracle, copy.netns)
  if (typeof listed === 'string') return failedWhole(name, listed)
  const refused = await oracle.load(newest(), (await another()).netns, listed.text)
  const takes = async (text: string): Promise<boolean> =>
    (await oracle.load(newest(), (await another()).netns, text)) === undefined
  const wrong = refused !== undefined && (await takes(own.text)) && (await takes(await byJson({ oracle, another }, own)))
  return { name, of: 1, differences: wrong ? [{ where: 'the listing', actual: refused, expected: 'loaded' }] : [] }
}

/** What nft lists when it has loaded its own JSON. */
async function byJson({ oracle, another }: Bench, own: Listed): Promise<string> {
  const { netns } = await another()
  await oracle.load(newest(), netns, documentToText(own.json), true)
  return (await oracle.list(newest(), netns)).text
}

/** Without the differences that nft makes as well when it loads the same JSON. */
async function unlessNftDoes({ oracle, another }: Bench, document: json.Document, checks: readonly Check[]): Promise<Check[]> {
  const places = new Set(checks.flatMap(({ differences }) => differences.flatMap(({ place }) => place ?? [])))
  if (checks.every(({ differences }) => differences.length === 0)) return [...checks]
  const opinion = await secondOpinion(oracle, await another(), document, places)
  const shown = [
    opinion.text,
    opinion.old,
    opinion.expressions,
    new Map([...opinion.json].map(([place, rule]) => [place, showRule(rule)] as const)),
  ]
  return checks.map(check => without(check, (place, actual) => shown.some(rules => rules.get(place) === actual), opinion))
}

/** nft 1.1.3: there is no test of the language without it. */
export function newest(): string {
  if (NEW === undefined) throw new Error('scripts/nft has to have been used once: the language is that of nft 1.1.3')
  return NEW
}

async function readChecks({ nf }: Place, listed: Listed, where: Where): Promise<Check[]> {
  const [inJson, inText] = [readJson(listed.json), readText(listed.text)]
  return [
    await attempt("nft's JSON is rendered as its text", async name =>
      compareRules(name, readText(renderDocument(listed.json)).rules, inText.rules, where, asIs),
    ),
    await attempt('the ruleset is read as nft -j prints it', async name =>
      compareListings(name, readJson(await nf.ruleset()), inJson, where, showRule),
    ),
    await attempt('the ruleset is rendered as nft lists it', async name =>
      compareListings(name, readText(await nf.rulesetText()), inText, where, asIs),
    ),
  ]
}

async function attempt(name: string, work: (name: string) => Promise<Check>): Promise<Check> {
  try {
    return await work(name)
  } catch (error) {
    return failedWhole(name, error)
  }
}

/** Applies a document in an empty place: nft lists there what it lists elsewhere. */
export async function applyChecks(
  oracle: Oracle,
  { netns, nf }: Place,
  document: json.Document,
  expected: Listed,
  where: Where,
): Promise<Check[]> {
  const failures = await applyAll(nf, document)
  const applied: Check = {
    name: 'the document is applied',
    of: document.nftables.length,
    differences: failures.map(({ item, why }) => ({
      where: JSON.stringify(item),
      place: placedRules(document).find(rule => rule.item === item)?.place,
      actual: why,
      expected: 'done',
    })),
  }
  const listed = await attemptList(oracle, netns)
  if (typeof listed === 'string') return [applied, failedWhole('nft lists what was applied', listed)]
  return [
    applied,
    compareListings('nft lists what was applied as its own', readText(listed.text), readText(expected.text), where, asIs),
    compareListings('nft -j lists what was applied as its own', readJson(listed.json), readJson(expected.json), where, showRule),
  ]
}

async function attemptList(oracle: Oracle, netns: string): Promise<Listed | string> {
  try {
    return await oracle.list(newest(), netns)
  } catch (error) {
    return messageOf(error)
  }
}

/** What nft 1.0.6 has loaded: read by us as nft 1.1.3 lists it, and applied by us, which 1.0.6 lists as its own. */
export async function examineOld({ oracle, another }: Bench, place: Place, where: Where): Promise<Check[]> {
  const expected = await oracle.listText(OLD, place.netns)
  const listed = await attemptList(oracle, place.netns)
  // nft 1.1.3 ends with a fault where the older one did not write how long a number is.
  if (typeof listed === 'string') return []
  const copy = await another()
  await applyAll(copy.nf, listed.json)
  const actual = await oracle.listText(OLD, copy.netns)
  const ours = await attempt('the ruleset of nft 1.0.6 is read as nft -j prints it', async name =>
    compareListings(name, readJson(await place.nf.ruleset()), readJson(listed.json), where, showRule),
  )
  const name = 'nft 1.0.6 lists what was applied as its own'
  if (expected === undefined) return [ours]
  if (actual === undefined) return [ours, failedWhole(name, 'it does not list it')]
  // Rules only: JSON has the meters of nft 1.0.6 as sets, and of maps by typeof one half. Sets are compared with nft 1.1.3.
  const all = compareRules(name, readText(actual).rules, readText(expected).rules, where, asIs)
  const listing = { ...all, differences: all.differences.filter(it => !/\bmeter \w+ size/.test(it.expected)) }
  return [ours, ...(await unlessNftDoes({ oracle, another }, listed.json, [listing]))]
}
