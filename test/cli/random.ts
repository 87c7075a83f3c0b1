/** Random configurations, the same for the same seed: everything that can be configured occurs. */
import type { Configuration, DesiredVirtualServer, RealServerConfig, SyncDaemonConfig, Tunnel } from '../../lib/ipvs/index.js'
import type { Random } from '../kernel/support/random.js'

export interface Limits {
  /** Schedulers that the kernel has. */
  readonly schedulers: readonly string[]
  /** Interfaces for synchronisation daemons. */
  readonly interfaces: readonly string[]
  /** Persistence engines that the kernel has. */
  readonly engines: readonly string[]
}

export const inMemory: Limits = {
  schedulers: ['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh', 'fo', 'none'],
  interfaces: ['lo', 'eth0'],
  engines: ['sip'],
}

type Key = { protocol: 'tcp' | 'udp' | 'sctp'; address: string; port: number } | { firewallMark: number; family: 'ipv4' | 'ipv6' }

const KEYS: readonly Key[] = [
  ...(['tcp', 'udp', 'sctp'] as const).flatMap(protocol =>
    ['10.0.0.1', '10.0.0.200', '2001:db8::1', 'fd00::ff'].flatMap(address =>
      [80, 443, 9].map(port => ({ protocol, address, port })),
    ),
  ),
  { protocol: 'tcp', address: '10.0.0.1', port: 0 },
  { protocol: 'udp', address: '2001:db8::1', port: 0 },
  ...[1, 7, 4_000_000_000].flatMap(firewallMark => (['ipv4', 'ipv6'] as const).map(family => ({ firewallMark, family }))),
]
const TUNNELS: readonly (Tunnel | undefined)[] = [
  undefined,
  { type: 'ipip' },
  { type: 'gue', port: 6080 },
  { type: 'gue', port: 6081, checksum: 'remote-checksum' },
  { type: 'gre', checksum: 'checksum' },
]

const isIPv6 = (key: Key): boolean => ('family' in key ? key.family === 'ipv6' : key.address.includes(':'))

function randomPersistence(random: Random, six: boolean, { engines }: Limits) {
  const netmask = six ? random.of([undefined, 64, 1, 128]) : random.of([undefined, '255.255.255.0', 16, '0.0.0.0', 32])
  const timeout = random.of([undefined, 1, 300, 4_000_000])
  const engine = random.of([undefined, ...engines])
  return {
    ...(timeout !== undefined && { timeout }),
    ...(netmask !== undefined && { netmask }),
    ...(engine !== undefined && { engine }),
  }
}

function randomFlags(random: Random, scheduler: string) {
  if (scheduler === 'sh') return random.some(['sh-fallback', 'sh-port', 'flag-3'] as const)
  if (scheduler === 'mh') return random.some(['mh-fallback', 'mh-port', 'flag-3'] as const)
  return random.some(['flag-1', 'flag-2', 'flag-3'] as const)
}

function randomRealServer(random: Random, key: Key, n: number, mixed: boolean): RealServerConfig {
  const six = isIPv6(key)
  const forwarding = random.of([undefined, 'masquerade', 'direct-route', 'tunnel', 'local', 'bypass'] as const)
  const other = mixed && forwarding === 'tunnel' && random.below(2) === 0
  const keepsPort = 'port' in key && (forwarding === 'direct-route' || forwarding === 'tunnel')
  const upperThreshold = random.of([undefined, 100, 2_147_483_647])
  const tunnel = forwarding === 'tunnel' ? random.of(TUNNELS) : undefined
  return {
    address: six !== other ? `2001:db8:1::${n.toString(16)}` : `10.1.0.${n}`,
    port: keepsPort ? key.port : random.of([80, 8080, 9]),
    ...(random.below(2) === 0 && { weight: random.of([0, 1, 100, 2_147_483_647]) }),
    ...(forwarding && { forwarding }),
    ...(upperThreshold !== undefined && { upperThreshold, lowerThreshold: random.below(100) }),
    ...(tunnel && { tunnel }),
  }
}

function randomVirtualServer(random: Random, key: Key, limits: Limits, mixed: boolean): DesiredVirtualServer {
  const scheduler = random.of([undefined, ...limits.schedulers])
  const persistence = randomPersistence(random, isIPv6(key), limits)
  const persistent = ('port' in key && key.port === 0) || random.below(3) === 0
  const kind = persistent ? 'persistence' : random.below(4) === 0 ? 'dormantPersistence' : undefined
  const onePacket = ('firewallMark' in key || key.protocol === 'udp') && random.below(3) === 0
  const flags = random.below(3) === 0 ? randomFlags(random, scheduler ?? 'wlc') : []
  const addresses = random.some([1, 2, 3, 200, 254])
  return {
    ...key,
    ...(scheduler !== undefined && { scheduler }),
    ...(flags.length > 0 && { schedulerFlags: flags }),
    ...(kind && { [kind]: persistence }),
    ...(onePacket && { onePacket }),
    realServers: addresses.map(n => randomRealServer(random, key, n, mixed)),
  }
}

function randomDaemon(random: Random, role: 'master' | 'backup', { interfaces }: Limits): SyncDaemonConfig {
  return {
    role,
    interface: random.of(interfaces),
    ...(random.below(2) === 0 && { syncId: random.below(256) }),
    ...(random.below(2) === 0 && { maximumLength: random.of([5, 1400, 65507]) }),
    ...(random.below(2) === 0 && { group: random.of(['224.0.0.81', '239.1.2.3']) }),
    ...(random.below(2) === 0 && { port: random.of([8848, 9000]) }),
    ...(random.below(2) === 0 && { ttl: random.of([1, 5]) }),
  }
}

/** Real servers of another family can not be where a daemon is. */
export function randomConfiguration(random: Random, limits: Limits = inMemory): Configuration {
  const daemons = random.below(2) === 0
  const seconds = (): number => random.of([1, 60, 900, 2_147_483])
  const keys = KEYS.filter(() => random.below(5) === 0)
  return {
    virtualServers: keys.map(key => randomVirtualServer(random, key, limits, !daemons)),
    ...(random.below(2) === 0 && { timeouts: { tcp: seconds(), ...(random.below(2) === 0 && { udp: seconds() }) } }),
    ...(daemons && { syncDaemons: random.some(['master', 'backup'] as const).map(role => randomDaemon(random, role, limits)) }),
  }
}
