/** Bad input is refused before anything is sent, with a sentence that names the field. */
import t from 'tap'
import { open, type RouteClient } from '../../lib/route/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { intercept } from '../kernel/support/intercept.js'

type Bad = (client: RouteClient) => unknown
// biome-ignore lint/suspicious/noExplicitAny: what callers of JavaScript give
const any = (value: unknown): any => value

const route = { destination: '10.0.0.0/8', device: 'lo' }
const address = { device: 'lo', address: '10.0.0.1' }
const rule = { family: 'ipv4', priority: 1, table: 100 } as const

const ROWS: readonly (readonly [string, Bad])[] = [
  // Devices.
  ['RangeError: device: "a/b": is no device\'s name: give 1 to 15 bytes without spaces, /, : and %', c => c.getLink('a/b')],
  ['RangeError: device: 0: give a whole number from 1 to 2147483647', c => c.removeLink(0)],
  ['TypeError: device: null: give the name of a device, or its index', c => c.changeLink(any(null), {})],
  ['TypeError: link: undefined: give an object', c => c.addLink(any(undefined))],
  ['TypeError: link.kind: is missing', c => c.addLink(any({ name: 'a' }))],
  ['TypeError: link.name: is missing', c => c.addLink(any({ kind: 'veth' }))],
  [
    'RangeError: link.name: "0123456789abcdef": is no device\'s name: give 1 to 15 bytes without spaces, /, : and %',
    c => c.addLink({ name: '0123456789abcdef', kind: 'bridge' }),
  ],
  [
    'RangeError: link.peer: only a veth has a peer, not a bridge: leave it out',
    c => c.addLink({ name: 'a', kind: 'bridge', peer: { name: 'b' } }),
  ],
  [
    'RangeError: link.peer.name: "": is no device\'s name: give 1 to 15 bytes without spaces, /, : and %',
    c => c.addLink({ name: 'a', kind: 'veth', peer: { name: '' } }),
  ],
  [
    'RangeError: link.address: "02:00\\n": is no hardware address: give pairs of hexadecimal digits, \'02:42:ac:11:00:02\'',
    c => c.addLink({ name: 'a', kind: 'veth', address: '02:00\n' }),
  ],
  ['RangeError: changes.mtu: 0: give a whole number from 1 to 2147483647', c => c.changeLink('lo', { mtu: 0 })],
  ['TypeError: changes.up: "yes": give true or false', c => c.changeLink('lo', { up: any('yes') })],
  ['TypeError: changes.upp: there is no such field: did you mean up?', c => c.changeLink('lo', any({ upp: true }))],
  ['TypeError: netns: give one of { path }, { name }, { pid }, { fd }', c => c.moveLink('lo', any({}))],
  // Addresses.
  ['TypeError: address.address: is missing', c => c.addAddress(any({ device: 'lo' }))],
  [
    "RangeError: address.address: \"10.0.0.1/8\": is no address: give '10.0.0.1' or '2001:db8::1', without brackets, prefix length or zone",
    c => c.addAddress({ device: 'lo', address: '10.0.0.1/8' }),
  ],
  [
    "RangeError: address.address: \"10.0.0\": is no address: give '10.0.0.1' or '2001:db8::1'",
    c => c.removeAddress({ device: 'lo', address: '10.0.0' }),
  ],
  ['TypeError: address.device: is missing', c => c.addAddress(any({ address: '10.0.0.1' }))],
  ['RangeError: address.prefixLength: 33: give a whole number from 0 to 32', c => c.addAddress({ ...address, prefixLength: 33 })],
  [
    'RangeError: address.prefixLength: 129: give a whole number from 0 to 128',
    c => c.addAddress({ device: 'lo', address: '::1', prefixLength: 129 }),
  ],
  [
    'RangeError: address.peer: "::1": is of another family than 10.0.0.1: give an IPv4 address',
    c => c.addAddress({ ...address, peer: '::1' }),
  ],
  [
    'RangeError: address.preferredLifetime: 20: is longer than validLifetime: give at most 10',
    c => c.addAddress({ ...address, validLifetime: 10, preferredLifetime: 20 }),
  ],
  [
    'RangeError: address.label: only IPv4 has that: leave it out',
    c => c.addAddress({ device: 'lo', address: '::2', label: 'lo:1' }),
  ],
  [
    'RangeError: address.scope: "wide": give one of global, site, link, host, nowhere, or a number up to 255',
    c => c.addAddress({ ...address, scope: any('wide') }),
  ],
  [
    'RangeError: address.flags[1]: "fast": give one of secondary, no-duplicate-detection, optimistic, duplicate, home, deprecated, tentative, permanent, manage-temporary, no-prefix-route, multicast-join, stable-privacy',
    c => c.addAddress({ ...address, flags: any(['home', 'fast']) }),
  ],
  ['RangeError: options.family: "ip": give one of ipv4, ipv6', c => c.addresses({ family: any('ip') })],
  // Routes.
  ['TypeError: route.destination: is missing', c => c.addRoute(any({ device: 'lo' }))],
  [
    "RangeError: route.destination: \"default\": is no network: give an address and a prefix length of at most 32, '10.0.0.0/8' or '2001:db8::/32'",
    c => c.addRoute({ destination: 'default', device: 'lo' }),
  ],
  [
    'RangeError: route.destination: "10.1.0.0/8": has bits beyond its prefix length: give 10.0.0.0/8',
    c => c.addRoute({ destination: '10.1.0.0/8', device: 'lo' }),
  ],
  [
    'TypeError: route: it leads nowhere: give a device, a gateway or nexthops, or another type',
    c => c.addRoute({ destination: '10.0.0.0/8' }),
  ],
  [
    'RangeError: route.type: "blackhol": give one of unicast, local, broadcast, anycast, multicast, blackhole, unreachable, prohibit, throw',
    c => c.addRoute({ ...route, type: any('blackhol') }),
  ],
  ['RangeError: route.table: 0: give a whole number from 1 to 4294967295', c => c.addRoute({ ...route, table: 0 })],
  [
    'RangeError: route.gateway: an IPv6 route has IPv6 gateways',
    c => c.addRoute({ destination: '2001:db8::/32', gateway: '10.0.0.1' }),
  ],
  [
    'RangeError: route.source: "::1": is of another family than 10.0.0.0: give an IPv4 address',
    c => c.addRoute({ ...route, source: '::1' }),
  ],
  ['RangeError: route.metric: -1: give a whole number from 0 to 4294967295', c => c.removeRoute({ ...route, metric: -1 })],
  ['TypeError: route.device: give it or nexthops, not both', c => c.addRoute({ ...route, nexthops: [{ gateway: '10.0.0.1' }] })],
  ['RangeError: route.nexthops: there are none: give one at least', c => c.addRoute({ destination: '10.0.0.0/8', nexthops: [] })],
  [
    'RangeError: route.nexthops[1].weight: 257: give a whole number from 1 to 256',
    c => c.addRoute({ destination: '10.0.0.0/8', nexthops: [{ gateway: '10.0.0.1' }, { gateway: '10.0.0.2', weight: 257 }] }),
  ],
  [
    'TypeError: route.gatway: there is no such field: did you mean gateway?',
    c => c.replaceRoute(any({ ...route, gatway: '10.0.0.1' })),
  ],
  ['TypeError: options.tabel: there is no such field: did you mean table?', c => c.routes(any({ tabel: 100 }))],
  // Rules.
  ["TypeError: rule.family: is missing: give 'ipv4' or 'ipv6', or from or to", c => c.addRule({ table: 100 })],
  [
    'RangeError: rule.to: 2001:db8:: is of another family: the rule is for ipv4',
    c => c.addRule({ ...rule, from: '10.0.0.0/8', to: '2001:db8::/32' }),
  ],
  ['TypeError: rule.table: is missing: the rule has to ask a table', c => c.addRule({ family: 'ipv4' })],
  [
    'TypeError: rule.goto: is missing: give the priority of the rule to go to',
    c => c.addRule({ family: 'ipv4', action: 'goto' }),
  ],
  ["TypeError: rule.goto: is for the action 'goto' alone", c => c.addRule({ ...rule, goto: 7 })],
  ['TypeError: rule.mask: is of no use without mark: give that as well', c => c.addRule({ ...rule, mask: 1 })],
  ['RangeError: rule.mark: 4294967296: give a whole number from 0 to 4294967295', c => c.addRule({ ...rule, mark: 2 ** 32 })],
  [
    'RangeError: rule.destinationPorts.to: 79: give a whole number from 80 to 65535',
    c => c.addRule({ ...rule, destinationPorts: { from: 80, to: 79 } }),
  ],
  ['TypeError: rule.priority: is missing: it says which rule', c => c.removeRule(any({ family: 'ipv4', table: 100 }))],
  // Many at once.
  ['TypeError: operations: undefined: give a list', c => c.run(any(undefined))],
  ['TypeError: operations[0].addRoute.destination: is missing', c => c.run([{ addRoute: any({}) }])],
  [
    'RangeError: operations[1].removeRule.priority: -1: give a whole number from 0 to 4294967295',
    c => c.run([{ addRoute: route }, { removeRule: { family: 'ipv4', priority: -1 } }]),
  ],
  [
    'TypeError: operations[0]: {"addRout":{}}: give an object with one of addAddress, ensureAddress, removeAddress, addRoute, replaceRoute, removeRoute, addRule, removeRule',
    c => c.run([any({ addRout: {} })]),
  ],
  // Options.
  ['RangeError: deadline: 0: give seconds, from 0.001', c => c.links({ deadline: 0 })],
  ['TypeError: options.dealine: there is no such field: did you mean deadline?', c => c.links(any({ dealine: 1 }))],
  [
    'RangeError: options.objects[0]: "links": give one of link, address, route, rule',
    async c => c.watch({ objects: any(['links']) }),
  ],
  ['RangeError: options.unread: 5: give a whole number from 65536 to 9007199254740991', async c => c.watch({ unread: 5 })],
]

t.test('each is one sentence, and nothing is sent', async t => {
  let sent = 0
  const transport = intercept(memoryKernel(), (_, go) => {
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
  await client.close()
})

t.test('an option of open that there is not', async t => {
  await t.rejects(open(any({ namespace: 'blue' })), { name: 'TypeError', message: /^options\.namespace: there is no such field/ })
  await t.rejects(open({ transport: memoryKernel(), netns: { name: 'blue' } }), {
    message: 'options: give netns or transport, not both',
  })
  await t.rejects(open({ transport: memoryKernel(), deadline: -1 }), RangeError)
})
