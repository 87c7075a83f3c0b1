/**
 * The network of the cases with packets:
 *
 *     client ── router ── three servers
 *
 * Client and servers are made once and vanish with the machine; their addresses stand on lo. The router is the namespace of the case, and
 * so are its cables: each case has tables, counters and known connections of its own. Nobody has the address of the service.
 */
import assert from 'node:assert/strict'
import type { BaseChain, Chain, Command, Expression, Family, NftClient } from '../../../../lib/nft/index.js'
import { open } from '../../../../lib/nft/index.js'
import type { Answer, Orders, Target } from '../../traffic/peer.js'
import { startPeer } from '../../traffic/remote.js'
import type { LinuxContext } from '../case.js'

export type Version = 'ip' | 'ip6'
export const VERSIONS: readonly Version[] = ['ip', 'ip6']
export type ServerNumber = 1 | 2 | 3
export const NUMBERS: readonly ServerNumber[] = [1, 2, 3]

export const SERVICE: Readonly<Record<Version, string>> = { ip: '198.51.100.1', ip6: '2001:db8:5::1' }
/** What packets are said to come from: in the router's hands only. */
export const POOL: Readonly<Record<Version, string>> = { ip: '198.51.100.9', ip6: '2001:db8:5::9' }
/** The client asks from here, unless told otherwise: all of 192.0.2.0/24 is its own, and 2001:db8:1::20 to 22. */
export const CLIENT: Readonly<Record<Version, string>> = { ip: '192.0.2.20', ip6: '2001:db8:1::20' }
/** The router's addresses on the cable of a server. */
export const ROUTER = (number: ServerNumber): Readonly<Record<Version, string>> => ({
  ip: `10.1.${number}.254`,
  ip6: `2001:db8:2:${number}::fe`,
})
export const addressOf = (number: ServerNumber, version: Version): string =>
  version === 'ip' ? `10.1.${number}.1` : `2001:db8:2:${number}::1`
export const nameOf = (number: ServerNumber): string => `server ${number}`
/** Where the servers listen. */
export const SERVER_PORT = 8000

export const CLIENT_NAMESPACE = 'nft-client'
export const namespaceOf = (number: ServerNumber): string => `nft-server-${number}`

/** What comes of a packet to the service that no rule translates: the router knows no way there. */
export const UNROUTED = 'ENETUNREACH'

/** Milliseconds of silence that count as an answer that never comes. On a busy machine one that comes takes half a second. */
export const SILENCE = 2500

interface Ends {
  readonly client: Orders
  readonly servers: Readonly<Record<ServerNumber, Orders>>
}

let ends: Promise<Ends> | undefined

const batch = (netns: string, lines: readonly string[]): string => `ip -n ${netns} -batch - <<'END'\n${lines.join('\n')}\nEND`

async function makeEnds({ sh }: LinuxContext): Promise<Ends> {
  const make = (netns: string, addresses: readonly string[]): string =>
    [
      `ip netns add ${netns}`,
      `ip netns exec ${netns} sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'`,
      batch(netns, ['link set lo up', ...addresses.map(address => `address add ${address} dev lo`)]),
    ].join('\n')
  const own = (number: ServerNumber): string[] => VERSIONS.map(version => addressOf(number, version))
  await sh(
    [
      'set -e',
      make(CLIENT_NAMESPACE, ['192.0.2.0/24', ...[0, 1, 2].map(i => `2001:db8:1::2${i} nodad`)]),
      ...NUMBERS.map(number => make(namespaceOf(number), own(number))),
    ].join('\n'),
  )
  const start = async (number: ServerNumber): Promise<Orders> => {
    const server = startPeer(namespaceOf(number))
    await server.serve(nameOf(number), own(number), SERVER_PORT)
    return server
  }
  const client = startPeer(CLIENT_NAMESPACE)
  const [one, two, three] = await Promise.all(NUMBERS.map(start))
  await client.serve('client', ['127.0.0.1', '::1'], SERVER_PORT)
  return { client, servers: { 1: one as Orders, 2: two as Orders, 3: three as Orders } }
}

/** A rule, and the words that nft lists it with. */
export interface Written {
  readonly says: string
  readonly does: readonly Expression[]
}

/** What a chain is, and its rules. */
export interface WrittenChain extends Partial<Pick<BaseChain, 'type' | 'hook' | 'priority' | 'policy'>> {
  readonly rules: readonly Written[]
}

export const TABLE = { family: 'inet', name: 'web' } as const satisfies { family: Family; name: string }

export interface Network extends Ends {
  /** A client of the router's nftables. */
  readonly nf: NftClient
  /** Asks over a connection of its own. */
  ask(target: Target, times?: number): Promise<Answer[]>
  /**
   * What comes of a question.
   *
   * @param patience milliseconds. A connection does not hear an ICMP message while it is being opened (tcp_v4_err): it asks again after a
   * second, and is told again
   */
  attempt(target: Target, patience?: number): Promise<Answer | string>
  /** What comes of so many questions at once, of which some stay without an answer. */
  burst(target: Target, times: number): Promise<(Answer | string)[]>
  /**
   * Commits a table with these chains, behind `first` (sets, maps, stateful objects), and looks whether nft lists each rule with its words.
   *
   * @param netns where: the router, unless told otherwise
   */
  write(chains: Readonly<Record<string, WrittenChain>>, first?: readonly Command[], netns?: string): Promise<NftClient>
}

/** Lays the cables of a case. */
export async function network(context: LinuxContext): Promise<Network> {
  ends ??= makeEnds(context)
  const { client, servers } = await ends
  const { netns, sh } = context
  context.after(() =>
    sh(
      batch(
        netns,
        ['c', 's1', 's2', 's3'].map(name => `link delete ${name}`),
      ),
    ),
  )
  await sh(['set -e', router(netns), farEnd(CLIENT_NAMESPACE, '203.0.113.1', CLIENT), ...NUMBERS.map(server)].join('\n'))
  return {
    client,
    servers,
    nf: await context.open(),
    ask: (target, times = 1) => client.ask(target, times),
    attempt: async (target, patience = 20_000) => (await client.attempt(target, 1, patience))[0] ?? 'nothing',
    burst: (target, times) => client.attempt(target, times, SILENCE),
    write: (chains, first = [], where = netns) => write(context, chains, first, where),
  }
}

function router(netns: string): string {
  const cables = [
    { port: 'c', far: CLIENT_NAMESPACE, own: ['203.0.113.1'], routes: ['192.0.2.0/24', '2001:db8:1::/64'] },
    ...NUMBERS.map(number => ({
      port: `s${number}`,
      far: namespaceOf(number),
      own: [ROUTER(number).ip, `${ROUTER(number).ip6} nodad`],
      routes: VERSIONS.map(version => addressOf(number, version)),
    })),
  ]
  const lines = cables.flatMap(({ port, far, own, routes: [v4, v6] }) => [
    `link add ${port} type veth peer name eth0 netns ${far}`,
    `link set ${port} up`,
    ...own.map(address => `address add ${address} dev ${port}`),
    `address add fe80::1/64 dev ${port} nodad`,
    `route add ${v4} dev ${port}`,
    `route add ${v6} via fe80::2 dev ${port}`,
  ])
  const sysctls = 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
  return `${batch(netns, lines)}\nip netns exec ${netns} sh -c '${sysctls}'`
}

const server = (number: ServerNumber): string =>
  farEnd(namespaceOf(number), ROUTER(number).ip, { ip: addressOf(number, 'ip'), ip6: addressOf(number, 'ip6') })

/** A route through the router, whose address is on no network of this end: `onlink`. */
function farEnd(netns: string, gateway: string, from: Readonly<Record<Version, string>>): string {
  return batch(netns, [
    'link set eth0 up',
    `address add ${from.ip}/32 dev eth0`,
    'address add fe80::2/64 dev eth0 nodad',
    `route add default via ${gateway} dev eth0 onlink src ${from.ip}`,
    `route add default via fe80::1 dev eth0 src ${from.ip6}`,
  ])
}

function chainOf(name: string, { rules: _, hook, ...base }: WrittenChain): Chain {
  const key = { family: TABLE.family, table: TABLE.name, name }
  return hook === undefined ? key : { ...key, hook, ...base }
}

async function write(
  context: LinuxContext,
  chains: Readonly<Record<string, WrittenChain>>,
  first: readonly Command[],
  netns: string,
): Promise<NftClient> {
  const nf = await open({ netns: { name: netns } })
  context.after(async () => {
    await nf.commit([{ add: { table: TABLE } }, { delete: { table: TABLE } }]) // where it is not the case's own namespace
    await nf.close()
  })
  const names = Object.entries(chains)
  await nf.commit([
    { add: { table: TABLE } },
    ...names.map(([name, chain]): Command => ({ add: { chain: chainOf(name, chain) } })),
    ...first,
    ...names.flatMap(([chain, { rules }]) =>
      rules.map(({ does }): Command => ({ add: { rule: { family: 'inet', table: 'web', chain, expressions: does } } })),
    ),
  ])
  const listed = await context.sh(`ip netns exec ${netns} nft list table inet web`)
  const lines = new Set(listed.split('\n').map(line => line.trim()))
  for (const [, { rules }] of names) for (const { says } of rules) assert.ok(lines.has(says), `nft lists "${says}": ${listed}`)
  return nf
}

/** Whose answers these are: how many of each server. Silence and errors count as what they are. */
export function tally(answers: readonly (Answer | string)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const answer of answers) {
    const name = typeof answer === 'string' ? answer : answer.server
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

export const target = (protocol: Target['protocol'], address: string, port: number, from?: string): Target => ({
  protocol,
  address,
  port,
  from,
})
