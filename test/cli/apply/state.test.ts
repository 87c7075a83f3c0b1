import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { prepareFolder } from '../../../lib/cli/apply/state.js'

const base = mkdtempSync(join(tmpdir(), 'ts-ipvs-state.'))
t.teardown(() => rmSync(base, { recursive: true, force: true }))
const { uid } = statSync(base)

t.test('the folder of states can be read by all and written by its owner alone, whatever the umask', async t => {
  for (const umask of [0, 0o022, 0o077]) {
    const folder = join(base, `umask-${umask}`)
    const before = process.umask(umask)
    try {
      await prepareFolder(folder, uid)
    } finally {
      process.umask(before)
    }
    t.equal(statSync(folder).mode & 0o7777, 0o755)
    await prepareFolder(folder, uid)
  }
})

t.test("a folder that others can write, or that is not the owner's, or is no folder, is refused", async t => {
  const refused = (name: string, owner: number, why: RegExp) =>
    t.rejects(prepareFolder(join(base, name), owner), { message: why, status: 1 })
  mkdirSync(join(base, 'open'))
  for (const mode of [0o775, 0o757, 0o1777]) {
    chmodSync(join(base, 'open'), mode)
    await refused('open', uid, /open can not be trusted: others can write it: remove it, or give --state FILE at another place$/)
  }
  chmodSync(join(base, 'open'), 0o755)
  await refused('open', uid + 1, new RegExp(`it belongs to the user ${uid}, not to ${uid + 1}`))
  symlinkSync('open', join(base, 'link'))
  writeFileSync(join(base, 'file'), '')
  for (const name of ['link', 'file']) await refused(name, uid, /it is no folder/)
})
