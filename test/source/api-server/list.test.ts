import t from 'tap'
import { ListReader, lines } from '../../../lib/source/api-server/list.js'

const ITEMS = [{ metadata: { name: 'a"}]\\' }, list: [{ deep: [[]] }], é: '\u{1f600}' }, {}, { text: '[{"\\"', none: null }]
const LIST = { kind: 'List', metadata: { resourceVersion: '7', continue: 'x' }, items: ITEMS }

function read(text: string, ...cuts: readonly number[]) {
  const bytes = Buffer.from(text)
  const reader = new ListReader()
  const pieces = [0, ...cuts].map((start, i) => bytes.subarray(start, cuts[i] ?? bytes.length))
  const items = pieces.flatMap(piece => [...reader.take(piece)])
  return { items, metadata: reader.end() }
}

t.test('a list is read the same wherever its pieces are cut, and wherever its items are', async t => {
  for (const text of [
    JSON.stringify(LIST),
    JSON.stringify(LIST, undefined, 2),
    JSON.stringify({ items: ITEMS, metadata: LIST.metadata }),
  ]) {
    t.same(read(text), { items: ITEMS, metadata: LIST.metadata })
    const { length } = Buffer.from(text)
    for (let cut = 1; cut < length; cut++)
      for (const cuts of [[cut], [cut, Math.min(cut + 1, length)]])
        if (JSON.stringify(read(text, ...cuts).items) !== JSON.stringify(ITEMS)) t.fail(`${text} cut at ${cuts}`)
  }
})

t.test('a list without items has none; what is no list, or not whole, is told', async t => {
  for (const items of ['[]', 'null', '[ ]'])
    t.same(read(`{"metadata":{"resourceVersion":"1"},"items":${items}}`), { items: [], metadata: { resourceVersion: '1' } })
  const whole = JSON.stringify(LIST)
  const cases = [
    ['', /^answered with something that is no JSON: /],
    [whole.slice(0, -1), /no JSON/],
    [whole.slice(0, whole.indexOf('"items"') + 12), /no JSON/],
    ['<html>', /no JSON/],
    ['{"metadata":{},"items":[]}', /^answered with something that is no list of objects$/],
    ['{"metadata":{"resourceVersion":"1"},"items":[{"a":}]}', /no JSON/],
  ] as const
  for (const [text, message] of cases) t.throws(() => read(text), { message }, text)
})

t.test('lines are read the same wherever their pieces are cut, and one that is not whole is none', async t => {
  const bytes = Buffer.from('{"é":1}\n\n{"b":2}\n{"c"')
  for (let cut = 0; cut <= bytes.length; cut++) {
    async function* pieces() {
      yield bytes.subarray(0, cut)
      yield bytes.subarray(cut)
    }
    const all: string[] = []
    for await (const line of lines(pieces())) all.push(line)
    t.same(all, ['{"é":1}', '', '{"b":2}'])
  }
})
