import assert from 'node:assert/strict'
import type { Element, NftSet } from '../../../lib/nft/index.js'
import type { Case } from './case.js'
import { elementsOf } from './elements-of.js'

const table = { family: 'inet', name: 't' } as const

/** A set without what names it, and elements in the order in which they are compared. */
interface Form {
  readonly set: Omit<NftSet, 'family' | 'table' | 'name'>
  readonly elements: readonly Element[]
}

const FORMS: Readonly<Record<string, Form>> = {
  'a set of addresses': { set: { key: 'ipv4_addr' }, elements: [{ key: '10.0.0.1' }, { key: '10.0.0.2' }] },
  'a map of a concatenation to another': {
    set: { key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
    elements: [{ key: ['10.96.0.1', 'tcp', 443], data: ['10.244.0.5', 8080] }],
  },
  'a verdict map': {
    set: { key: 'mark', data: 'verdict' },
    elements: [
      { key: 1, data: { verdict: 'accept' } },
      { key: 2, data: { verdict: 'jump', chain: 'c' } },
    ],
  },
}

const byText = (a: Element, b: Element): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

export const cases: readonly Case[] = Object.entries(FORMS).map(
  ([name, form]): Case => ({
    name: `sets: ${name} is read as it was written`,
    async run({ open, transport }) {
      const nf = await open()
      const set: NftSet = { family: 'inet', table: 't', name: 's', ...form.set }
      await nf.commit([
        { add: { table } },
        { add: { chain: { family: 'inet', table: 't', name: 'c' } } },
        { add: { set } },
        { add: { elements: { set, elements: form.elements } } },
      ])
      const [read] = await nf.sets()
      assert.ok(read)
      const { handle, backend, count, ...others } = read
      assert.deepEqual(others, set)
      assert.deepEqual((await elementsOf(transport(), set)).sort(byText), form.elements)
      await nf.commit([{ delete: { elements: { set, elements: form.elements } } }])
      assert.deepEqual(await elementsOf(transport(), set), [])
      await nf.commit([{ delete: { set } }])
      assert.deepEqual(await nf.sets(), [])
    },
  }),
)
