/** All that can be matched and changed, by nft's words. */
import type { Expression, FibFlag, Selector as JsonSelector } from '../json/index.js'
import type { Family } from '../types.js'
import { CT, CT_DIRECTED, FIELDS, META } from './fields.js'
import { type Comparable, type KeyTypes, type Numbers, numbers, type Settable, selector, type Typed } from './selector.js'
import type { TypeWord } from './values.js'

type Fields = typeof FIELDS

/** Families whose packets may have such a header. */
interface Families {
  readonly ip: 'ip' | 'inet' | 'bridge' | 'netdev'
  readonly icmp: 'ip' | 'inet' | 'bridge' | 'netdev'
  readonly igmp: 'ip' | 'inet' | 'bridge' | 'netdev'
  readonly ip6: 'ip6' | 'inet' | 'bridge' | 'netdev'
  readonly icmpv6: 'ip6' | 'inet' | 'bridge' | 'netdev'
  readonly arp: 'arp' | 'inet' | 'bridge' | 'netdev'
  readonly ether: Family
  readonly vlan: 'bridge' | 'netdev' | 'inet' | 'ip' | 'ip6'
}
type FamiliesOf<P> = P extends keyof Families ? Families[P] : Exclude<Family, 'arp'>

/** The fields of a header. */
export type Header<P extends keyof Fields> = {
  readonly [N in keyof Fields[P]]: Settable<Fields[P][N] & TypeWord, FamiliesOf<P>>
}

const mapped = <T extends Readonly<Record<string, TypeWord>>, R>(table: T, make: (name: string, type: TypeWord) => unknown): R =>
  Object.fromEntries(Object.entries(table).map(([name, type]) => [name, make(name, type)])) as R

const header = <P extends keyof Fields>(protocol: P): Header<P> =>
  mapped(FIELDS[protocol], (field, type) => selector(type, { payload: { protocol, field } }))

export const ether = header('ether')
export const vlan = header('vlan')
export const arp = header('arp')
export const ip = header('ip')
export const icmp = header('icmp')
export const igmp = header('igmp')
export const ip6 = header('ip6')
export const icmpv6 = header('icmpv6')
export const tcp = header('tcp')
export const udp = header('udp')
export const udplite = header('udplite')
export const sctp = header('sctp')
export const dccp = header('dccp')
export const th = header('th')
export const ah = header('ah')
export const esp = header('esp')
export const comp = header('comp')
export const gre = header('gre')
export const vxlan = header('vxlan')
export const geneve = header('geneve')

type MetaSettable = 'mark' | 'priority' | 'nftrace' | 'pkttype' | 'secmark' | 'broute'
type BridgeOnly = 'ibrname' | 'obrname' | 'ibrpvid' | 'ibrvproto' | 'broute'
type MetaFamily<N> = N extends BridgeOnly ? 'bridge' : Family

/** What the kernel knows of a packet besides its bytes. */
export const meta: {
  readonly [N in keyof typeof META]: N extends MetaSettable
    ? Settable<(typeof META)[N], MetaFamily<N>>
    : Comparable<(typeof META)[N], MetaFamily<N>>
} = mapped(META, (key, type) => selector(type, { meta: { key } }))

type CtSettable = 'mark' | 'event' | 'label' | 'zone' | 'secmark'
type Directed = { readonly [N in keyof typeof CT_DIRECTED]: Comparable<(typeof CT_DIRECTED)[N]> }

const directed = (dir: 'original' | 'reply'): Directed => mapped(CT_DIRECTED, (key, type) => selector(type, { ct: { key, dir } }))

/** What connection tracking knows of the packet's connection; of one direction of it with `original` and `reply`. */
export const ct: {
  readonly [N in keyof typeof CT]: N extends CtSettable ? Settable<(typeof CT)[N]> : Comparable<(typeof CT)[N]>
} & {
  readonly original: Directed
  readonly reply: Directed
} = {
  ...mapped<typeof CT, { readonly [N in keyof typeof CT]: Settable<(typeof CT)[N]> }>(CT, (key, type) =>
    selector(type, { ct: { key } }),
  ),
  original: directed('original'),
  reply: directed('reply'),
}

/** A field of a header by its place: `offset` and `length` in bits. */
export const raw = (base: 'll' | 'nh' | 'th' | 'ih', offset: number, length: number): Settable<'integer'> =>
  selector('integer', { payload: { base, offset, len: length } })

/** Numbers from `offset` on, `modulus` of them: one after the other, or at random. */
export const numgen = {
  inc: (modulus: number, offset = 0): Numbers => numbers({ numgen: { mode: 'inc', mod: modulus, offset } }),
  random: (modulus: number, offset = 0): Numbers => numbers({ numgen: { mode: 'random', mod: modulus, offset } }),
} as const

/** The hash of an expression: the same packets get the same number. */
export const jhash = <K extends KeyTypes>(
  of: Typed<K, never>,
  modulus: number,
  { seed, offset = 0 }: { readonly seed?: number | undefined; readonly offset?: number | undefined } = {},
): Numbers => numbers({ jhash: { mod: modulus, offset, expr: of.json, ...(seed === undefined ? {} : { seed }) } })

/** A hash of the connection that is the same in both directions. */
export const symhash = (modulus: number, offset = 0): Numbers => numbers({ symhash: { mod: modulus, offset } })

type FibFlags = readonly [FibFlag, ...FibFlag[]]

/** What the routing tables say of an address of the packet: `fib.type('daddr')`. */
export const fib = {
  type: (...flags: FibFlags): Comparable<'fib_addrtype'> => selector('fib_addrtype', { fib: { result: 'type', flags } }),
  oif: (...flags: FibFlags): Comparable<'iface_index'> => selector('iface_index', { fib: { result: 'oif', flags } }),
  oifname: (...flags: FibFlags): Comparable<'ifname'> => selector('ifname', { fib: { result: 'oifname', flags } }),
  /** Whether there is a route at all. */
  check: (...flags: FibFlags): Comparable<'boolean'> => selector('boolean', { fib: { result: 'check', flags } }),
} as const

/** The local socket that would get the packet. */
export const socket = {
  transparent: selector('integer', { socket: { key: 'transparent' } }) as Comparable<'integer'>,
  mark: selector('mark', { socket: { key: 'mark' } }) as Comparable<'mark'>,
  wildcard: selector('integer', { socket: { key: 'wildcard' } }) as Comparable<'integer'>,
  cgroupv2: (level: number): Comparable<'cgroupsv2'> => selector('cgroupsv2', { socket: { key: 'cgroupv2', level } }),
} as const

/** The route that the packet takes. */
export const rt = {
  classid: selector('realm', { rt: { key: 'classid' } }) as Comparable<'realm'>,
  mtu: selector('integer', { rt: { key: 'mtu' } }) as Comparable<'integer'>,
  ipsec: selector('boolean', { rt: { key: 'ipsec' } }) as Comparable<'boolean'>,
  ip: { nexthop: selector('ipv4_addr', { rt: { key: 'nexthop', family: 'ip' } }) as Comparable<'ipv4_addr'> },
  ip6: { nexthop: selector('ipv6_addr', { rt: { key: 'nexthop', family: 'ip6' } }) as Comparable<'ipv6_addr'> },
} as const

/** What an extension header of IPv6 or an option has; whether it is there at all without `field`. */
interface Optional<F extends Family = Family> {
  (name: string): Comparable<'boolean', F>
  (name: string, field: string): Settable<'integer', F>
}

const optional = <F extends Family>(word: 'exthdr' | 'tcp option' | 'ip option' | 'sctp chunk'): Optional<F> =>
  ((name: string, field?: string) => {
    const json = { [word]: field === undefined ? { name } : { name, field } } as unknown as JsonSelector
    return field === undefined ? selector('boolean', json) : selector('integer', json)
  }) as Optional<F>

export const exthdr = optional<Families['ip6']>('exthdr')
export const tcpOption = optional<Family>('tcp option')
export const ipOption = optional<Families['ip']>('ip option')
export const sctpChunk = optional<Family>('sctp chunk')

/** Any expression of libnftables JSON, taken for one of this type. */
export const typed = <T extends TypeWord>(type: T, json: Expression): Settable<T> => selector(type, json as JsonSelector)
