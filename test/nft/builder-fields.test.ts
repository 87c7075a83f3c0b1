import t from 'tap'
import { CT, CT_DIRECTED, FIELDS, META } from '../../lib/nft/builders/fields.js'
import { CT_KEYS } from '../../lib/nft/vocabulary/ct.js'
import { META_KEYS } from '../../lib/nft/vocabulary/meta.js'
import { protocolNamed } from '../../lib/nft/vocabulary/protocols.js'

const typeOf = (name: string): string => (name === 'xinteger' ? 'integer' : name)
const sorted = (pairs: Iterable<readonly [string, string]>): Record<string, string> => Object.fromEntries([...pairs].sort())

for (const [protocol, fields] of Object.entries(FIELDS))
  t.test(`the builders of ${protocol} have the fields that the language has, with the same types`, async t => {
    const known = (protocolNamed(protocol)?.fields ?? []).map(({ name, type }) => [name, typeOf(type.name)] as const)
    t.same(sorted(Object.entries(fields)), sorted(known))
  })

t.test('the builders of meta have its keys, with the same types', async t => {
  const known = sorted(META_KEYS.map(({ name, type }) => [name, typeOf(type.name)] as const))
  // nft calls the type of points in time as it calls that of durations.
  t.same(sorted(Object.entries(META)), { ...known, time: 'date' })
})

t.test('the builders of ct have its keys but those whose type the family gives, with the same types', async t => {
  const { saddr, daddr, ...known } = sorted(CT_KEYS.map(({ name, type }) => [name, typeOf(type.name)] as const))
  t.same([saddr, daddr], ['integer', 'integer'])
  t.same(sorted(Object.entries({ ...CT, ...CT_DIRECTED })), known)
})
