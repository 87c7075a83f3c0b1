/**
 * What nft lists of a ruleset that it loaded itself, and of the same ruleset read by us and written into another namespace: each ruleset of
 * test/nft/corpus, with each nft there is.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { open, recreate } from '../../../lib/nft/index.js'
import { type Case, type LinuxContext, Skip } from './case.js'

const CORPUS = new URL('../../../../../test/nft/corpus/', import.meta.url)
/** What scripts/nft has fetched (scripts/lib/nft.sh). */
const NEWER = `${process.env.XDG_CACHE_HOME ?? `${process.env.HOME}/.cache`}/ts-ipvs/nft-debian13/nft`
const PROGRAMS = ['nft', ...(existsSync(NEWER) ? [NEWER] : [])]

/** The namespaces: one that nft loads rulesets in, one that we write them into, with the devices that rulesets name. */
async function twoNamespaces({ netns, another, sh }: LinuxContext): Promise<readonly [loaded: string, written: string]> {
  const written = await another()
  for (const name of [netns, written]) await sh(`ip -n ${name} link add other0 type veth peer name other1`)
  return [netns, written]
}

/** Time goes on between two listings: what is left of it, and since when. */
const timeless = (listed: string): string =>
  listed.replaceAll(/ expires [0-9dhms]+/g, ' expires …').replaceAll(/(last used) [0-9dhms]+/g, '$1 …')

async function run(context: LinuxContext, file: string): Promise<void> {
  const { pathname } = new URL(file, CORPUS)
  const { sh, after } = context
  const [loaded, written] = await twoNamespaces(context)
  const from = await context.open()
  const to = await open({ netns: { name: written } })
  after(() => to.close())
  let programs = 0
  for (const program of PROGRAMS) {
    const load = sh(`ip netns exec ${loaded} ${program} -f ${pathname}`)
    if (
      !(await load.then(
        () => true,
        () => false,
      ))
    )
      continue
    programs++
    await to.commit(recreate(await from.snapshot()))
    for (const lister of PROGRAMS) {
      const list = (netns: string): Promise<string> => sh(`ip netns exec ${netns} ${lister} list ruleset`)
      const expected = await list(loaded).catch((error: Error) => {
        if (lister === program) throw error
      })
      if (expected === undefined) continue // an older nft may crash on what a newer one has written
      assert.equal(timeless(await list(written)), timeless(expected), `loaded by ${program}, listed by ${lister}`)
    }
    for (const nf of [from, to]) await nf.commit((await nf.tables()).map(table => ({ delete: { table } })))
  }
  if (programs > 0) return
  const needs = readFileSync(pathname, 'utf8').match(/^# (?:nft|kernel): .*$/gm) ?? []
  assert.ok(needs.length > 0, 'no nft loads it, and it does not say what it needs')
  throw new Skip(`need ${needs.map(line => line.replace(/^# /, '')).join(', ')}`)
}

export const cases: readonly Case[] = readdirSync(CORPUS).map(file => ({
  name: `read and written into another namespace, nft lists the same: ${file}`,
  needs: 'linux',
  run: context => run(context, file),
}))
