/** What goes wrong between the clients and the kernel. */
import assert from 'node:assert/strict'
import { MessageReader, messagesOf, NLM_F_MULTI, type Reply, type Transport } from '../../../lib/netlink/index.js'
import { refused } from '../support/expect.js'
import { intercept } from '../support/intercept.js'
import type { Case } from './case.js'
import { tuple } from './conntrack/flows.js'

const NLM_F_DUMP_INTR = 0x10
const original = tuple('udp', '10.0.0.1', 1, '10.0.0.2', 2)

/** The transport, and how many of its dumps were answered; so many are said to be interrupted. */
function interrupting(transport: Transport, times: number): { readonly transport: Transport; readonly dumps: () => number } {
  let dumps = 0
  const around = async (_: unknown, go: () => Promise<Reply>): Promise<Reply> => {
    const reply = await go()
    const reader = new MessageReader(reply.data)
    for (const { flags, start } of messagesOf(reader)) {
      if (!(flags & NLM_F_MULTI)) continue
      if (start === 0 && dumps++ >= times) return reply
      reader.u16[(start >> 1) + 3] = flags | NLM_F_DUMP_INTR
    }
    return reply
  }
  return { transport: intercept(transport, around), dumps: () => dumps }
}

export const cases: readonly Case[] = [
  {
    name: 'faults: a list that others changed meanwhile is read again, and given up where they go on',
    async run({ route, transport }) {
      const twice = interrupting(transport(), 2)
      const client = await route({ transport: twice.transport })
      assert.deepEqual(
        (await client.links()).map(({ name }) => name),
        ['lo'],
      )
      assert.equal(twice.dumps(), 3)
      const always = await route({ transport: interrupting(transport(), Number.POSITIVE_INFINITY).transport })
      await refused(always.rules(), {
        problem: 'ever-changing',
        code: 'EINTR',
        operation: 'rules',
        reason: /each of the 10 times/,
      })
    },
  },
  {
    name: 'faults: where the answer is lost, it is not known what became of a change',
    needs: 'memory',
    async run({ memory, route, conntrack }) {
      const routes = await route()
      const tracked = await conntrack()
      const lost = { problem: 'reply-lost', code: 'ENOBUFS', reason: /read the state to learn what happened/ } as const
      memory.inject({ on: 'exchange', fault: 'lost-replies' })
      await refused(routes.addRoute({ destination: '10.0.0.0/8', type: 'blackhole' }), {
        ...lost,
        operation: 'addRoute',
        applied: 'unknown',
      })
      memory.inject({ on: 'exchange', fault: 'lost-replies' })
      await refused(routes.links(), { ...lost, applied: 'no' })
      assert.equal((await routes.routes({ type: 'blackhole' })).length, 1)
      memory.inject({ on: 'exchange', fault: 'lost-replies' })
      await refused(tracked.add({ original, timeout: 10 }), { ...lost, operation: 'add', applied: 'unknown' })
      memory.inject({ on: 'exchange', fault: 'lost-replies' })
      await refused(tracked.deleteMatching({ protocol: 'udp' }), { ...lost, operation: 'deleteMatching', applied: 'unknown' })
    },
  },
  {
    name: 'faults: a kernel that does not come back is waited for until the deadline',
    needs: 'memory',
    async run({ memory, route, conntrack }) {
      const routes = await route()
      const tracked = await conntrack()
      const late = { problem: 'interrupted', code: 'ERR_DEADLINE', reason: /deadline of 0\.05 s/ } as const
      const first = memory.inject({ fault: 'hang' })
      await refused(routes.addLink({ name: 'br', kind: 'bridge' }, { deadline: 0.05 }), { ...late, applied: 'unknown' })
      first.release()
      const second = memory.inject({ fault: 'hang' })
      await refused(tracked.flows({ deadline: 0.05 }).toArray(), { ...late, operation: 'flows', applied: 'no' })
      second.release()
      assert.deepEqual(await tracked.flows().toArray(), [])
    },
  },
  {
    name: "faults: answers to calls that were given up are nobody's",
    needs: 'memory',
    async run({ memory, route }) {
      const routes = await route()
      await routes.links()
      memory.inject({ on: 'exchange', fault: 'late-reply' })
      assert.equal(await routes.getLink('nowhere'), undefined)
      memory.inject({ on: 'exchange', fault: 'foreign-reply' })
      assert.equal((await routes.links()).length, 1)
    },
  },
  {
    name: 'faults: who may not change anything is told so, and may read routes, but not flows',
    needs: 'linux',
    async run({ netns, sh }) {
      const program = `
        const { route, conntrack } = await import('./build/js/lib/index.js')
        process.setgid(65534); process.setuid(65534)
        const routes = await route.open(); const tracked = await conntrack.open()
        const told = call => call.then(value => value.length ?? value, error => error.problem + ': ' + error.reason)
        console.log(JSON.stringify([
          await told(routes.links()),
          await told(routes.addLink({ name: 'br', kind: 'bridge' })),
          await told(tracked.count()),
          await told(tracked.flows().toArray()),
        ]))
        await routes.close(); await tracked.close()`
      const printed = await sh(`ip netns exec ${netns} node --input-type=module -e "${program.replaceAll('"', '\\"')}"`)
      const [links, ...refusals] = JSON.parse(printed) as [number, ...string[]]
      assert.equal(links, 1)
      assert.equal(refusals.length, 3)
      for (const refusal of refusals) assert.match(refusal, /^not-permitted: CAP_NET_ADMIN is needed: run as root/)
    },
  },
]
