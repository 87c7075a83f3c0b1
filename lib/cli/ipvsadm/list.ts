/** The listings. */
import {
  type Connection,
  formatHeading,
  formatRows,
  formatRules,
  formatTable,
  type Info,
  type IpvsClient,
  type Names,
  namedEndpoint,
  type Protocol,
  type SyncDaemon,
  sortVirtualServers,
  type VirtualServerKey,
  type VirtualServerWithRealServers,
} from '../../ipvs/index.js'
import { type Io, write } from '../io.js'
import { toJson } from '../json.js'
import { HostNames } from './names.js'
import type { ListRequest, Request } from './parse.js'

type List = Extract<Request, { command: 'list' }>

/** Prints what was asked for. Returns the exit status. */
export async function list(lvs: IpvsClient, request: List, io: Io): Promise<number> {
  switch (request.what) {
    case 'connections':
      return listConnections(lvs, request, io)
    case 'timeouts': {
      const timeouts = await lvs.timeouts()
      const { tcp, tcpFin, udp } = timeouts
      await write(io.stdout, request.json ? `${toJson(timeouts, 2)}\n` : `Timeout (tcp tcpfin udp): ${tcp} ${tcpFin} ${udp}\n`)
      return 0
    }
    case 'daemons': {
      const daemons = await lvs.syncDaemons()
      await write(io.stdout, request.json ? `${toJson(daemons, 2)}\n` : daemons.map(daemonLine).join(''))
      return 0
    }
    default:
      return listTables(lvs, request, io)
  }
}

function daemonLine({ role, interface: name, syncId, maximumLength, group, port, ttl }: SyncDaemon): string {
  const rest = [
    maximumLength > 0 && `, maxlen=${maximumLength}`,
    group && `, group=${group}`,
    port > 0 && `, port=${port}`,
    ttl > 0 && `, ttl=${ttl}`,
  ]
  return `${role} sync daemon (mcast=${name}, syncid=${syncId}${rest.filter(Boolean).join('')})\n`
}

async function listTables(lvs: IpvsClient, request: List, io: Io): Promise<number> {
  const { virtualServer: key, view, exact, sorted, numeric, json } = request
  const statistics = view === 'statistics' || view === 'rates'
  if (!key && numeric && !json) return printTables(lvs, request, statistics, io)
  const found = key ? await readOne(lvs, key, statistics) : await readAll(lvs, statistics, io)
  if (!found) {
    await write(io.stderr, 'No such service\n')
    return 1
  }
  const { info, virtualServers } = found
  if (json) {
    const shown = sorted ? sortVirtualServers(virtualServers) : virtualServers
    await write(io.stdout, `${toJson({ ...info, virtualServers: shown }, 2)}\n`)
    return 0
  }
  const names = numeric ? undefined : await new HostNames().namesFor(addressesOf(virtualServers))
  await write(io.stdout, `${formatTable(virtualServers, info, { view, exact, sorted, names })}\n`)
  return 0
}

/** Prints the tables while they are read: what has been printed need not stay in memory. */
async function printTables(lvs: IpvsClient, request: List, statistics: boolean, io: Io): Promise<number> {
  const { view, exact, sorted } = request
  let printed = write(io.stdout, `${formatHeading(await lvs.info(), view)}\n`)
  const print = (group: readonly VirtualServerWithRealServers[]): void => {
    // Not waited for: a reader that takes its time must not hold up the kernel.
    printed = Promise.all([printed, write(io.stdout, `${formatRows(group, { view, exact, sorted })}\n`)]).then(() => {})
    printed.catch(() => {}) // told below
  }
  const { consistent } = await lvs.visit(print, { statistics, sorted })
  await printed
  if (!consistent) await write(io.stderr, INCONSISTENT)
  return 0
}

const INCONSISTENT = 'Warning: the tables kept changing while they were read, so that something may be missing\n'

interface Tables {
  readonly info?: Info
  readonly virtualServers: readonly VirtualServerWithRealServers[]
}

async function readAll(lvs: IpvsClient, statistics: boolean, io: Io): Promise<Tables> {
  const [info, { virtualServers, consistent }] = await Promise.all([lvs.info(), lvs.snapshot({ statistics })])
  if (!consistent) await write(io.stderr, INCONSISTENT)
  return { info, virtualServers }
}

async function readOne(lvs: IpvsClient, key: VirtualServerKey, statistics: boolean): Promise<Tables | undefined> {
  const virtualServer = await lvs.getVirtualServer(key)
  if (!virtualServer) return undefined
  const { statistics: counters, ...rest } = virtualServer
  const realServers = await lvs.listRealServers(key, { statistics }).toArray()
  return { virtualServers: [{ ...(statistics ? virtualServer : rest), realServers }] }
}

function* addressesOf(virtualServers: readonly VirtualServerWithRealServers[]): Generator<string> {
  for (const vs of virtualServers) {
    if ('address' in vs) yield vs.address
    for (const { address } of vs.realServers) yield address
  }
}

/** Prints the rules. What they can not say is told on standard error. */
export async function save(lvs: IpvsClient, { numeric }: { readonly numeric: boolean }, io: Io): Promise<number> {
  const { virtualServers } = await readAll(lvs, false, io)
  const names = numeric ? undefined : await new HostNames().namesFor(addressesOf(virtualServers))
  const { text, lost } = formatRules(virtualServers, { names })
  if (text) await write(io.stdout, `${text}\n`)
  for (const loss of lost) await write(io.stderr, `Not saved: ${loss}\n`)
  return 0
}

/** Connections that are formatted in one go. */
const SLICE = 1000

async function listConnections(lvs: IpvsClient, request: List, io: Io): Promise<number> {
  await lvs.info() // the table is there for everybody to see, but only while the module is loaded
  if (request.json) return connectionsAsJson(lvs, io)
  const title = request.persistent
    ? connectionColumns(['state', 'source', 'virtual', 'destination', 'pe name', 'pe_data'], [11, 18, 18, 18, 16, 0])
    : connectionColumns(['state', 'source', 'virtual', 'destination'], [11, 18, 18, 0])
  await write(io.stdout, `IPVS connection entries\npro expire ${title}\n`)
  const hosts = new HostNames()
  for await (const slice of slices(lvs.connections())) {
    const addresses = slice.flatMap(({ client, virtual, destination }) => [client, virtual, destination].map(end => end.address))
    const names = request.numeric ? undefined : await hosts.namesFor(addresses)
    await write(io.stdout, slice.map(connection => connectionLine(connection, request, names)).join(''))
  }
  return 0
}

async function* slices<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let slice: T[] = []
  for await (const item of items) {
    if (slice.push(item) < SLICE) continue
    yield slice
    slice = []
  }
  if (slice.length > 0) yield slice
}

function connectionColumns(values: readonly string[], widths: readonly number[]): string {
  return values.map((value, i) => value.padEnd(widths[i] ?? 0)).join(' ')
}

const PLAIN: Names = { host: address => address, port: String }

function connectionLine(connection: Connection, { persistent }: ListRequest, names: Names = PLAIN): string {
  const { protocol, state, expires, client, virtual, destination, engine, engineData } = connection
  const ends = [client, virtual, destination].map(({ address, port }) =>
    namedEndpoint(names, address, port, protocol as Protocol),
  )
  const minutes = String(Math.floor(expires / 60)).padStart(2, '0')
  const expire = `${minutes}:${String(expires % 60).padStart(2, '0')}`
  const withEngine = persistent && engine !== undefined && engineData !== undefined
  const columns = withEngine
    ? connectionColumns([state, ...ends, engine, engineData.split(' ', 1)[0] ?? ''], [11, 18, 18, 16, 18, 0])
    : connectionColumns([state, ...ends], [11, 18, 18, 0])
  return `${protocol.toUpperCase().padEnd(3)} ${expire.padEnd(6)} ${columns}\n`
}

/** One connection a line, in an array. */
async function connectionsAsJson(lvs: IpvsClient, io: Io): Promise<number> {
  let before = '['
  for await (const slice of slices(lvs.connections({ origin: true }))) {
    await write(io.stdout, slice.map((connection, i) => `${i === 0 ? before : ','}\n  ${toJson(connection)}`).join(''))
    before = ','
  }
  await write(io.stdout, before === '[' ? '[]\n' : '\n]\n')
  return 0
}
