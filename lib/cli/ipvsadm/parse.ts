/** A command line of ipvsadm, read into what is to be done. Options count in their order: `-r` takes its port from a `-t` before it. */
import type {
  Netns,
  RealServerConfig,
  RealServerKey,
  SchedulerFlag,
  SyncDaemonConfig,
  TableView,
  Timeouts,
  Tunnel,
  VirtualServerConfig,
  VirtualServerKey,
} from '../../ipvs/index.js'
import { Entry, Refused, read, roleOf, timeoutOf } from './entry.js'
import { type Column, type Command, isTunnelColumn, LEGAL, offence, TUNNEL_COLUMNS, TUNNEL_LEGAL } from './options.js'
import { LIST, type Option, ScanError, Scanner } from './scan.js'

/** What a command line asks for. */
export type Request = { readonly netns?: Netns | undefined; readonly json: boolean } & (
  | { readonly command: 'add-service' | 'edit-service'; readonly virtualServer: VirtualServerConfig }
  | { readonly command: 'delete-service'; readonly virtualServer: VirtualServerKey }
  | { readonly command: 'flush' | 'restore' | 'help' | 'version' }
  | { readonly command: 'zero'; readonly virtualServer: VirtualServerKey | undefined }
  | {
      readonly command: 'add-server' | 'edit-server'
      readonly virtualServer: VirtualServerKey
      readonly realServer: RealServerConfig
    }
  | { readonly command: 'delete-server'; readonly virtualServer: VirtualServerKey; readonly realServer: RealServerKey }
  | ({ readonly command: 'list'; readonly what: 'tables' | 'connections' | 'timeouts' | 'daemons' } & ListRequest)
  | { readonly command: 'save'; readonly numeric: boolean }
  | { readonly command: 'set'; readonly timeouts: Timeouts }
  | { readonly command: 'start-daemon'; readonly daemon: SyncDaemonConfig }
  | { readonly command: 'stop-daemon'; readonly role: SyncDaemonConfig['role'] }
)

export interface ListRequest {
  /** Only this one. */
  readonly virtualServer: VirtualServerKey | undefined
  readonly view: TableView
  /** With connections: the data of persistence engines. */
  readonly persistent: boolean
  readonly numeric: boolean
  readonly exact: boolean
  readonly sorted: boolean
}

/** Asks for help: the message names the program. */
export const TRY_HELP = new Refused('', 255)

const NAMES: Readonly<Record<string, Command | 'help' | 'version'>> = { clear: 'flush', help: 'help', version: 'version' }

/** Reads a command line without the program's name. Only a name that has to be looked up takes a promise. @throws {Refused} */
export function parse(words: readonly string[]): Request | Promise<Request> {
  const entry = new Entry()
  const scanner = new Scanner(words)
  const first = firstCommand(scanner, entry)
  const { name } = first.spec
  const command = NAMES[name] ?? (name as Command)
  if (command === 'help' || command === 'version') return { command, json: false }
  if (name === 'start-daemon') entry.role = roleOf(first.argument ?? '', 'illegal start-daemon parameter specified')
  if (name === 'stop-daemon') entry.role = roleOf(first.argument ?? '', 'illegal start_daemon specified')
  const pending = readOptions(scanner, entry)
  return pending ? pending.then(() => finish(command, entry, scanner.leftovers)) : finish(command, entry, scanner.leftovers)
}

function readOptions(scanner: Scanner, entry: Entry): void | Promise<void> {
  for (let option = nextOption(scanner); option; option = nextOption(scanner)) {
    const pending = read(entry, option)
    if (pending) return pending.then(() => readOptions(scanner, entry))
  }
}

/** What can be judged only when everything has been read. */
function finish(command: Command, entry: Entry, leftovers: string[]): Request {
  const timeouts = command === 'set' ? readTimeouts(leftovers) : undefined
  const unexpected = leftovers[0]
  if (unexpected !== undefined) throw new Refused(`unexpected argument ${unexpected}`)
  const schedulerFlags = entry.flags ? flagsOf(entry.flags, entry.scheduler || 'wlc') : undefined
  const wrong = offence(command, LEGAL[command], entry.given, 'command')
  if (wrong !== undefined) throw new Refused(wrong)
  if (entry.json && command !== 'list' && command !== 'save')
    throw new Refused(`Illegal 'json' option with the '${command}' command`)
  return Object.assign(request(command, entry, schedulerFlags, timeouts), { netns: entry.netns, json: entry.json })
}

function nextOption(scanner: Scanner): Option | undefined {
  try {
    return scanner.next()
  } catch (error) {
    throw error instanceof ScanError ? new Refused(error.message, 255) : error
  }
}

/** The first option has to be the command; only `--netns` and `--json`, which ipvsadm does not have, may stand before it. */
function firstCommand(scanner: Scanner, entry: Entry): Option {
  try {
    for (;;) {
      const option = scanner.next()
      if (option?.spec.kind === 'command') return option
      if (option === undefined && (entry.netns || entry.json)) return LIST
      if (option?.spec.name !== 'netns' && option?.spec.name !== 'json') throw TRY_HELP
      read(entry, option)
    }
  } catch (error) {
    throw error instanceof ScanError ? TRY_HELP : error
  }
}

function readTimeouts(words: string[]): Timeouts {
  const [tcp, tcpFin, udp] = words.splice(0, 3)
  if (tcp === undefined || tcpFin === undefined || udp === undefined) throw new Refused('--set option requires 3 timeout values')
  return { tcp: timeoutOf(tcp, 0), tcpFin: timeoutOf(tcpFin, 0), udp: timeoutOf(udp, 0) }
}

const FLAG_OWNERS: Readonly<Record<SchedulerFlag, string | undefined>> = {
  'flag-1': undefined,
  'flag-2': undefined,
  'flag-3': undefined,
  'sh-fallback': 'sh',
  'sh-port': 'sh',
  'mh-fallback': 'mh',
  'mh-port': 'mh',
}

function flagsOf(text: string, scheduler: string): SchedulerFlag[] {
  const words = text.split(',').filter(word => word !== '')
  if (words.length === 0) throw new Refused(`invalid scheduler flag \`${text}'`)
  for (const word of words) {
    if (!Object.hasOwn(FLAG_OWNERS, word)) throw new Refused(`invalid scheduler flag \`${word}'`)
    const owner = FLAG_OWNERS[word as SchedulerFlag]
    if (owner !== undefined && owner !== scheduler) throw new Refused(`incompatible scheduler flag \`${word}'`)
  }
  return words as SchedulerFlag[]
}

type Unaddressed<T> = T extends unknown ? Omit<T, 'netns' | 'json'> : never

function request(
  command: Command,
  entry: Entry,
  schedulerFlags: SchedulerFlag[] | undefined,
  timeouts: Timeouts | undefined,
): Unaddressed<Request> {
  const { virtualServer, given } = entry
  switch (command) {
    case 'add-service':
    case 'edit-service':
      return { command, virtualServer: virtualServerOf(entry, schedulerFlags) }
    case 'delete-service':
      return { command, virtualServer }
    case 'zero':
      return { command, virtualServer: isEverything(entry) ? undefined : virtualServer }
    case 'add-server':
    case 'edit-server':
      return { command, virtualServer, realServer: realServerOf(entry) }
    case 'delete-server':
      return { command, virtualServer, realServer: entry.server }
    case 'list':
      return listOf(entry)
    case 'save':
      return { command, numeric: given.includes('numeric') }
    case 'set':
      return { command, timeouts: timeouts ?? { tcp: 0, tcpFin: 0, udp: 0 } }
    case 'start-daemon':
      return { command, daemon: daemonOf(entry) }
    case 'stop-daemon':
      return { command, role: entry.role }
    default:
      return { command }
  }
}

/** `-Z -t 0.0.0.0:0` stands for all, as `-Z` does. */
function isEverything({ mark, address, port }: Entry): boolean {
  return !mark && port === 0 && (address === undefined || address === '0.0.0.0' || address === '::')
}

function virtualServerOf(entry: Entry, schedulerFlags: SchedulerFlag[] | undefined): VirtualServerConfig {
  const { mark, port, persistence: timeout, protocol, netmask, engine, given, scheduler } = entry
  if (!mark && port === 0 && timeout === undefined) throw new Refused('Zero port specified for non-persistent service')
  if (given.includes('ops') && !mark && protocol !== 'udp')
    throw new Refused('One-Packet Scheduling is only for UDP virtual services')
  const persistence = { ...(netmask !== undefined && { netmask }), ...(engine && { engine }) }
  return {
    ...entry.virtualServer,
    scheduler: scheduler || 'wlc',
    ...(schedulerFlags && { schedulerFlags }),
    ...(given.includes('ops') && { onePacket: true }),
    ...(timeout !== undefined && { persistence: { ...persistence, timeout } }),
    ...(timeout === undefined && (netmask !== undefined || engine) && { dormantPersistence: persistence }),
  }
}

function realServerOf(entry: Entry): RealServerConfig {
  const { mark, port, forwarding, server, weight, upperThreshold, lowerThreshold, tunnelType, given } = entry
  const tunnelled = forwarding === 'tunnel'
  if (entry.serverFamily !== entry.family && !tunnelled)
    throw new Refused('Different address family is allowed only for tunneling servers')
  if (!tunnelled && given.some(isTunnelColumn)) throw new Refused('Tunnel options conflict with forward method')
  const wrong = offence(tunnelType, TUNNEL_LEGAL[tunnelType], given, 'tunnel type', TUNNEL_COLUMNS)
  if (wrong !== undefined) throw new Refused(wrong)
  const { address } = server
  // Neither a tunnel nor direct routing can change it.
  const serverPort = mark || forwarding === 'masquerade' ? server.port : port
  const realServer = { address, port: serverPort, forwarding, weight, upperThreshold, lowerThreshold }
  return tunnelled ? { ...realServer, tunnel: tunnelOf(entry) } : realServer
}

function tunnelOf({ tunnelType: type, tunnelPort: port, given }: Entry): Tunnel {
  if (type === 'ipip') return { type }
  const checksum = given.includes('tun-remcsum') ? 'remote-checksum' : given.includes('tun-csum') ? 'checksum' : 'none'
  return type === 'gue' ? { type, port, checksum } : { type, checksum: checksum === 'checksum' ? checksum : 'none' }
}

function daemonOf(entry: Entry): SyncDaemonConfig {
  const { role, syncId, maximumLength, group, multicastPort, ttl } = entry
  return { role, interface: entry.interface || 'eth0', syncId, maximumLength, group, port: multicastPort, ttl }
}

/** Where several views are asked for, the first of these counts. */
const VIEWS: readonly (readonly [Column, TableView])[] = [
  ['stats', 'statistics'],
  ['rate', 'rates'],
  ['thresholds', 'thresholds'],
  ['persistent-conn', 'persistent-connections'],
  ['tun-info', 'tunnels'],
]

function listOf(entry: Entry): Unaddressed<Request> {
  const { given } = entry
  const has = (...columns: readonly Column[]): boolean => columns.some(column => given.includes(column))
  if (
    (has('connection', 'timeout', 'daemon') && has('stats', 'rate', 'thresholds')) ||
    (has('timeout', 'daemon') && has('persistent-conn'))
  )
    throw new Refused('options conflicts in the list command')
  return {
    command: 'list',
    what: has('connection') ? 'connections' : has('timeout') ? 'timeouts' : has('daemon') ? 'daemons' : 'tables',
    virtualServer: has('service-address') ? entry.virtualServer : undefined,
    view: VIEWS.find(([column]) => has(column))?.[1] ?? 'connections',
    persistent: has('persistent-conn'),
    numeric: has('numeric'),
    exact: has('exact'),
    sorted: !has('nosort'),
  }
}
