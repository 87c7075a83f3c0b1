/** What the options of a command line have said so far, and how each is read. */
import type { Family, Netns, Protocol, RealServerKey, SyncDaemonConfig, VirtualServerKey } from '../../ipvs/index.js'
import { canonicalAddress, familyOf } from '../../netlink/address.js'
import { parseNetns } from '../words.js'
import { type Endpoint, parseEndpoint } from './endpoint.js'
import { addressOf } from './names.js'
import { dottedQuad, leadingNumber, wholeNumber } from './numbers.js'
import type { Column } from './options.js'
import type { Option } from './scan.js'

/** Ends the command line, as ipvsadm would: a message, and the exit status. */
export class Refused extends Error {
  readonly status: number

  constructor(message: string, status = 2) {
    super(message)
    this.status = status
  }
}

const PROTOCOLS: Readonly<Record<string, Protocol>> = { 'tcp-service': 'tcp', 'udp-service': 'udp', 'sctp-service': 'sctp' }
const DEFAULT_TIMEOUT = 360
/** 31 days. */
export const MAXIMUM_TIMEOUT = 86400 * 31
const MAXIMUM = 0x7fffffff
const NAME = 15

/** What has been read so far. */
export class Entry {
  readonly given: Column[] = []
  netns: Netns | undefined
  json = false
  protocol: Protocol | undefined
  address: string | undefined
  port = 0
  mark = 0
  /** IPv4 unless it is known to be IPv6; undefined before anything is known. */
  family: Family | undefined
  scheduler = ''
  flags: string | undefined
  persistence: number | undefined
  netmask: string | number | undefined
  engine = ''
  server: RealServerKey = { address: '0.0.0.0', port: 0 }
  serverFamily: Family | undefined
  forwarding: 'masquerade' | 'tunnel' | 'direct-route' = 'direct-route'
  weight = 1
  upperThreshold = 0
  lowerThreshold = 0
  tunnelType: 'ipip' | 'gue' | 'gre' = 'ipip'
  tunnelPort = 0
  role: SyncDaemonConfig['role'] = 'master'
  interface = ''
  syncId = 0
  group: string | undefined
  multicastPort: number | undefined
  ttl: number | undefined
  maximumLength: number | undefined

  get virtualServer(): VirtualServerKey {
    if (this.mark) return { firewallMark: this.mark, family: this.family ?? 'ipv4' }
    const { protocol = 'tcp', address = '0.0.0.0', port } = this
    if (protocol !== last.protocol || address !== last.address || port !== last.port) last = { protocol, address, port }
    return last
  }
}

/** Lines of a restore name one virtual server many times: one object for them spares checking and encoding it again. */
let last: { readonly protocol: Protocol; readonly address: string; readonly port: number } = {
  protocol: 'tcp',
  address: '',
  port: 0,
}

function numberOf(text: string, minimum: number, maximum: number, message: string): number {
  const number = wholeNumber(text, minimum, maximum)
  if (number === undefined) throw new Refused(message)
  return number
}

export function timeoutOf(text: string, minimum: number): number {
  return numberOf(text, minimum, MAXIMUM_TIMEOUT, `invalid timeout value \`${text}' specified`)
}

export function roleOf(text: string, message: string): SyncDaemonConfig['role'] {
  if (text !== 'master' && text !== 'backup') throw new Refused(message)
  return text
}

/** What was read last: see `last`. */
let known: { text?: string; protocol?: Protocol | undefined; endpoint?: Endpoint | undefined } = {}

function readService(entry: Entry, name: string, text: string): void | Promise<void> {
  entry.protocol = PROTOCOLS[name]
  const { protocol } = entry
  const endpoint = text === known.text && protocol === known.protocol ? known.endpoint : parseEndpoint(text, protocol)
  if (endpoint instanceof Promise) return endpoint.then(found => setService(entry, found))
  known = { text, protocol, endpoint }
  setService(entry, endpoint)
}

function setService(entry: Entry, endpoint: Endpoint | undefined): void {
  if (!endpoint) throw new Refused('illegal virtual server address[:port] specified')
  entry.address = endpoint.address
  entry.port = endpoint.port ?? 0
  entry.family = familyOf(endpoint.address)
  if (entry.family === 'ipv6') entry.netmask = undefined
}

function readServer(entry: Entry, text: string): void | Promise<void> {
  const endpoint = parseEndpoint(text, entry.protocol)
  if (endpoint instanceof Promise) return endpoint.then(found => setServer(entry, found))
  setServer(entry, endpoint)
}

function setServer(entry: Entry, endpoint: Endpoint | undefined): void {
  if (!endpoint) throw new Refused('illegal real server address[:port] specified')
  entry.serverFamily = familyOf(endpoint.address)
  entry.server = { address: endpoint.address, port: endpoint.port ?? entry.port }
}

async function readNetmask(entry: Entry, text: string): Promise<void> {
  if (entry.family === 'ipv6') {
    entry.netmask = leadingNumber(text)
    if (entry.netmask < 1 || entry.netmask > 128) throw new Refused('illegal ipv6 netmask specified')
    return
  }
  entry.netmask = dottedQuad(text) ?? (await addressOf(text))
  if (entry.netmask === undefined) throw new Refused('illegal virtual server persistent mask specified')
}

function readGroup(entry: Entry, text: string): void {
  const family = familyOf(text)
  const address = canonicalAddress(text)
  const multicast = family === 'ipv6' ? /^ff[0-9a-f]{2}:/ : /^2(2[4-9]|3\d)\./
  if (address === undefined || !multicast.test(address))
    throw new Refused(`invalid ${family === 'ipv6' ? 'IPv6' : 'IPv4'} mcast-group \`${text}'`)
  entry.group = address
}

function readTunnelType(entry: Entry, text: string): void {
  if (text !== 'ipip' && text !== 'gue' && text !== 'gre') throw new Refused('illegal tunnel type specified')
  entry.tunnelType = text
}

/** How each option that says something is read. Those that are only there or not are looked up in `given`. */
const READERS: Readonly<Record<string, (entry: Entry, text: string, name: string) => void | Promise<void>>> = {
  'tcp-service': (entry, text, name) => readService(entry, name, text),
  'udp-service': (entry, text, name) => readService(entry, name, text),
  'sctp-service': (entry, text, name) => readService(entry, name, text),
  'fwmark-service': (entry, text) => {
    entry.family = 'ipv4'
    entry.protocol = 'tcp'
    entry.mark = numberOf(text, 1, 0xffffffff, `invalid fwmark value \`${text}' specified`)
  },
  ipv6: entry => {
    if (!entry.mark) throw new Refused('-6 used before -f\n')
    entry.family = 'ipv6'
    entry.netmask = undefined
  },
  scheduler: (entry, text) => {
    entry.scheduler = text.slice(0, NAME)
  },
  netmask: readNetmask,
  pe: (entry, text) => {
    entry.engine = text.slice(0, NAME + 1)
  },
  'sched-flags': (entry, text) => {
    entry.flags = text
  },
  'real-server': readServer,
  gatewaying: entry => {
    entry.forwarding = 'direct-route'
  },
  ipip: entry => {
    entry.forwarding = 'tunnel'
  },
  masquerading: entry => {
    entry.forwarding = 'masquerade'
  },
  weight: (entry, text) => {
    entry.weight = numberOf(text, 0, MAXIMUM, 'illegal weight specified')
  },
  'u-threshold': (entry, text) => {
    entry.upperThreshold = numberOf(text, 0, MAXIMUM, 'illegal u_threshold specified')
  },
  'l-threshold': (entry, text) => {
    entry.lowerThreshold = numberOf(text, 0, MAXIMUM, 'illegal l_threshold specified')
  },
  'tun-type': readTunnelType,
  'tun-port': (entry, text) => {
    entry.tunnelPort = numberOf(text, 1, 65535, 'illegal tunnel port specified')
  },
  'mcast-interface': (entry, text) => {
    entry.interface = text.slice(0, NAME)
  },
  syncid: (entry, text) => {
    entry.syncId = numberOf(text, 0, 255, 'illegal syncid specified')
  },
  'mcast-group': readGroup,
  'mcast-port': (entry, text) => {
    entry.multicastPort = numberOf(text, 1, 65535, 'illegal mcast-port specified')
  },
  'mcast-ttl': (entry, text) => {
    entry.ttl = numberOf(text, 1, 255, 'illegal mcast-ttl specified')
  },
  'sync-maxlen': (entry, text) => {
    entry.maximumLength = numberOf(text, 1, 65507, 'illegal sync-maxlen specified')
  },
  netns: (entry, text) => {
    entry.netns = parseNetns(text)
  },
  json: entry => {
    entry.json = true
  },
}

/** Takes in one option. @throws {Refused} */
export function read(entry: Entry, { spec, argument, word }: Option): void | Promise<void> {
  if (spec.kind === 'command') throw new Refused(`invalid option \`${word}'`)
  const { column, name } = spec
  if (column !== undefined) {
    if (entry.given.includes(column)) throw new Refused(`multiple '${column}' options specified`)
    entry.given.push(column)
  }
  if (name !== 'persistent') return READERS[name]?.(entry, argument ?? '', name)
  entry.persistence = argument === undefined ? DEFAULT_TIMEOUT : timeoutOf(argument, 1)
}
