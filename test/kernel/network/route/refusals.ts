/** What the kernel refuses, and what becomes of it. */
import assert from 'node:assert/strict'
import type { RouteClient } from '../../../../lib/route/index.js'
import { type Refusal, refused } from '../../support/expect.js'
import type { Case } from '../case.js'
import { pair } from './addresses.js'

interface Row {
  readonly what: string
  readonly call: (client: RouteClient) => Promise<unknown>
  readonly refusal: Refusal
}

const ROWS: readonly Row[] = [
  {
    what: 'a gateway that no network has',
    call: client => client.addRoute({ destination: '10.9.0.0/16', gateway: '192.0.2.1' }),
    refusal: { problem: 'unreachable', code: 'ENETUNREACH', reason: /add an address first.*Nexthop has invalid gateway/ },
  },
  {
    what: 'a source that is no address of this host',
    call: client => client.addRoute({ destination: '10.9.0.0/16', device: 'a0', source: '192.0.2.1' }),
    refusal: { problem: 'invalid', code: 'EINVAL', reason: /Invalid prefsrc address/ },
  },
  {
    what: 'a device that is down',
    call: async client => {
      await client.changeLink('a0', { up: false })
      await client.addRoute({ destination: '10.9.0.0/16', device: 'a0' })
    },
    refusal: { problem: 'interface-down', code: 'ENETDOWN', reason: /set it up first.*Device for nexthop is not up/ },
  },
  {
    what: 'a device that there is not',
    call: client => client.addRoute({ destination: '10.9.0.0/16', device: 'nowhere' }),
    refusal: { problem: 'no-such-interface', code: 'ENODEV', reason: /there is no device nowhere/ },
  },
  {
    what: 'an index that no device has',
    call: client => client.addAddress({ device: 4711, address: '10.0.0.1' }),
    refusal: { problem: 'no-such-interface', code: 'ENODEV', reason: /no such device/ },
  },
  {
    what: 'addresses of a device that there is not',
    call: client => client.addresses({ device: 'nowhere' }),
    refusal: { problem: 'no-such-interface', code: 'ENODEV', reason: /there is no device nowhere/ },
  },
]

export const cases: readonly Case[] = [
  ...ROWS.map(
    ({ what, call, refusal }): Case => ({
      name: `refusals: ${what}`,
      async run({ route }) {
        const client = await route()
        await pair(client)
        const before = await client.routes({ table: 'all', family: 'ipv4' })
        await refused(call(client), refusal)
        const after = await client.routes({ table: 'all', family: 'ipv4' })
        assert.deepEqual(after, before, 'nothing was changed')
      },
    }),
  ),
  {
    name: 'refusals: a deadline that has passed, and a signal, end a call before anything is sent',
    async run({ route }) {
      const client = await route()
      await refused(client.addLink({ name: 'x0', kind: 'bridge' }, { signal: AbortSignal.abort() }), {
        problem: 'interrupted',
        code: 'ABORT_ERR',
        operation: 'addLink',
        target: 'bridge x0',
        reason: /nothing was sent/,
      })
      assert.equal(await client.getLink('x0'), undefined)
      await client.close()
      await refused(client.links(), { problem: 'interrupted', code: 'ERR_CLOSED', reason: /the client is closed/ })
    },
  },
]
