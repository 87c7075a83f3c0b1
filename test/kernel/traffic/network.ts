/**
 * The network of the suite:
 *
 *     client ── front ── director ── back ── three real servers
 *                 └──────────────────────────────┘
 *
 * Front and back are bridges. Real servers answer over the back, through the director, with an address of their own (NAT), and straight
 * over the front with the virtual address (tunnels, direct routing). Client and real servers are made once and vanish with the machine; the
 * director is the namespace of the case, so that its tables and counters are empty.
 */
import type { Family, Forwarding, IpvsClient, RealServerConfig } from '../../../lib/ipvs/index.js'
import type { LinuxContext } from '../support/case.js'
import { eventually } from '../support/expect.js'
import type { Answer, Orders, Target } from './peer.js'
import { startPeer } from './remote.js'

export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6']

/** The virtual address: at the director, and on lo of the real servers. */
export const VIRTUAL: Readonly<Record<Family, string>> = { ipv4: '192.0.2.1', ipv6: '2001:db8:1::1' }

/** Addresses of the client: two neighbours and one further off. */
export const CLIENT: Readonly<Record<Family, readonly [string, string, string]>> = {
  ipv4: ['192.0.2.20', '192.0.2.21', '192.0.2.200'],
  ipv6: ['2001:db8:1::20', '2001:db8:1::21', '2001:db8:1::a20'],
}

/** Where the real servers listen. */
export const SERVER_PORT = 8000
/** Where they listen for tunnels over UDP. */
export const GUE_PORT = 6080

export type ServerNumber = 1 | 2 | 3
/** The real server that takes GRE with checksums only; the others take it without. */
export const CHECKSUMS: ServerNumber = 3
export const NUMBERS: readonly ServerNumber[] = [1, 2, 3]

/** Name of a real server, which it answers with. */
export const nameOf = (number: ServerNumber): string => `server ${number}`
export const addressOf = (number: ServerNumber, family: Family): string =>
  family === 'ipv4' ? `10.1.0.${number}` : `2001:db8:2::${number}`
export const namespaceOf = (number: ServerNumber): string => `traffic-server-${number}`

const SWITCH = 'traffic-switch'
export const CLIENT_NAMESPACE = 'traffic-client'
const MODULES = 'ip_vs bridge veth ipip ip6_tunnel sit fou fou6 ip_gre ip6_gre'

/** `ip -batch` in a namespace. */
const batch = (netns: string, lines: readonly string[], options = ''): string =>
  `ip ${options} -n ${netns} -batch - <<'END'\n${lines.join('\n')}\nEND`

/** A cable from an interface of a namespace to a bridge. */
const cable = (port: string, bridge: string, netns: string, name: string, address = ''): string[] => [
  `link add ${port} type veth peer name ${name} ${address} netns ${netns}`,
  `link set ${port} master ${bridge} up`,
]

const sysctls = (netns: string, settings: Readonly<Record<string, number>>): string => {
  const writes = Object.entries(settings).map(([path, value]) => `echo ${value} >/proc/sys/net/${path}`)
  return `ip netns exec ${netns} sh -ec '${writes.join('; ')}'`
}

const makeClient: readonly string[] = [
  batch(SWITCH, cable('client', 'front', CLIENT_NAMESPACE, 'eth0')),
  batch(CLIENT_NAMESPACE, [
    'link set lo up',
    'link set eth0 up',
    ...CLIENT.ipv4.map(address => `address add ${address}/24 dev eth0`),
    ...CLIENT.ipv6.map(address => `address add ${address}/64 dev eth0 nodad`),
  ]),
]

/** A real server decapsulates whatever tunnel leads to it, and never says on the wire that it has the virtual address. */
function makeServer(number: ServerNumber): readonly string[] {
  const netns = namespaceOf(number)
  const [v4, v6] = [addressOf(number, 'ipv4'), addressOf(number, 'ipv6')]
  return [
    batch(SWITCH, [...cable(`back-${number}`, 'back', netns, 'eth0'), ...cable(`front-${number}`, 'front', netns, 'eth1')]),
    sysctls(netns, { 'ipv4/conf/all/arp_ignore': 1, 'ipv4/conf/all/arp_announce': 2 }),
    batch(netns, [
      'link set lo up',
      ...['eth0', 'eth1'].map(name => `link set ${name} up`),
      `address add ${VIRTUAL.ipv4}/32 dev lo`,
      `address add ${VIRTUAL.ipv6}/128 dev lo nodad`,
      `address add ${v4}/24 dev eth0`,
      `address add ${v6}/64 dev eth0 nodad`,
      `address add 192.0.2.10${number}/24 dev eth1`,
      `address add 2001:db8:1::10${number}/64 dev eth1 nodad`,
      `link add ipip4 type ipip local ${v4} remote any`,
      `link add sit4 type sit local ${v4} remote any`,
      `link add tunnel6 type ip6tnl mode any local ${v6} remote any`,
      `link add gre4 type gre ${number === CHECKSUMS ? 'icsum' : ''} local ${v4} remote any`,
      `link add gre6 type ip6gre local ${v6} remote any`,
      ...['ipip4', 'sit4', 'tunnel6', 'gre4', 'gre6'].map(name => `link set ${name} up`),
      `fou add port ${GUE_PORT} gue`,
      'route add default via 10.1.0.254 table 1',
      `rule add from ${v4} lookup 1`,
    ]),
    batch(
      netns,
      [`fou add port ${GUE_PORT} gue`, 'route add default via 2001:db8:2::254 table 1', `rule add from ${v6} lookup 1`],
      '-6',
    ),
  ]
}

interface Ends {
  readonly client: Orders
  readonly servers: readonly Orders[]
}

let ends: Promise<Ends> | undefined

async function makeEnds({ sh }: LinuxContext): Promise<Ends> {
  await sh(`modprobe -a ${MODULES}; echo 2 >/proc/sys/net/core/fb_tunnels_only_for_init_net`) // none in each new namespace
  const namespaces = [SWITCH, CLIENT_NAMESPACE, ...NUMBERS.map(namespaceOf)]
  await sh(
    [
      'set -e',
      ...namespaces.map(name => `ip netns add ${name}`),
      batch(SWITCH, [
        ...['front', 'back'].map(name => `link add ${name} type bridge mcast_snooping 0`),
        ...['front', 'back'].map(name => `link set ${name} up`),
      ]),
      ...makeClient,
      ...NUMBERS.flatMap(makeServer),
    ].join('\n'),
  )
  const servers = NUMBERS.map(number => startPeer(namespaceOf(number)))
  const client = startPeer(CLIENT_NAMESPACE)
  await Promise.all(
    NUMBERS.map((number, i) => {
      const addresses = [...Object.values(VIRTUAL), ...FAMILIES.map(family => addressOf(number, family))]
      return servers[i]?.serve(nameOf(number), addresses, SERVER_PORT)
    }),
  )
  return { client, servers }
}

export interface Network {
  readonly client: Orders
  /** A client of the director's IPVS. */
  readonly lvs: IpvsClient
}

/** Makes the namespace of the case the director. */
export async function network(context: LinuxContext): Promise<Network> {
  ends ??= makeEnds(context)
  const { client } = await ends
  const { netns, sh } = context
  const cables = [
    ...cable('d-front', 'front', netns, 'eth0', 'address 02:00:00:00:00:01'), // the same as before: neighbours know it
    ...cable('d-back', 'back', netns, 'eth1', 'address 02:00:00:00:00:02'),
  ]
  context.after(() => sh(batch(SWITCH, ['link delete d-front', 'link delete d-back'])))
  await sh(
    [
      'set -e',
      batch(SWITCH, cables),
      batch(netns, [
        'link set eth0 up',
        'link set eth1 up',
        `address add ${VIRTUAL.ipv4}/24 dev eth0`,
        `address add ${VIRTUAL.ipv6}/64 dev eth0 nodad`,
        'address add 10.1.0.254/24 dev eth1',
        'address add 2001:db8:2::254/64 dev eth1 nodad',
      ]),
      sysctls(netns, { 'ipv4/ip_forward': 1, 'ipv6/conf/all/forwarding': 1 }),
    ].join('\n'),
  )
  const states = `ip netns exec ${SWITCH} cat /sys/class/net/d-front/brport/state /sys/class/net/d-back/brport/state`
  await eventually('the bridges forward to the director', async () => (await sh(states)) === '3\n3\n')
  return { client, lvs: await context.open() }
}

/** A real server as it is written. */
export function realServer(
  number: ServerNumber,
  family: Family,
  forwarding: Forwarding,
  rest: Partial<RealServerConfig> = {},
): RealServerConfig {
  return { address: addressOf(number, family), port: SERVER_PORT, forwarding, ...rest }
}

/** How many answers each real server gave. */
export function tally(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { server } of answers) counts[server] = (counts[server] ?? 0) + 1
  return counts
}

export const target = (protocol: Target['protocol'], family: Family, port: number): Target => ({
  protocol,
  address: VIRTUAL[family],
  port,
})
