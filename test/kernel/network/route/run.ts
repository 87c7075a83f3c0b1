/** Many changes at once. */
import assert from 'node:assert/strict'
import type { Operation, Result } from '../../../../lib/route/index.js'
import type { Case } from '../case.js'

const text = (result: Result): string =>
  result.ok ? (result.found ? 'ok' : 'nothing') : `${result.error.problem}: ${result.error.message}`

export const cases: readonly Case[] = [
  {
    name: 'run: many are carried out in their order, and each has its result',
    async run({ route }) {
      const client = await route()
      const local = (i: number) =>
        ({ destination: `10.96.${i >> 8}.${i & 255}`, type: 'local', device: 'lo', protocol: 77 }) as const
      const many = Array.from({ length: 1500 }, (_, i): Operation => ({ addRoute: local(i) }))
      const results = await client.run(many)
      assert.equal(results.length, 1500)
      assert.ok(results.every(result => result.ok && result.found))
      assert.equal((await client.routes({ table: 'local', protocol: 77 })).length, 1500)
      const mixed = await client.run([
        { addRoute: local(0) },
        { replaceRoute: local(1) },
        { addRoute: { destination: '10.9.0.0/16', device: 'nowhere' } },
        { removeRoute: { destination: '10.9.0.0/16', device: 'nowhere' } },
        { ensureAddress: { device: 'lo', address: '10.0.0.1' } },
        { removeAddress: { device: 'lo', address: '10.0.0.2' } },
        { addRule: { family: 'ipv4', priority: 5, table: 77 } },
        { removeRule: { family: 'ipv4', priority: 6 } },
        { addRoute: { destination: '2001:db8::1', type: 'local', device: 'lo' } },
        { removeRoute: { destination: '2001:db8::1', type: 'local' } },
        { removeRoute: { destination: '2001:db8::2', type: 'local' } },
      ])
      const [first = '', ...others] = mixed.map(text)
      assert.match(first, /^exists: addRoute local 10\.96\.0\.0: there is such a route/)
      assert.deepEqual(others, [
        'ok',
        'no-such-interface: addRoute 10.9.0.0/16: there is no device nowhere: `links` lists those that there are (ENODEV)',
        'nothing',
        'ok',
        'nothing',
        'ok',
        'nothing',
        'ok',
        'ok',
        'nothing',
      ])
      const removals = await client.run(many.map((_, i): Operation => ({ removeRoute: local(i) })))
      assert.ok(removals.every(result => result.ok && result.found))
      assert.deepEqual(await client.routes({ table: 'local', protocol: 77 }), [])
      assert.deepEqual(await client.run([]), [])
    },
  },
]
