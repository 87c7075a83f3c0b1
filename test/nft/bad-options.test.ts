/** Options that there are not, and those that can not be. */
import t from 'tap'
import { open } from '../../lib/nft/index.js'
import { scripted } from './scripted.js'
import { GOOD, inTable } from './support/commands.js'

t.test('an option that there is not is refused: a filter would list everything, a guard would be none', async t => {
  await using nf = await open({ transport: scripted([]) })
  const message = (name: string, near: string) => ({
    name: 'TypeError',
    message: `options.${name}: there is no such option: did you mean ${near}?`,
  })
  await t.rejects(nf.commit([], { generatoin: 5 } as never), message('generatoin', 'generation'))
  await t.rejects(
    nf.commit(() => [], { atempts: 5 } as never),
    message('atempts', 'attempts'),
  )
  await t.rejects(nf.check([], { deadlin: 5 } as never), message('deadlin', 'deadline'))
  await t.rejects(nf.rules({ tabel: 'web' } as never), message('tabel', 'table'))
  await t.rejects(nf.rules({ ...inTable, name: 'in' } as never), { name: 'TypeError', message: /^options\.chain: is missing/ })
  await t.rejects(nf.resetRules({ famly: 'ip' } as never), message('famly', 'family'))
  await t.rejects(nf.snapshot({ tabel: 'web' } as never), message('tabel', 'table'))
  await t.rejects(nf.flushRuleset('all', { generatoin: 5 } as never), { name: 'TypeError' })
  await t.rejects(open({ transprot: scripted([]) } as never), message('transprot', 'transport'))
  await t.rejects(nf.commit([], 5 as never), { name: 'TypeError', message: 'options: 5: give an object' })
})

t.test('a guard is a generation that was read, or none', async t => {
  const kernel = scripted([])
  await using nf = await open({ transport: kernel })
  for (const generation of [0, -1, 0.5, 2 ** 32, Number.NaN])
    await t.rejects(nf.commit(GOOD.slice(0, 1), { generation }), {
      name: 'RangeError',
      message: /^options\.generation: .*: give one that was read/,
    })
  for (const generation of [null, '5', {}])
    await t.rejects(nf.commit(GOOD.slice(0, 1), { generation } as never), {
      name: 'TypeError',
      message: /^options\.generation: /,
    })
  t.same(kernel.sent, [])
})
