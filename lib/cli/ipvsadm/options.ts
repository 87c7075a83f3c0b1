/**
 * ipvsadm's words, as data: help, man page and completions are made from this table, the command line is read by it. Two options are ours:
 * `--json` and `--netns`.
 */

export interface OptionSpec {
  /** Long name. */
  readonly name: string
  readonly short?: string
  readonly argument?: { readonly name: string; readonly optional?: true }
  readonly kind: 'command' | 'service' | 'option' | 'daemon-option'
  readonly help: string
  /** Its name in messages and in the table of what goes together. None: it goes with every command. */
  readonly column?: Column
}

/** What the table of legal combinations speaks of, in the order in which it is checked: the first offence is told. */
export const COLUMNS = [
  'numeric',
  'connection',
  'service-address',
  'scheduler',
  'persistent',
  'netmask',
  'real-server',
  'forwarding-method',
  'weight',
  'u-threshold',
  'l-threshold',
  'mcast-interface',
  'timeout',
  'daemon',
  'stats',
  'rate',
  'thresholds',
  'persistent-conn',
  'nosort',
  'syncid',
  'exact',
  'ops',
  'pe',
  'sched-flags',
  'mcast-group',
  'mcast-port',
  'mcast-ttl',
  'sync-maxlen',
  'tun-info',
  'tun-type',
  'tun-port',
  'tun-nocsum',
  'tun-csum',
  'tun-remcsum',
] as const
export type Column = (typeof COLUMNS)[number]

const service = (name: string, short: string | undefined, argument: string, help: string): OptionSpec => ({
  name,
  ...(short !== undefined && { short }),
  argument: { name: argument },
  kind: 'service',
  help,
  column: 'service-address',
})
const command = (name: string, short: string | undefined, help: string, argument?: string): OptionSpec => ({
  name,
  ...(short !== undefined && { short }),
  ...(argument !== undefined && { argument: { name: argument } }),
  kind: 'command',
  help,
})
const option = (name: Column, short: string | undefined, help: string, argument?: string): OptionSpec => ({
  name,
  ...(short !== undefined && { short }),
  ...(argument !== undefined && { argument: { name: argument } }),
  kind: /^mcast-|^sync/.test(name) ? 'daemon-option' : 'option',
  help,
  column: name,
})

export const OPTIONS: readonly OptionSpec[] = [
  command('add-service', 'A', 'add a virtual server'),
  command('edit-service', 'E', 'replace the configuration of a virtual server'),
  command('delete-service', 'D', 'remove a virtual server and its real servers'),
  command('clear', 'C', 'remove every virtual server'),
  command('restore', 'R', 'carry out the lines of the standard input, each as if it stood on a command line'),
  command('save', 'S', 'print the tables as lines for --restore'),
  command('add-server', 'a', 'add a real server to a virtual server'),
  command('edit-server', 'e', 'replace the configuration of a real server'),
  command('delete-server', 'd', 'remove a real server from a virtual server'),
  command('list', 'L', 'list the tables, one virtual server, the connections, the time-outs or the daemons (also -l)'),
  command('zero', 'Z', 'set the counters of one virtual server or of all to zero'),
  command('set', undefined, 'set the idle time-outs: --set TCP TCPFIN UDP, in seconds; 0 leaves one as it is'),
  command('start-daemon', undefined, 'start a daemon that synchronises connections', 'master|backup'),
  command('stop-daemon', undefined, 'stop it', 'master|backup'),
  command('help', 'h', 'print this'),
  command('version', 'v', 'print the version'),
  service('tcp-service', 't', 'host[:port]', 'a virtual server for TCP; without a port for every port, which takes -p'),
  service('udp-service', 'u', 'host[:port]', 'a virtual server for UDP'),
  service('sctp-service', undefined, 'host[:port]', 'a virtual server for SCTP'),
  service('fwmark-service', 'f', 'mark', 'a virtual server for packets with a firewall mark, 1 to 4294967295'),
  { name: 'ipv6', short: '6', kind: 'option', help: 'behind -f: the mark is for IPv6' },
  option('scheduler', 's', 'scheduler, by default wlc', 'scheduler'),
  {
    name: 'persistent',
    short: 'p',
    argument: { name: 'seconds', optional: true },
    kind: 'option',
    help: 'clients stay with their real server for so long, 1 to 2678400 s, by default 360',
    column: 'persistent',
  },
  option('netmask', 'M', 'which clients count as one: an IPv4 mask, or an IPv6 prefix length', 'netmask'),
  option('pe', undefined, 'persistence engine, such as sip', 'engine'),
  option('ops', 'o', 'schedule every packet for itself; UDP and firewall marks only'),
  option(
    'sched-flags',
    'b',
    'flags of the scheduler, with commas: sh-fallback, sh-port, mh-fallback, mh-port, flag-1 to flag-3',
    'flags',
  ),
  option('real-server', 'r', 'a real server; without a port it has that of the virtual server', 'host[:port]'),
  {
    name: 'gatewaying',
    short: 'g',
    kind: 'option',
    help: 'reach it by direct routing (the default)',
    column: 'forwarding-method',
  },
  { name: 'ipip', short: 'i', kind: 'option', help: 'reach it through a tunnel', column: 'forwarding-method' },
  { name: 'masquerading', short: 'm', kind: 'option', help: 'reach it by NAT', column: 'forwarding-method' },
  option('weight', 'w', 'weight, 0 to 2147483647, by default 1; 0 takes no new connections', 'weight'),
  option('u-threshold', 'x', 'no new connections from so many on; 0, the default, is no limit', 'connections'),
  option('l-threshold', 'y', 'new connections again below so many', 'connections'),
  option('tun-type', undefined, 'kind of the tunnel: ipip (the default), gue or gre', 'type'),
  option('tun-port', undefined, 'UDP port of a gue tunnel, 1 to 65535', 'port'),
  option('tun-nocsum', undefined, 'gue and gre without checksums (the default)'),
  option('tun-csum', undefined, 'gue and gre with checksums'),
  option('tun-remcsum', undefined, 'gue with remote checksums'),
  option('connection', 'c', 'list the connections'),
  option('timeout', undefined, 'list the time-outs'),
  option('daemon', undefined, 'list the daemons'),
  option('stats', undefined, 'list counters'),
  option('rate', undefined, 'list rates'),
  option('thresholds', undefined, 'list thresholds'),
  option('persistent-conn', undefined, 'list persistent connections; with -c the data of persistence engines'),
  option('tun-info', undefined, 'list tunnels'),
  option('exact', 'X', 'counters digit by digit'),
  option('numeric', 'n', 'addresses and ports instead of names'),
  option('nosort', undefined, "the kernel's order, newest first"),
  { name: 'sort', kind: 'option', help: 'sorted, which is the default' },
  { name: 'json', kind: 'option', help: 'print a listing as JSON; with -S as ts-ipvs save --format json' },
  {
    name: 'netns',
    argument: { name: 'namespace' },
    kind: 'option',
    help: 'network namespace: name as in `ip netns`, path, or process id; may stand before the command',
  },
  option('syncid', undefined, 'identity of the group of directors, 0 to 255, by default 0', 'id'),
  option('sync-maxlen', undefined, 'longest message in bytes, 1 to 65507, by default what the interface takes', 'length'),
  option('mcast-interface', undefined, 'interface for the messages, by default eth0', 'interface'),
  option('mcast-group', undefined, 'multicast address, by default 224.0.0.81', 'address'),
  option('mcast-port', undefined, 'UDP port, by default 8848', 'port'),
  option('mcast-ttl', undefined, 'hops, by default 1', 'ttl'),
]

/** A command, by the name that messages use. */
export type Command = keyof typeof LEGAL

interface Legality {
  readonly required: readonly Column[]
  readonly optional: readonly Column[]
  /** One of them at most. */
  readonly exclusive: readonly Column[]
}

const legality = (parts: Partial<Legality>): Legality => ({ required: [], optional: [], exclusive: [], ...parts })

const CONFIGURATION: readonly Column[] = ['scheduler', 'persistent', 'netmask', 'ops', 'pe', 'sched-flags']
const TUNNEL: readonly Column[] = ['tun-type', 'tun-port', 'tun-nocsum', 'tun-csum', 'tun-remcsum']
const REAL_SERVER = legality({
  required: ['service-address', 'real-server'],
  optional: ['forwarding-method', 'weight', 'u-threshold', 'l-threshold', ...TUNNEL],
})

/** Which options go with which command; all others do not. */
export const LEGAL = {
  'add-service': legality({ required: ['service-address'], optional: CONFIGURATION }),
  'edit-service': legality({ required: ['service-address'], optional: CONFIGURATION }),
  'delete-service': legality({ required: ['service-address'] }),
  flush: legality({}),
  list: legality({
    optional: ['numeric', 'stats', 'rate', 'thresholds', 'persistent-conn', 'nosort', 'syncid', 'exact', 'tun-info'],
    exclusive: ['connection', 'service-address', 'timeout', 'daemon'],
  }),
  'add-server': REAL_SERVER,
  'delete-server': legality({ required: ['service-address', 'real-server'] }),
  'edit-server': REAL_SERVER,
  set: legality({}),
  'start-daemon': legality({ optional: ['mcast-interface', 'syncid', 'mcast-group', 'mcast-port', 'mcast-ttl', 'sync-maxlen'] }),
  'stop-daemon': legality({ optional: ['syncid'] }),
  restore: legality({}),
  save: legality({ optional: ['numeric'] }),
  zero: legality({ optional: ['service-address'] }),
} as const satisfies Readonly<Record<string, Legality>>

/** The same for kinds of tunnels. */
export const TUNNEL_LEGAL: Readonly<Record<'ipip' | 'gue' | 'gre', Legality>> = {
  ipip: legality({}),
  gue: legality({ required: ['tun-port'], exclusive: ['tun-nocsum', 'tun-csum', 'tun-remcsum'] }),
  gre: legality({ exclusive: ['tun-nocsum', 'tun-csum'] }),
}

/** Offences against a table, as a sentence; undefined when there is none. `what` is `command` or `tunnel type`. */
export function offence(
  name: string,
  legal: Legality,
  given: readonly Column[],
  what: string,
  columns: readonly Column[] = COLUMNS,
): string | undefined {
  if (!offends(legal, given)) return undefined
  const { required, optional, exclusive } = legal
  let chosen: Column | undefined
  for (const column of columns) {
    if (!given.includes(column)) {
      if (required.includes(column)) return `You need to supply the '${column}' option for the '${name}' ${what}`
    } else if (exclusive.includes(column)) {
      if (chosen) return `The option '${column}' conflicts with the '${chosen}' option in the '${name}' ${what}`
      chosen = column
    } else if (!required.includes(column) && !optional.includes(column)) {
      return `Illegal '${column}' option with the '${name}' ${what}`
    }
  }
  return undefined
}

/** Whether a closer look is worth it: a restore has many lines, and most of them are right. */
function offends({ required, optional }: Legality, given: readonly Column[]): boolean {
  let missing = required.length
  for (let i = 0; i < given.length; i++) {
    const column = given[i] as Column
    if (required.includes(column)) missing--
    else if (!optional.includes(column)) return true
  }
  return missing > 0
}

/** The options of a tunnel, in the order in which they are checked. */
export const TUNNEL_COLUMNS: readonly Column[] = TUNNEL.filter(column => column !== 'tun-type')

export const isTunnelColumn = (column: Column): boolean => TUNNEL.includes(column)
