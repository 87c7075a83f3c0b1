/** How packets reach a real server, and their answers the client. */
import assert from 'node:assert/strict'
import type { Family, Forwarding, Tunnel } from '../../../lib/ipvs/index.js'
import type { Case, LinuxContext } from '../support/case.js'
import {
  addressOf,
  CHECKSUMS,
  CLIENT,
  FAMILIES,
  GUE_PORT,
  nameOf,
  namespaceOf,
  network,
  realServer,
  SERVER_PORT,
  type ServerNumber,
  target,
  VIRTUAL,
} from './network.js'

const PROTOCOLS = ['tcp', 'udp'] as const

/** Words, forwarding, virtual port, and the address that the real server sees the question come to. */
const methods: readonly [words: string, forwarding: Forwarding, port: number, seenAt: (family: Family) => string][] = [
  ['NAT translates address and port, there and back', 'masquerade', 80, family => addressOf(1, family)],
  ['direct routing delivers the packet as it is', 'direct-route', SERVER_PORT, family => VIRTUAL[family]],
]

/** Tunnels: what is in them, what they are laid over, and the interface of the real server where they end. */
const tunnels: readonly [words: string, tunnel: Tunnel, inner: Family, outer: Family, device: string][] = [
  ['IPv4 in IPv4 (ipip)', { type: 'ipip' }, 'ipv4', 'ipv4', 'ipip4'],
  ['IPv6 in IPv6 (ip6_tunnel)', { type: 'ipip' }, 'ipv6', 'ipv6', 'tunnel6'],
  ['IPv6 in IPv4 (sit)', { type: 'ipip' }, 'ipv6', 'ipv4', 'sit4'],
  ['IPv4 in IPv6 (ip6_tunnel)', { type: 'ipip' }, 'ipv4', 'ipv6', 'tunnel6'],
  ['IPv4 in GRE (ip_gre)', { type: 'gre' }, 'ipv4', 'ipv4', 'gre4'],
  ['IPv4 in GRE with checksums (ip_gre)', { type: 'gre', checksum: 'checksum' }, 'ipv4', 'ipv4', 'gre4'],
  ['IPv6 in GRE over IPv6 (ip6_gre)', { type: 'gre' }, 'ipv6', 'ipv6', 'gre6'],
  ['IPv4 in GUE (fou)', { type: 'gue', port: GUE_PORT }, 'ipv4', 'ipv4', 'ipip4'],
  ['IPv4 in GUE with checksums (fou)', { type: 'gue', port: GUE_PORT, checksum: 'checksum' }, 'ipv4', 'ipv4', 'ipip4'],
  [
    'IPv4 in GUE with remote checksums (fou)',
    { type: 'gue', port: GUE_PORT, checksum: 'remote-checksum' },
    'ipv4',
    'ipv4',
    'ipip4',
  ],
  ['IPv6 in GUE over IPv6 (fou6)', { type: 'gue', port: GUE_PORT }, 'ipv6', 'ipv6', 'tunnel6'],
]

/** Packets that an interface of a real server has received. */
async function received({ sh }: LinuxContext, number: ServerNumber, device: string): Promise<number> {
  return Number(await sh(`ip netns exec ${namespaceOf(number)} cat /sys/class/net/${device}/statistics/rx_packets`))
}

export const cases: readonly Case[] = [
  ...methods.flatMap(([words, forwarding, port, seenAt]) =>
    FAMILIES.map(
      (family): Case => ({
        name: `${words}: tcp and udp over ${family}`,
        needs: 'linux',
        async run(context) {
          const { client, lvs } = await network(context)
          const from = CLIENT[family][0]
          const expected = { server: nameOf(1), to: seenAt(family), from }
          for (const protocol of PROTOCOLS) {
            const web = target(protocol, family, port)
            await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
            await lvs.addRealServer(web, realServer(1, family, forwarding))
            assert.deepEqual(await client.ask({ ...web, from }, 2), [expected, expected])
          }
        },
      }),
    ),
  ),
  ...tunnels.map(
    ([words, tunnel, inner, outer, device]): Case => ({
      name: `a tunnel carries ${words}: tcp and udp`,
      needs: 'linux',
      async run(context) {
        const { client, lvs } = await network(context)
        const number = tunnel.type === 'gre' && tunnel.checksum === 'checksum' ? CHECKSUMS : 1
        const from = CLIENT[inner][0]
        const expected = { server: nameOf(number), to: VIRTUAL[inner], from }
        const before = await received(context, number, device)
        for (const protocol of PROTOCOLS) {
          const web = target(protocol, inner, SERVER_PORT)
          await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
          await lvs.addRealServer(web, realServer(number, outer, 'tunnel', { tunnel }))
          assert.deepEqual(await client.ask({ ...web, from }, 2), [expected, expected])
        }
        const packets = (await received(context, number, device)) - before
        assert.ok(packets >= 2 * 3 + 2, `${device} has received ${packets} packets`)
      },
    }),
  ),
]
