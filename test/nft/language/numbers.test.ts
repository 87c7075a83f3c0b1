/** Numbers that a double would round: text in documents, plain numbers in their text, and bigints are taken as well. */
import t from 'tap'
import { documentOfText, documentToText, type json, open } from '../../../lib/nft/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'

const of = { family: 'ip', table: 't' } as const

t.test('a text becomes a document, and the same text again', t => {
  const text =
    '{"nftables":[{"counter":{"family":"ip","table":"t","name":"c","comment":"9007199254740993","packets":9007199254740993,"bytes":5}}]}'
  const document = documentOfText(text)
  t.match(document, { nftables: [{ counter: { packets: '9007199254740993', bytes: 5, comment: '9007199254740993' } }] })
  t.equal(documentToText(document), text)
  t.end()
})

t.test('numbers of 64 bits that nft prints with a sign are read without', t => {
  t.strictSame(documentOfText('{"nftables":[-9223372036854775808,-1,1.5e20,"12345678901234567890"]}'), {
    nftables: ['9223372036854775808', -1, 1.5e20, '12345678901234567890'],
  })
  t.end()
})

t.test("what nft's parser does not take as a number stays text", t => {
  const document = { nftables: ['18446744073709551615', 9223372036854775807n, 5n] } as unknown as json.Document
  t.equal(documentToText(document), '{"nftables":["18446744073709551615",9223372036854775807,5]}')
  t.end()
})

for (const [given, read] of [
  [5, 5],
  [5n, 5],
  ['5', 5],
  [9007199254740993n, '9007199254740993'],
  ['9007199254740993', '9007199254740993'],
  [-1, '18446744073709551615'],
] as const)
  t.test(`${typeof given} ${given} in counters and constants is read as ${JSON.stringify(read)}`, async t => {
    await using nf = await open({ transport: memoryKernel() })
    const expr = [
      { match: { op: '==', left: { ct: { key: 'bytes' } }, right: given } },
      { counter: { packets: given, bytes: 0 } },
    ] as const
    await nf.apply({
      nftables: [
        { add: { table: { family: 'ip', name: 't' } } },
        { add: { chain: { ...of, name: 'c' } } },
        { add: { counter: { ...of, name: 'n', packets: given } } },
        { add: { rule: { ...of, chain: 'c', expr } } },
      ],
    })
    const { nftables } = await nf.ruleset()
    t.match(
      nftables.find(item => 'counter' in item),
      { counter: { packets: read } },
    )
    t.match(
      nftables.find(item => 'rule' in item),
      { rule: { expr: [{ match: { right: read } }, { counter: { packets: read } }] } },
    )
  })
