import t from 'tap'
import type { ConntrackClient } from '../../lib/conntrack/index.js'
import { StaleFlows } from '../../lib/proxy/stale.js'
import type { Frontend, Protocol } from '../../lib/service/index.js'

/** A frontend with endpoints on these addresses. */
function frontend(endpoints: readonly string[], protocol: Protocol = 'udp'): Frontend {
  const answer = {
    verdict: 'accept',
    masquerade: false,
    endpoints: endpoints.map(address => ({ address, port: 53, local: false, ready: true, serving: true, terminating: false })),
  } as const
  const answers = { pod: answer, node: answer, remote: answer }
  return {
    service: 'default/dns',
    portName: '',
    kind: 'cluster-ip',
    family: 'ipv4',
    protocol,
    address: '10.96.0.10',
    port: 53,
    answers,
  }
}

/** Endpoints of one address and port, step by step: how many of the flows to a, b, c and d are deleted. */
async function deleted(
  steps: readonly { has: string; serves: string; gone?: boolean; failed?: boolean }[],
  protocol?: Protocol,
): Promise<number[]> {
  const stale = new StaleFlows()
  const found: number[] = []
  let before: Frontend | undefined
  for (const { has, serves, gone, failed } of steps) {
    const after = gone ? undefined : frontend([...has], protocol)
    const changed = JSON.stringify(before) !== JSON.stringify(after)
    const isServing = (_: Frontend, endpoint: string): boolean => serves.includes(endpoint[0] as string)
    stale.changed(changed ? [{ key: '', before, after }] : [], () => ['10.96.0.10'], isServing)
    const client = {
      async *flows() {
        for (const source of 'abcd')
          for (const destination of ['10.96.0.10', '10.96.0.11'])
            yield { original: { destination, destinationPort: 53 }, reply: { source, sourcePort: 53 } }
      },
      delete: async () => true,
    } as unknown as ConntrackClient
    before = after
    if (failed) continue
    found.push(await stale.delete(client, 'ipv4', isServing))
    stale.settled()
  }
  return found
}

t.test('nobody knows what flows were left before the start, or before the first endpoint came', async t => {
  const none = { has: '', serves: '' }
  t.same(await deleted([{ has: 'ab', serves: 'ab' }]), [2], 'endpoints went while no proxy ran')
  t.same(await deleted([{ has: 'ab', serves: 'abc' }]), [1], 'one that terminates serves still')
  t.same(await deleted([none]), [0], 'without endpoints there is nowhere to go to, and new packets are refused')
  t.same(await deleted([none, { has: 'a', serves: 'a' }]), [0, 3])
  t.same(await deleted([{ has: 'a', serves: 'a' }, { has: 'b', serves: 'b' }, none, { has: 'a', serves: 'a' }]), [3, 3, 4, 3])
  t.same(
    await deleted([
      { has: 'ab', serves: 'ab', failed: true },
      { has: 'bc', serves: 'bc' },
    ]),
    [2],
    'the first sync failed',
  )
  t.same(await deleted([{ has: 'ab', serves: 'ab' }], 'tcp'), [0])
})

t.test('flows go on as long as their endpoint serves, and not longer', async t => {
  const start = { has: 'abcd', serves: 'abcd' }
  t.same(await deleted([start, { has: 'abc', serves: 'abc' }]), [0, 1], 'one is gone at once')
  t.same(await deleted([start, { has: 'abc', serves: 'abcd' }]), [0, 0], 'one terminates, and serves')
  t.same(await deleted([start, { has: 'abc', serves: 'abcd' }, { has: 'abc', serves: 'abc' }]), [0, 0, 1], 'then it is gone')
  t.same(await deleted([start, { has: 'abc', serves: 'abcd' }, { has: 'bc', serves: 'bc' }]), [0, 0, 2], 'another one with it')
  t.same(
    await deleted([start, { has: 'abc', serves: 'abcd' }, start, { has: 'abcd', serves: 'abcd' }]),
    [0, 0, 0, 0],
    'it is back',
  )
  t.same(await deleted([start, { has: '', serves: 'abcd', gone: true }]), [0, 4], 'the Service is gone')
  t.same(await deleted([start, { has: 'abc', serves: 'abc' }], 'tcp'), [0, 0], 'connections are not cut')
})
