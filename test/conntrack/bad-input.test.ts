/** Bad input is refused before anything is sent, with a sentence that names the field. */
import t from 'tap'
import { type ConntrackClient, open, type Tuple } from '../../lib/conntrack/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { intercept } from '../kernel/support/intercept.js'

type Bad = (client: ConntrackClient) => unknown
// biome-ignore lint/suspicious/noExplicitAny: what callers of JavaScript give
const any = (value: unknown): any => value

const original: Tuple = { protocol: 'udp', source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 1, destinationPort: 2 }
const { sourcePort: _, ...portless } = original

const ROWS: readonly (readonly [string, Bad])[] = [
  ['TypeError: flow: undefined: give an object', c => c.add(any(undefined))],
  ['TypeError: flow.original: is missing', c => c.add(any({ timeout: 1 }))],
  ['TypeError: flow.timeout: is missing', c => c.add(any({ original }))],
  ['RangeError: flow.timeout: 0: give a whole number from 1 to 2147483', c => c.add({ original, timeout: 0 })],
  ['TypeError: flow.original.sourcePort: is missing', c => c.add({ original: portless, timeout: 1 })],
  [
    'RangeError: flow.original.destinationPort: 65536: give a whole number from 0 to 65535',
    c => c.add({ original: { ...original, destinationPort: 65536 }, timeout: 1 }),
  ],
  [
    'RangeError: flow.original.protocol: "upd": give one of icmp, tcp, udp, dccp, gre, icmpv6, sctp, udplite, or a number up to 255',
    c => c.add({ original: { ...original, protocol: any('upd') }, timeout: 1 }),
  ],
  [
    'RangeError: flow.original.destination: "::1": is of another family than the source 10.0.0.1',
    c => c.add({ original: { ...original, destination: '::1' }, timeout: 1 }),
  ],
  [
    'RangeError: flow.original.icmp: udp has no such part: leave it out',
    c => c.add({ original: { ...original, icmp: { type: 8, code: 0, id: 1 } }, timeout: 1 }),
  ],
  [
    'RangeError: flow.original.protocol: the addresses are of IPv4: give icmp',
    c =>
      c.add({
        original: { protocol: 'icmpv6', source: '10.0.0.1', destination: '10.0.0.2', icmp: { type: 8, code: 0, id: 1 } },
        timeout: 1,
      }),
  ],
  [
    'TypeError: flow.original.icmp.id: is missing',
    c =>
      c.add({
        original: { protocol: 'icmp', source: '10.0.0.1', destination: '10.0.0.2', icmp: any({ type: 8, code: 0 }) },
        timeout: 1,
      }),
  ],
  [
    'RangeError: flow.original.icmp.type: 3: such ICMP has no answers, and is not tracked',
    c =>
      c.add({
        original: { protocol: 'icmp', source: '10.0.0.1', destination: '10.0.0.2', icmp: { type: 3, code: 0, id: 1 } },
        timeout: 1,
      }),
  ],
  [
    'RangeError: flow.reply: is of another family',
    c => c.add({ original, reply: { ...original, source: '::1', destination: '::2' }, timeout: 1 }),
  ],
  [
    'RangeError: flow.state: is for TCP, SCTP and DCCP alone: leave it out',
    c => c.add({ original, timeout: 1, state: 'established' }),
  ],
  ['RangeError: flow.labels[0]: 128: give a whole number from 0 to 127', c => c.add({ original, timeout: 1, labels: [128] })],
  ['TypeError: flow.timout: there is no such field: did you mean timeout?', c => c.add(any({ original, timout: 1 }))],
  ['TypeError: key.original: is missing: give original or reply', c => c.delete(any({}))],
  ['TypeError: key.original: is missing: give original or reply', c => c.delete(any({ original: undefined, id: 7 }))],
  ['TypeError: key: undefined: give an object', c => c.get(any(undefined))],
  ['RangeError: key.zone: -1: give a whole number from 0 to 65535', c => c.get({ original, zone: -1 })],
  ['TypeError: change.mask: is of no use without mark', c => c.update({ original }, { mask: 1 })],
  ['TypeError: options: there is no condition, so all flows would go: give one, or use `flush`', c => c.deleteMatching({})],
  [
    'TypeError: options: there is no condition, so all flows would go: give one, or use `flush`',
    c => c.deleteMatching(any(undefined)),
  ],
  [
    'TypeError: options: there is no condition, so all flows would go: give one, or use `flush`',
    c => c.deleteMatching({ original: {} }),
  ],
  [
    'TypeError: options: there is no condition, so all flows would go: give one, or use `flush`',
    c => c.deleteMatching({ status: [] }),
  ],
  [
    'TypeError: options.portocol: there is no such field: did you mean protocol?',
    c => c.deleteMatching(any({ portocol: 'udp' })),
  ],
  ["TypeError: which: is missing: give 'all', 'ipv4' or 'ipv6'", c => c.flush(any(undefined))],
  ['RangeError: which: "everything": give one of all, ipv4, ipv6', c => c.flush(any('everything'))],
  [
    "RangeError: options.original.source: \"10.0.0.1/33\": is no network: give an address and a prefix length of at most 32, '10.0.0.0/8' or '2001:db8::/32'",
    async c => c.flows({ original: { source: '10.0.0.1/33' } }),
  ],
  [
    'RangeError: options.reply.source: ::1: is of another family than the rest: no flow has both',
    async c => c.flows({ original: { source: '10.0.0.1' }, reply: { source: '::1' } }),
  ],
  ['TypeError: options.mask: is of no use without mark: give that as well', async c => c.flows({ mask: 1 })],
  ['TypeError: options.signl: there is no such field: did you mean signal?', c => c.count(any({ signl: 1 }))],
  ['RangeError: options.events[0]: "end": give one of new, update, destroy', async c => c.watch({ events: any(['end']) })],
]

t.test('each is one sentence, nothing is sent, and nothing is changed', async t => {
  const kernel = memoryKernel()
  const other = await open({ transport: kernel })
  await other.add({ original, timeout: 100 })
  let sent = 0
  const transport = intercept(kernel, (_, go) => {
    sent++
    return go()
  })
  const client = await open({ transport })
  for (const [sentence, call] of ROWS) {
    const error = await Promise.resolve()
      .then(() => call(client))
      .then(
        () => 'it went well',
        (error: unknown) => String(error),
      )
    t.equal(error, sentence)
  }
  t.equal(sent, 0)
  t.equal((await other.count()).entries, 1)
  await client.close()
  await other.close()
})
