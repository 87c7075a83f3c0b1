/** Addresses and ports that the router translates, as both ends see them. */
import assert from 'node:assert/strict'
import type { Case } from '../case.js'
import { address, dport, nat, nfproto, port } from './idioms.js'
import {
  addressOf,
  CLIENT,
  CLIENT_NAMESPACE,
  nameOf,
  namespaceOf,
  network,
  POOL,
  ROUTER,
  SERVER_PORT,
  SERVICE,
  target,
  VERSIONS,
  type Version,
  type Written,
} from './network.js'

const PROTOCOLS = ['tcp', 'udp'] as const
const PREROUTING = { type: 'nat', hook: 'prerouting', priority: 'dstnat' } as const
const POSTROUTING = { type: 'nat', hook: 'postrouting', priority: 'srcnat' } as const

/** An address with a port, as nft prints it. */
const endpoint = (version: Version, where: string, number: number): string =>
  version === 'ip' ? `${where}:${number}` : `[${where}]:${number}`

const toServer = (version: Version, protocol: 'tcp' | 'udp'): Written => ({
  says: `${version} daddr ${SERVICE[version]} ${protocol} dport 80 dnat ${version} to ${endpoint(version, addressOf(1, version), SERVER_PORT)}`,
  does: [
    ...address(version, 'daddr', SERVICE[version]),
    ...dport(protocol, 80),
    ...nat('dnat', version, addressOf(1, version), SERVER_PORT),
  ],
})

const snat = (version: Version): Written => ({
  says: `${version} saddr ${CLIENT[version]} snat ${version} to ${POOL[version]}`,
  does: [...address(version, 'saddr', CLIENT[version]), ...nat('snat', version, POOL[version])],
})

const redirect = (protocol: 'tcp' | 'udp'): Written => ({
  says: `${protocol} dport 80 redirect to :${SERVER_PORT}`,
  does: [
    ...dport(protocol, 80),
    { kind: 'immediate', destination: 1, data: port(SERVER_PORT) },
    { kind: 'redir', portMin: 1, flags: ['proto-specified'] },
  ],
})

/** What stands behind DNAT, and where the server then sees the client. */
const sources: readonly [words: string, rule: (version: Version) => Written | undefined, from: (version: Version) => string][] = [
  ['the server sees the client', () => undefined, version => CLIENT[version]],
  ['with SNAT the server sees the address given', snat, version => POOL[version]],
  [
    'with masquerade the server sees the router',
    () => ({ says: 'masquerade', does: [{ kind: 'masq' }] }),
    version => ROUTER(1)[version],
  ],
]

export const cases: readonly Case[] = [
  ...sources.map(
    ([words, rule, from]): Case => ({
      name: `DNAT translates address and port of tcp and udp, there and back; ${words}`,
      needs: 'linux',
      async run(context) {
        const { write, ask } = await network(context)
        await write({
          in: { ...PREROUTING, rules: VERSIONS.flatMap(version => PROTOCOLS.map(protocol => toServer(version, protocol))) },
          out: { ...POSTROUTING, rules: [...new Set(VERSIONS.map(rule))].filter(it => it !== undefined) },
        })
        for (const version of VERSIONS) {
          const expected = { server: nameOf(1), to: addressOf(1, version), from: from(version) }
          for (const protocol of PROTOCOLS)
            assert.deepEqual(await ask(target(protocol, SERVICE[version], 80), 2), [expected, expected])
        }
      },
    }),
  ),
  {
    name: 'DNAT without a port leaves the port as it is',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const rule = (version: Version): Written => ({
        says: `${version} daddr ${SERVICE[version]} dnat ${version} to ${addressOf(2, version)}`,
        does: [...address(version, 'daddr', SERVICE[version]), ...nat('dnat', version, addressOf(2, version))],
      })
      await write({ in: { ...PREROUTING, rules: VERSIONS.map(rule) } })
      for (const version of VERSIONS) {
        const [answer] = await ask(target('tcp', SERVICE[version], SERVER_PORT))
        assert.deepEqual(answer, { server: nameOf(2), to: addressOf(2, version), from: CLIENT[version] })
      }
    },
  },
  {
    name: 'SNAT of a prefix keeps the part of the host',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const rule: Written = {
        says: 'snat ip prefix to ip saddr map { 192.0.2.0/24 : 198.51.100.0/24 }',
        does: [
          ...nfproto('ip'),
          { kind: 'payload', base: 'network', offset: 12, length: 4, destination: 1 },
          { kind: 'lookup', set: '__map%d', setId: 1, source: 1, destination: 1 },
          { kind: 'nat', type: 'snat', family: 'ip', addressMin: 1, addressMax: 9, flags: ['netmap'] },
        ],
      }
      const set = {
        family: 'inet',
        table: 'web',
        name: '__map%d',
        id: 1,
        key: 'ipv4_addr',
        data: 'ipv4_addr',
        dataInterval: true,
        flags: ['anonymous', 'constant', 'interval'],
      } as const
      const elements = [{ key: '192.0.2.0/24', data: '198.51.100.0/24' }]
      await write({ out: { ...POSTROUTING, rules: [rule] } }, [{ add: { set } }, { add: { elements: { set, elements } } }])
      for (const last of [57, 254]) {
        const [answer] = await ask(target('udp', addressOf(3, 'ip'), SERVER_PORT, `192.0.2.${last}`))
        assert.equal(answer?.from, `198.51.100.${last}`)
      }
    },
  },
  {
    name: 'redirect brings packets to the machine that they pass',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      await write({ in: { ...PREROUTING, rules: PROTOCOLS.map(redirect) } }, [], namespaceOf(1))
      for (const protocol of PROTOCOLS)
        assert.deepEqual(await ask(target(protocol, addressOf(1, 'ip'), 80)), [
          { server: nameOf(1), to: addressOf(1, 'ip'), from: CLIENT.ip },
        ])
    },
  },
  {
    name: 'redirect of what is sent brings it back to the sender',
    needs: 'linux',
    async run(context) {
      const { write, ask } = await network(context)
      const sent = { type: 'nat', hook: 'output', priority: -100, rules: PROTOCOLS.map(redirect) } as const
      await write({ sent }, [], CLIENT_NAMESPACE)
      for (const protocol of PROTOCOLS)
        for (const version of VERSIONS) {
          const [answer] = await ask(target(protocol, addressOf(2, version), 80))
          assert.deepEqual([answer?.server, answer?.to], ['client', version === 'ip' ? '127.0.0.1' : '::1'])
        }
    },
  },
]
