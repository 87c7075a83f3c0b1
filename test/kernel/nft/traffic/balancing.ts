/** Which server a packet goes to: by its port, by numbers and hashes, by a map of services, by where its client went before. */
import assert from 'node:assert/strict'
import type { Command, Element, Expression, NftSet } from '../../../../lib/nft/index.js'
import type { Case } from '../case.js'
import { address, dport, l4proto, loadAddress, loadPort, nat, natFromRegisters, nfproto, verdict } from './idioms.js'
import {
  addressOf,
  CLIENT,
  NUMBERS,
  nameOf,
  network,
  SERVER_PORT,
  SERVICE,
  type ServerNumber,
  TABLE,
  tally,
  target,
  UNROUTED,
  VERSIONS,
  type Version,
  type Written,
  type WrittenChain,
} from './network.js'

const PREROUTING = { type: 'nat', hook: 'prerouting', priority: 'dstnat' } as const
const table = { family: TABLE.family, table: TABLE.name }

const add = (set: NftSet, elements: readonly Element[]): Command[] => [{ add: { set } }, { add: { elements: { set, elements } } }]

/** Chains `server1` to `server3`, each of which leads there. */
const chainOf = (number: ServerNumber): string => `server${number}`
const toServers: Readonly<Record<string, WrittenChain>> = Object.fromEntries(
  NUMBERS.map(number => [
    chainOf(number),
    {
      rules: [
        {
          says: `meta l4proto tcp dnat ip to ${addressOf(number, 'ip')}:${SERVER_PORT}`,
          does: [...l4proto('tcp'), ...nat('dnat', 'ip', addressOf(number, 'ip'), SERVER_PORT)],
        },
      ],
    },
  ]),
)

/** A map from 0, 1, 2 to the servers' addresses and ports. */
const endpoints: NftSet = {
  ...table,
  name: '__map%d',
  id: 1,
  key: { type: 'integer', length: 4, order: 'host' },
  data: ['ipv4_addr', 'inet_service'],
  flags: ['anonymous', 'constant'],
}
const endpointElements: readonly Element[] = NUMBERS.map((number, i) => ({
  key: i,
  data: [addressOf(number, 'ip'), SERVER_PORT],
}))
const LISTED = `{ ${NUMBERS.map((number, i) => `${i} : ${addressOf(number, 'ip')} . ${SERVER_PORT}`).join(', ')} }`

/** `dnat ip to NUMBER map { … }` for connections to port 80. */
const spread = (says: string, ...number: readonly Expression[]): Written => ({
  says: `ip daddr ${SERVICE.ip} tcp dport 80 dnat ip to ${says} map ${LISTED}`,
  does: [
    ...address('ip', 'daddr', SERVICE.ip),
    ...dport('tcp', 80),
    ...number,
    { kind: 'lookup', set: endpoints.name, setId: 1, source: 1, destination: 1 },
    natFromRegisters('ip'),
  ],
})

const web = target('tcp', SERVICE.ip, 80)

/** The map that a service proxy dispatches with: address, protocol and port of a service to those of an endpoint. */
const services = (version: Version): NftSet => ({
  ...table,
  name: `services_${version}`,
  key: [version === 'ip' ? 'ipv4_addr' : 'ipv6_addr', 'inet_proto', 'inet_service'],
  data: [version === 'ip' ? 'ipv4_addr' : 'ipv6_addr', 'inet_service'],
})

const dispatch = (version: Version): Written => ({
  says: `dnat ${version} to ${version} daddr . meta l4proto . th dport map @services_${version}`,
  does: [
    ...nfproto(version),
    loadAddress(version, 'daddr'),
    { kind: 'meta', key: 'l4proto', destination: version === 'ip' ? 9 : 2 },
    loadPort(version === 'ip' ? 10 : 13),
    { kind: 'lookup', set: `services_${version}`, source: 1, destination: 1 },
    natFromRegisters(version),
  ],
})

const service = (version: Version, protocol: string, port: number, number: ServerNumber): Element => ({
  key: [SERVICE[version], protocol, port],
  data: [addressOf(number, version), SERVER_PORT],
})

export const cases: readonly Case[] = [
  {
    name: 'a verdict map dispatches connections by their port',
    needs: 'linux',
    async run(context) {
      const { write, ask, attempt } = await network(context)
      const map: NftSet = { ...table, name: 'ports', key: 'inet_service', data: 'verdict' }
      const elements = NUMBERS.map(number => ({ key: 79 + number, data: { verdict: 'goto', chain: chainOf(number) } as const }))
      const rule: Written = {
        says: 'tcp dport vmap @ports',
        does: [...l4proto('tcp'), loadPort(), { kind: 'lookup', set: 'ports', source: 1, destination: 0 }],
      }
      const nf = await write({ ...toServers, in: { ...PREROUTING, rules: [rule] } }, add(map, elements))
      for (const number of NUMBERS)
        assert.deepEqual(tally(await ask(target('tcp', SERVICE.ip, 79 + number))), { [nameOf(number)]: 1 })
      assert.equal(await attempt(target('tcp', SERVICE.ip, 83)), UNROUTED, 'a port that is not in the map')
      await nf.commit([
        { delete: { elements: { set: map, elements: elements.slice(0, 1) } } },
        { add: { elements: { set: map, elements: [{ key: 80, data: { verdict: 'goto', chain: chainOf(3) } }] } } },
      ])
      assert.deepEqual(tally(await ask(target('tcp', SERVICE.ip, 80))), { [nameOf(3)]: 1 }, 'its element was replaced')
    },
  },
  {
    name: 'numgen inc gives each server its turn',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const rule = spread('numgen inc mod 3', { kind: 'numgen', type: 'inc', modulus: 3, destination: 1 })
      await write({ in: { ...PREROUTING, rules: [rule] } }, add(endpoints, endpointElements))
      const answers = await ask(web, 9)
      assert.deepEqual(tally(answers), { 'server 1': 3, 'server 2': 3, 'server 3': 3 })
      const [first, second, third] = answers.map(({ server }) => server)
      assert.deepEqual(
        answers.map(({ server }) => server),
        [1, 2, 3].flatMap(() => [first, second, third]),
      )
    },
  },
  {
    name: 'numgen random spreads connections over all servers',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const rule = spread('numgen random mod 3', { kind: 'numgen', type: 'random', modulus: 3, destination: 1 })
      await write({ in: { ...PREROUTING, rules: [rule] } }, add(endpoints, endpointElements))
      const counts = tally(await ask(web, 90))
      for (const number of NUMBERS) {
        const count = counts[nameOf(number)] ?? 0
        assert.ok(
          count > 8 && count < 65,
          `30 of 90 are to be expected (less than 9: once in 10 million runs): ${JSON.stringify(counts)}`,
        )
      }
    },
  },
  {
    name: 'jhash of the source sends a client to the same server each time, and all clients to all servers',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const rule = spread('jhash ip saddr mod 3 seed 0x7', loadAddress('ip', 'saddr', 2), {
        kind: 'hash',
        type: 'jenkins',
        source: 2,
        length: 4,
        seed: 7,
        modulus: 3,
        destination: 1,
      })
      await write({ in: { ...PREROUTING, rules: [rule] } }, add(endpoints, endpointElements))
      const counts: Record<string, number> = {}
      for (let last = 1; last <= 60; last++) {
        const [first, second] = await ask({ ...web, from: `192.0.2.${last}` }, 2)
        assert.equal(first?.server, second?.server)
        counts[first?.server ?? ''] = (counts[first?.server ?? ''] ?? 0) + 1
      }
      for (const number of NUMBERS)
        assert.ok((counts[nameOf(number)] ?? 0) > 9, `20 of 60 would be even: ${JSON.stringify(counts)}`)
    },
  },
  {
    name: 'symhash spreads flows over all servers',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const rule = spread('symhash mod 3', { kind: 'hash', type: 'symmetric', modulus: 3, destination: 1 })
      await write({ in: { ...PREROUTING, rules: [rule] } }, add(endpoints, endpointElements))
      const counts = tally(await ask(web, 90))
      for (const number of NUMBERS)
        assert.ok((counts[nameOf(number)] ?? 0) > 8, `30 of 90 are to be expected: ${JSON.stringify(counts)}`)
    },
  },
  {
    name: 'a map from address, protocol and port to address and port is a proxy: elements come, change and go',
    needs: 'linux',
    async run(context) {
      const { write, ask, attempt } = await network(context)
      const all = (version: Version): Element[] => [
        service(version, 'tcp', 80, 1),
        service(version, 'udp', 80, 2),
        service(version, 'tcp', 443, 3),
      ]
      const nf = await write(
        { in: { ...PREROUTING, rules: VERSIONS.map(dispatch) } },
        VERSIONS.flatMap(version => add(services(version), all(version))),
      )
      for (const version of VERSIONS) {
        const at = (protocol: 'tcp' | 'udp', port: number) => target(protocol, SERVICE[version], port)
        assert.deepEqual(await ask(at('tcp', 80)), [{ server: nameOf(1), to: addressOf(1, version), from: CLIENT[version] }])
        assert.deepEqual(tally(await ask(at('udp', 80))), { 'server 2': 1 })
        assert.deepEqual(tally(await ask(at('tcp', 443))), { 'server 3': 1 })
        assert.equal(await attempt(at('tcp', 8443)), UNROUTED, 'no such service')
        const set = services(version)
        await nf.commit([
          { delete: { elements: { set, elements: [service(version, 'tcp', 80, 1)] } } },
          { add: { elements: { set, elements: [service(version, 'tcp', 80, 2), service(version, 'tcp', 8443, 1)] } } },
        ])
        assert.deepEqual(tally(await ask(at('tcp', 80))), { 'server 2': 1 }, 'another endpoint')
        assert.deepEqual(tally(await ask(at('tcp', 8443))), { 'server 1': 1 }, 'one more service')
        await nf.commit([{ flush: { set } }])
        assert.equal(await attempt(at('tcp', 80)), UNROUTED, 'none any more')
      }
    },
  },
  {
    name: 'clients come back to the server that they had, as long as a set remembers them',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const remembered = (number: ServerNumber): NftSet => ({
        ...table,
        name: `clients${number}`,
        key: 'ipv4_addr',
        size: 65535,
        flags: ['dynamic', 'timeout'],
        timeout: 3600,
      })
      const learn = (number: ServerNumber): Written => ({
        says: `update @clients${number} { ip saddr }`,
        does: [
          ...nfproto('ip'),
          loadAddress('ip', 'saddr'),
          { kind: 'dynset', set: `clients${number}`, operation: 'update', key: 1 },
        ],
      })
      const known = (number: ServerNumber): Written => ({
        says: `ip saddr @clients${number} goto ${chainOf(number)}`,
        does: [
          ...nfproto('ip'),
          loadAddress('ip', 'saddr'),
          { kind: 'lookup', set: `clients${number}`, source: 1 },
          verdict('goto', chainOf(number)),
        ],
      })
      const turns: NftSet = { ...endpoints, data: 'verdict' }
      const next: Written = {
        says: `numgen inc mod 3 vmap { ${NUMBERS.map((number, i) => `${i} : goto ${chainOf(number)}`).join(', ')} }`,
        does: [
          { kind: 'numgen', type: 'inc', modulus: 3, destination: 1 },
          { kind: 'lookup', set: turns.name, setId: 1, source: 1, destination: 0 },
        ],
      }
      const learning = Object.fromEntries(
        NUMBERS.map(number => [chainOf(number), { rules: [learn(number), ...(toServers[chainOf(number)]?.rules ?? [])] }]),
      )
      await write({ ...learning, in: { ...PREROUTING, rules: [...NUMBERS.map(known), next] } }, [
        ...NUMBERS.map((number): Command => ({ add: { set: remembered(number) } })),
        ...add(
          turns,
          NUMBERS.map((number, i) => ({ key: i, data: { verdict: 'goto', chain: chainOf(number) } })),
        ),
      ])
      const servers = new Set<string | undefined>()
      for (const last of [1, 2, 3]) {
        const answers = await ask({ ...web, from: `192.0.2.${last}` }, 4)
        assert.equal(new Set(answers.map(({ server }) => server)).size, 1, `192.0.2.${last} has one server`)
        servers.add(answers[0]?.server)
      }
      assert.equal(servers.size, 3, 'and each of three clients another one')
      assert.match(await context.inside('nft list set inet web clients1'), /192\.0\.2\.\d+ .*expires 59m/)
    },
  },
]
