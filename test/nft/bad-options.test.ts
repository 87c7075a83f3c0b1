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
  await t.rejects(nf.commit([], { split: { byts: 5 } } as never), {
    name: 'TypeError',
    message: 'options.split.byts: there is no such option: did you mean bytes?',
  })
  await t.rejects(nf.capabilities({ comit: true } as never), message('comit', 'commit'))
  await t.rejects(nf.generation({ deadlin: 5 } as never), message('deadlin', 'deadline'))
  t.throws(() => nf.watch({ tabel: 'web' } as never), message('tabel', 'table'))
  t.throws(() => nf.watch(null as never), { name: 'TypeError', message: 'options: null: give an object' })
  await t.rejects(nf.commit([], 5 as never), { name: 'TypeError', message: 'options: 5: give an object' })
})

t.test('an option that can not be is refused with what to give', async t => {
  const kernel = scripted([])
  await using nf = await open({ transport: kernel })
  for (const [options, told] of [
    [{ handles: 'yes' }, 'TypeError: options.handles: "yes": give true or false'],
    [{ split: true }, 'TypeError: options.split: true: give an object'],
    [{ split: { bytes: '5' } }, 'RangeError: options.split.bytes: "5": give bytes, from 1'],
    [{ split: { bytes: Number.NaN } }, 'RangeError: options.split.bytes: NaN: give bytes, from 1'],
    [{ attempts: 0 }, 'RangeError: options.attempts: 0: give a whole number, from 1'],
    [{ attempts: Number.NaN }, 'RangeError: options.attempts: NaN: give a whole number, from 1'],
    [{ deadline: 0 }, 'RangeError: deadline: 0: give seconds, from 0.001'],
  ] as const)
    await t.rejects(
      nf.commit(() => GOOD, options as never).catch(error => Promise.reject(new Error(String(error)))),
      { message: told },
    )
  t.throws(() => nf.watch({ initial: 1 } as never), { name: 'TypeError', message: 'options.initial: 1: give true or false' })
  await t.rejects(nf.snapshot({ elements: 0 } as never), {
    name: 'TypeError',
    message: 'options.elements: 0: give true or false',
  })
  t.same(kernel.sent, [])
})

t.test('a guard holds for a transaction without commands as well', async t => {
  await using nf = await open({ transport: scripted([], { generation: 10 }) })
  t.same(await nf.commit([]), { generation: 10 })
  t.same(await nf.commit([], { generation: 10, handles: true }), { generation: 10, handles: [] })
  await t.rejects(nf.commit([], { generation: 9 }), { message: /generation 9 any more/ })
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
