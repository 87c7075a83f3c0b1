/** What TypeScript forbids and JavaScript's callers do all the same, in every place. */
import t from 'tap'
import { attempt, GOOD } from './support/commands.js'

const BAD: readonly unknown[] = [
  null,
  Number.NaN,
  -1,
  0.5,
  1e30,
  2n ** 70n,
  true,
  'no such word',
  '',
  '\0',
  'x'.repeat(300),
  Symbol('s'),
  () => {},
  [],
  [null],
  [[]],
  {},
  { constructor: 1 },
  new Date(0),
  new Uint8Array(300),
  Object.create(null),
]

/** Fields by which others are read. */
const DECISIVE = /\.(family|hook|type|flags|key|data|objects|kind|set)\b/

/** Replaces each value in turn, on every level. */
function* spoilt(value: unknown, path: string): Generator<{ readonly path: string; readonly value: unknown }> {
  for (const bad of BAD) yield { path, value: bad }
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return
  if (!Array.isArray(value)) yield { path: `${path}.polcy`, value: { ...value, polcy: 1 } }
  for (const key of Object.keys(value)) {
    const below = (value as Record<string, unknown>)[key]
    for (const one of spoilt(below, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`)) {
      const copy: unknown = Array.isArray(value) ? [...value] : { ...value }
      yield { path: one.path, value: Object.assign(copy as object, { [key]: one.value }) }
    }
  }
}

t.test('each of the commands is good', async t => {
  for (const command of GOOD) t.equal(await attempt(command), undefined, Object.values(command).map(Object.keys).join())
})

t.test('any value in any place is sent, or refused with its place, and nothing was sent', async t => {
  let refused = 0
  for (const command of GOOD) {
    for (const { path, value } of spoilt(command, 'commands[0]')) {
      const error = await attempt(value)
      if (error === undefined) continue
      refused++
      const plain = error instanceof TypeError || error instanceof RangeError
      const [, place = ''] = /^(commands\[0\][^:]*): ./.exec(plain ? error.message : '') ?? []
      // What decides on the meaning of others may make those wrong.
      const above = DECISIVE.test(path) ? path.replace(/^(commands\[0\]\.\w+\.\w+).*/, '$1') : path.replace(/[.[][^.[]*$/, '')
      const near = place !== '' && (path.startsWith(place) || place.startsWith(above))
      if (!near) t.fail(`${path}: ${String(error)}`, { cause: error })
    }
  }
  t.ok(refused > 5000, `${refused} refused`)
})
