/** IPVS says almost never why it refused. What it can mean is worked out here from the request. */
import { readFileSync } from 'node:fs'
import { familyOf } from '../netlink/address.js'
import { type Applied, errnoName, NetlinkError, type Problem } from '../netlink/error.js'
import { Refusal } from '../netlink/generic.js'
import type { Transport } from '../netlink/transport.js'
import type { Operation } from './batch.js'
import { describeRealServer } from './real-server.js'
import type { RealServerConfig, VirtualServerConfig } from './types.js'
import { describeVirtualServer, virtualServerFamily } from './virtual-server.js'

/** Schedulers in Linux (net/netfilter/ipvs). */
export const SCHEDULERS: readonly string[] = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'dh',
  'sh',
  'sed',
  'nq',
  'fo',
  'ovf',
  'mh',
  'twos',
]

/** Facts outside the request that explain an error. */
export interface Surroundings {
  /** This process lives in a user namespace of its own. */
  readonly userNamespace: boolean
  /** No interface of the network namespace was ever up, lo included. */
  readonly neverUp: boolean
}

/** The part of a request that errors are explained from. */
export interface Asked {
  readonly operation: string
  readonly target?: string | undefined
  readonly virtualServer?: VirtualServerConfig | undefined
  readonly realServer?: RealServerConfig | undefined
  /** Interface of a synchronisation daemon. */
  readonly interface?: string | undefined
}

export function askedOf(operation: Operation): Asked {
  if (operation === null || typeof operation !== 'object') return { operation: String(operation) }
  const virtualServer = 'virtualServer' in operation ? (operation.virtualServer as VirtualServerConfig | undefined) : undefined
  const realServer = 'realServer' in operation ? (operation.realServer as RealServerConfig) : undefined
  const target =
    virtualServer && describeVirtualServer(virtualServer) + (realServer ? ` → ${describeRealServer(realServer)}` : '')
  return { operation: operation.operation, target, virtualServer, realServer }
}

export async function surroundings(transport: Transport): Promise<Surroundings> {
  return { userNamespace: inUserNamespace(), neverUp: await neverUp(transport) }
}

function inUserNamespace(): boolean {
  try {
    return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'))
  } catch {
    return false
  }
}

/** Without a routing table every IPv4 address counts as broadcast: the first interface that comes up makes the tables. */
async function neverUp(transport: Transport): Promise<boolean> {
  try {
    for await (const chunk of transport.readFile('/proc/net/fib_trie')) return chunk.length === 0
    return true
  } catch {
    return false
  }
}

/** The error of a refused request. `around` is known when the errno makes it worth asking. */
export function explain(
  asked: Asked,
  refusal: Refusal,
  around: Surroundings | undefined,
  cause?: unknown,
  applied: Applied = 'no',
): NetlinkError {
  const { acknowledgement, path } = refusal
  const [problem, reason] = meaning(asked, acknowledgement.errno, around)
  return new NetlinkError({
    errno: acknowledgement.errno,
    operation: asked.operation,
    target: asked.target,
    problem,
    reason: acknowledgement.kernelMessage ? `${reason}; the kernel says: ${acknowledgement.kernelMessage}` : reason,
    path,
    kernelMessage: acknowledgement.kernelMessage,
    applied,
    cause,
  })
}

/** Adds what was asked to an error that was made without knowing it. Anything else comes back as it is. */
export function attribute(error: unknown, asked: Asked, around?: Surroundings): unknown {
  if (error instanceof Refusal) return explain(asked, error, around)
  if (!(error instanceof NetlinkError) || error.operation !== undefined) return error
  const { code, syscall, problem, applied, reason, path, kernelMessage, cause } = error
  const errno = -error.errno
  return new NetlinkError({
    code,
    errno,
    syscall,
    problem,
    applied,
    reason,
    path,
    kernelMessage,
    cause,
    operation: asked.operation,
    target: asked.target,
  })
}

/** Errors whose explanation needs the surroundings. */
export function needsSurroundings(errno: number): boolean {
  const name = errnoName(errno)
  return name === 'EPERM' || name === 'EINVAL'
}

function meaning(asked: Asked, errno: number, around: Surroundings | undefined): [Problem, string] {
  switch (errnoName(errno)) {
    case 'EPERM':
      return around?.userNamespace
        ? [
            'in-user-namespace',
            'IPVS takes orders only from the initial user namespace: run on the host as root, or in a privileged container without user namespaces',
          ]
        : [
            'not-permitted',
            'CAP_NET_ADMIN is needed: run as root, or with `setcap cap_net_admin+ep`, or in a container with --cap-add NET_ADMIN',
          ]
    case 'EEXIST':
      return ['exists', exists(asked)]
    case 'ESRCH':
      return asked.operation.includes('SyncDaemon')
        ? ['no-such-daemon', 'no such synchronisation daemon is running']
        : ['no-such-virtual-server', 'there is no such virtual server: add it first']
    case 'ENOENT':
      return missing(asked)
    case 'ENODEV':
      return [
        'no-such-interface',
        `there is no interface ${asked.interface ?? ''} in this namespace: \`ip link\` shows those that there are`,
      ]
    case 'EAFNOSUPPORT':
      return ['family-disabled', 'this kernel has IPv6 switched off (ipv6.disable=1, or built without)']
    case 'EINVAL':
      return ['invalid', invalid(asked, around)]
    case 'ERANGE':
      return ['invalid', 'a value is out of the range that this kernel takes (weight, or thresholds)']
    case 'ENOTSUP':
      return ['not-supported', 'this kernel does not know the command']
    case 'ENOMEM':
    case 'ENOBUFS':
      return ['no-memory', 'the kernel ran out of memory']
    case 'EBUSY':
      return ['other', 'another dump is running on this socket']
    default:
      return ['other', 'the kernel refused']
  }
}

function exists({ operation }: Asked): string {
  if (operation === 'addRealServer') return 'the virtual server has this real server already: update or ensure it'
  if (operation === 'startSyncDaemon') return 'a daemon of this role runs already: stop it first'
  return 'it is there already: update or ensure it'
}

function missing({ operation, virtualServer }: Asked): [Problem, string] {
  if (operation.endsWith('RealServer')) return ['no-such-real-server', 'the virtual server has no such real server: add it first']
  const scheduler = virtualServer?.scheduler ?? 'wlc'
  const engine = virtualServer?.persistence?.engine ?? virtualServer?.dormantPersistence?.engine
  const noScheduler = `the kernel has no scheduler ${scheduler}: load its module (modprobe ip_vs_${scheduler}) or choose another`
  if (engine === undefined) return ['no-such-scheduler', noScheduler]
  // The kernel looks for the scheduler first and says ENOENT for both.
  if (!SCHEDULERS.includes(scheduler))
    return ['no-such-scheduler', `${noScheduler}; the persistence engine ${engine} may be missing, too`]
  return [
    'no-such-persistence-engine',
    `the kernel has no persistence engine ${engine} (modprobe ip_vs_pe_${engine}), or no scheduler ${scheduler}`,
  ]
}

function invalid(asked: Asked, around: Surroundings | undefined): string {
  const { operation, realServer, virtualServer } = asked
  if (operation === 'startSyncDaemon')
    return 'the daemon can not start: the multicast group is none, the interface has no address to send from, or real servers of another family than their virtual server exist'
  if (operation === 'setTimeouts')
    return 'a time-out is too long for this kernel, which keeps INT_MAX jiffies: give at most 2,147,483 seconds'
  if (!operation.endsWith('RealServer') || !realServer || !virtualServer) return 'the kernel takes a value for invalid'
  const family = familyOf(realServer.address)
  if (family !== virtualServerFamily(virtualServer))
    return realServer.forwarding === 'tunnel'
      ? 'a real server of another family than the virtual server is not possible while a synchronisation daemon runs: stop it'
      : "a real server of another family than the virtual server can only be reached with forwarding 'tunnel'"
  if (family === 'ipv4' && around?.neverUp)
    return 'no interface of this network namespace was ever up, so that no address counts as unicast: `ip link set lo up` first'
  return `realServer.address: ${realServer.address} is no unicast address that a real server can have (0.0.0.0, ::, multicast, broadcast, or link-local without being local)`
}
