/** What rules at random are made of: selectors and what they are compared with. */
import type { Random } from '../../support/random.js'

/** Makes a constant. */
type Constant = (random: Random) => string

export interface Selector {
  readonly text: string
  readonly value: Constant
  /** Makes both ends, where the type has an order that nft takes. */
  readonly range?: Constant | undefined
  /** Bits with names, or numbers with bits that mean something. */
  readonly mask?: Constant | undefined
  /** Not in concatenations: a number of bits. */
  readonly alone?: boolean | undefined
  /** Not in concatenations: nft 1.1.3 does not know how long such a number is there, and lists another one or does not survive it. */
  readonly unlisted?: boolean | undefined
  /** Not as the key of a map to numbers: nft 1.1.3 turns its bytes round, and those that it looks for it does not. */
  readonly unmapped?: boolean | undefined
}

const between =
  (low: number, high: number): Constant =>
  random =>
    String(low + random.below(high - low + 1))

function ordered(one: (random: Random) => number, show: (value: number) => string): Constant {
  return random => {
    const [a, b] = [one(random), one(random)]
    return a === b ? show(a) : `${show(Math.min(a, b))}-${show(Math.max(a, b))}`
  }
}

function integer(text: string, bits: number): Selector {
  const top = 2 ** Math.min(bits, 32) - 1
  const one = (random: Random): number => (random.below(4) === 0 ? random.of([0, 1, top - 1, top]) : random.below(top))
  return {
    text,
    unlisted: true,
    value: random => String(one(random)),
    range: ordered(one, String),
    mask: random => `0x${(1 + random.below(top)).toString(16)}`,
  }
}

const symbols = (text: string, words: string): Selector => ({ text, value: random => random.of(words.split(' ')) })

const octets = (random: Random): number => 0x0a000000 + random.below(0x00ffffff)
const dotted = (value: number): string => [24, 16, 8, 0].map(shift => (value >>> shift) & 255).join('.')

function prefix4(random: Random): string {
  const length = 1 + random.below(32)
  return `${dotted((octets(random) & (-1 << (32 - length))) >>> 0)}/${length}`
}

const ipv4 = (text: string): Selector => ({
  text,
  value: random => dotted(octets(random)),
  range: random => (random.below(2) === 0 ? prefix4(random) : ordered(octets, dotted)(random)),
  mask: random => dotted((-1 << (1 + random.below(31))) >>> 0),
})

const groups = (random: Random, count: number): string =>
  Array.from({ length: count }, () => random.below(0x10000).toString(16)).join(':')

const ipv6 = (text: string): Selector => ({
  text,
  value: random => `2001:db8:${groups(random, 2)}::${groups(random, 2)}`,
  range: random => `2001:db8:${groups(random, 2)}::/${64 + random.below(2)}`,
})

const ethernet = (text: string): Selector => ({
  text,
  value: random => Array.from({ length: 6 }, () => (256 + random.below(256)).toString(16).slice(1)).join(':'),
})

function flags(text: string, words: string): Selector {
  const names = words.split(' ')
  const some: Constant = random => random.some(names).join(',') || (names[0] ?? '')
  return { text, alone: true, value: random => random.of(names), mask: some }
}

const ports = (text: string): Selector => ({ ...integer(text, 16), unlisted: false, mask: undefined })

const EVERYWHERE: readonly Selector[] = [
  {
    text: 'meta mark',
    value: random => `0x${random.below(2 ** 32).toString(16)}`,
    range: ordered(random => random.below(2 ** 32), String),
    mask: random => `0x${(1 + random.below(2 ** 32 - 1)).toString(16)}`,
  },
  { text: 'iifname', value: random => random.of(['"lo"', '"eth0"', '"wan-1"']) },
  { text: 'meta length', unlisted: true, value: between(20, 9000), range: ordered(random => random.below(9000), String) },
  symbols('meta pkttype', 'host broadcast multicast other'),
  { text: 'meta day', value: random => random.of(['"Monday"', '"Friday"', '"Sunday"']) },
  { text: 'meta cpu', unlisted: true, value: between(0, 63), range: ordered(random => random.below(64), String) },
  { text: 'numgen inc mod 100', value: between(0, 99), range: ordered(random => random.below(100), String), alone: true },
]

/** Of one network protocol: a rule is about one. */
const NETWORK: Readonly<Record<'ip' | 'ip6', readonly Selector[]>> = {
  ip: [
    ipv4('ip saddr'),
    ipv4('ip daddr'),
    integer('ip ttl', 8),
    integer('ip id', 16),
    integer('ip length', 16),
    symbols('ip dscp', 'cs0 cs1 cs5 af11 af43 ef 0x3f'),
    symbols('ip ecn', 'not-ect ect0 ect1 ce'),
    integer('ip version', 4),
    integer('ip frag-off', 16),
  ],
  ip6: [
    ipv6('ip6 saddr'),
    ipv6('ip6 daddr'),
    integer('ip6 hoplimit', 8),
    integer('ip6 flowlabel', 20),
    { ...symbols('ip6 dscp', 'cs0 cs1 ef 0x3f'), unlisted: true, unmapped: true },
    integer('frag id', 32),
  ],
}

/** Of one transport protocol. */
const TRANSPORT: readonly (readonly Selector[])[] = [
  [
    ports('tcp dport'),
    ports('tcp sport'),
    integer('tcp sequence', 32),
    integer('tcp window', 16),
    integer('tcp doff', 4),
    flags('tcp flags', 'fin syn rst psh ack urg'),
    integer('tcp option maxseg size', 16),
    integer('tcp option timestamp tsval', 32),
  ],
  [ports('udp dport'), ports('udp sport'), integer('udp length', 16)],
  [integer('sctp vtag', 32), ports('sctp dport'), integer('sctp chunk data tsn', 32)],
  [symbols('dccp type', 'request response data reset'), ports('dccp sport')],
  [ports('th dport'), symbols('meta l4proto', 'tcp udp sctp dccp')],
  [integer('@th,16,16', 16), integer('@nh,64,8', 8)],
]

const MESSAGES: Readonly<Record<'ip' | 'ip6', readonly Selector[]>> = {
  ip: [symbols('icmp type', 'echo-request echo-reply redirect 42'), integer('icmp code', 8)],
  ip6: [symbols('icmpv6 type', 'echo-request nd-neighbor-solicit mld-listener-query'), integer('icmpv6 checksum', 16)],
}

const TRACKING: readonly Selector[] = [
  flags('ct state', 'new established related invalid untracked'),
  flags('ct status', 'expected assured confirmed snat dnat'),
  { ...integer('ct mark', 32), unlisted: false, value: random => `0x${random.below(2 ** 32).toString(16)}` },
  symbols('ct direction', 'original reply'),
  ipv4('ct original ip saddr'),
  integer('ct original proto-dst', 16),
  integer('ct bytes', 32),
]

const LINK: readonly Selector[] = [ethernet('ether saddr'), ethernet('ether daddr'), symbols('ether type', 'ip ip6 arp')]
const VLAN: readonly Selector[] = [integer('vlan id', 12), integer('vlan pcp', 3)]

const OF_FAMILY: Readonly<Record<string, readonly Selector[]>> = {
  ip: TRACKING,
  ip6: TRACKING,
  inet: [...TRACKING, ...LINK],
  bridge: [...LINK, ...VLAN],
  netdev: [...LINK, ...VLAN],
}

/** The selectors of packets of one kind, which one rule can ask for. */
export function selectorsOf(random: Random, family: string): readonly Selector[] {
  const network = family === 'ip' || family === 'ip6' ? family : random.of(['ip', 'ip6'] as const)
  const transport = random.of([...TRANSPORT, ...TRANSPORT, MESSAGES[network]])
  return [...EVERYWHERE, ...(OF_FAMILY[family] ?? []), ...NETWORK[network], ...transport, ...transport]
}

/** Statements that any family takes. */
export const STATEMENTS: readonly Constant[] = [
  () => 'counter',
  () => 'accept',
  () => 'drop',
  () => 'jump other',
  () => 'return',
  random => `meta mark set 0x${random.below(2 ** 32).toString(16)}`,
  random => `meta mark set meta mark ${random.of(['&', '|', '^'])} 0x${(1 + random.below(2 ** 32 - 1)).toString(16)}`,
  random =>
    `limit rate ${random.of(['', 'over '])}${1 + random.below(900)}/${random.of(['second', 'minute', 'hour', 'day', 'week'])}`,
  random => `limit rate ${1 + random.below(900)} ${random.of(['bytes', 'kbytes'])}/second burst ${1 + random.below(500)} kbytes`,
  random => `quota ${random.of(['', 'over '])}${1 + random.below(5000)} ${random.of(['bytes', 'kbytes', 'mbytes'])}`,
  random => `log prefix "${random.of(['a ', 'dropped: '])}"${random.of(['', ' level debug', ' flags all', ' group 3'])}`,
  random => `meta priority set ${(1 + random.below(0xfffe)).toString(16)}:${(1 + random.below(0xfffe)).toString(16)}`,
]
