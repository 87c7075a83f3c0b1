/**
 * What nft lists of a ruleset that it loaded itself, and of the same ruleset read by us and written into another namespace: each ruleset of
 * test/nft/corpus, with each nft there is.
 */
import assert from 'node:assert/strict'
import { open, recreate } from '../../../lib/nft/index.js'
import { type Case, type LinuxContext, Skip } from './case.js'
import { addDevice, load, RULESETS, unloadable } from './corpus-files.js'
import { PROGRAMS } from './programs.js'

/** Time goes on between two listings: what is left of it, and since when. */
const timeless = (listed: string): string =>
  listed.replaceAll(/ expires [0-9dhms]+/g, ' expires …').replaceAll(/(last used) [0-9dhms]+/g, '$1 …')

async function run(context: LinuxContext, file: string): Promise<void> {
  const { sh, after, another, netns: loaded } = context
  const written = await another()
  for (const netns of [loaded, written]) await addDevice(context, netns)
  const from = await context.open()
  const to = await open({ netns: { name: written } })
  after(() => to.close())
  let programs = 0
  for (const program of PROGRAMS) {
    if (!(await load(context, loaded, program, file))) continue
    programs++
    await to.commit(await recreate(await from.snapshot()))
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
  if (programs === 0) throw unloadable(file)
}

export const cases: readonly Case[] = [
  {
    name: 'rulesets are loaded and listed by the nft of this machine and by that of Debian 13',
    needs: 'linux',
    async run() {
      if (PROGRAMS.length < 2) throw new Skip('need scripts/setup --nft')
    },
  },
  ...RULESETS.map(
    (file): Case => ({
      name: `read and written into another namespace, nft lists the same: ${file}`,
      needs: 'linux',
      run: context => run(context, file),
    }),
  ),
]
