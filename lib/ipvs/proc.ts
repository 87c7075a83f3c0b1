/** What IPVS shows below /proc only: connections and global statistics (net/netfilter/ipvs/ip_vs_conn.c, ip_vs_ctl.c). */
import { type Family, formatAddress } from '../netlink/address.js'
import type { Transport } from '../netlink/transport.js'
import type { Statistics } from './types.js'

/** An address and port of a connection. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** A connection, or a persistence template: the client port of a template is 0, its client address masked. */
export interface Connection {
  readonly protocol: string
  readonly client: Endpoint
  readonly virtual: Endpoint
  readonly destination: Endpoint
  /** As the kernel names it: `ESTABLISHED`, `TIME_WAIT`, `UDP`, `NONE`… */
  readonly state: string
  /** Seconds until it is forgotten. */
  readonly expires: number
  /** Persistence engine and its data, as a SIP call id. */
  readonly engine?: string
  readonly engineData?: string
  /** Whether a synchronisation daemon brought it. Only where `origin` was asked for. */
  readonly synchronised?: boolean
}

export interface ConnectionOptions {
  /** Tell whether a synchronisation daemon brought a connection; a second table has to be read for it. Default false. */
  readonly origin?: boolean | undefined
}

const bytes = new Uint8Array(16)

/** `0A000001` or `2001:0db8:…` in full groups. */
function addressOf(text: string): string {
  const family: Family = text.includes(':') ? 'ipv6' : 'ipv4'
  const hex = family === 'ipv6' ? text.replaceAll(':', '') : text
  for (let i = 0; i < hex.length / 2 && i < 16; i++) bytes[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16)
  return formatAddress(bytes, 0, family)
}

function endpoint(address: string, port: string): Endpoint {
  return { address: addressOf(address), port: Number.parseInt(port, 16) }
}

async function* lines(transport: Transport, path: string): AsyncGenerator<string> {
  let rest = ''
  const decoder = new TextDecoder('latin1')
  for await (const chunk of transport.readFile(path)) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
  if (rest) yield rest
}

/** Connections as they are read; the kernel locks bucket by bucket, so one may be missed or seen twice while the table changes. */
export async function* connections(transport: Transport, { origin = false }: ConnectionOptions = {}): AsyncGenerator<Connection> {
  const synchronised = origin ? await synchronisedRows(transport) : undefined
  let header = true
  for await (const line of lines(transport, '/proc/net/ip_vs_conn')) {
    if (header) {
      header = false
      continue
    }
    const fields = line.trim().split(/\s+/)
    const [protocol, ca, cp, va, vp, da, dp, state, expires, engine, ...data] = fields
    if (!protocol || !ca || !cp || !va || !vp || !da || !dp || !state) continue
    yield {
      protocol: protocol.toLowerCase(),
      client: endpoint(ca, cp),
      virtual: endpoint(va, vp),
      destination: endpoint(da, dp),
      state,
      expires: Number(expires),
      ...(engine !== undefined && { engine }),
      ...(data.length > 0 && { engineData: data.join(' ') }),
      ...(synchronised && { synchronised: synchronised.has(fields.slice(0, 7).join(' ')) }),
    }
  }
}

/** The other table tells the origin, but not the persistence engine. */
async function synchronisedRows(transport: Transport): Promise<Set<string>> {
  const rows = new Set<string>()
  for await (const line of lines(transport, '/proc/net/ip_vs_conn_sync')) {
    const fields = line.trim().split(/\s+/)
    if (fields[8] === 'SYNC') rows.add(fields.slice(0, 7).join(' '))
  }
  return rows
}

function counters(row: readonly bigint[], rates: readonly bigint[] | undefined): Statistics {
  const at = (values: readonly bigint[] | undefined, i: number): bigint => values?.[i] ?? 0n
  return {
    connections: at(row, 0),
    incomingPackets: at(row, 1),
    outgoingPackets: at(row, 2),
    incomingBytes: at(row, 3),
    outgoingBytes: at(row, 4),
    connectionRate: at(rates, 0),
    incomingPacketRate: at(rates, 1),
    outgoingPacketRate: at(rates, 2),
    incomingByteRate: at(rates, 3),
    outgoingByteRate: at(rates, 4),
  }
}

/** Rows of five hexadecimal numbers, with what stands before them. */
async function hexRows(transport: Transport, path: string): Promise<{ label: string; values: bigint[] }[]> {
  const rows: { label: string; values: bigint[] }[] = []
  for await (const line of lines(transport, path)) {
    const fields = line.trim().split(/\s+/)
    const label = fields.length === 6 ? (fields.shift() ?? '') : ''
    if (fields.length === 5 && fields.every(field => /^[0-9A-Fa-f]+$/.test(field)))
      rows.push({ label, values: fields.map(field => BigInt(`0x${field}`)) })
  }
  return rows
}

/** Counters of all virtual servers together, since the namespace began or was zeroed. */
export async function globalStatistics(transport: Transport): Promise<Statistics> {
  const [totals, rates] = await hexRows(transport, '/proc/net/ip_vs_stats')
  return counters(totals?.values ?? [], rates?.values)
}

/** The same for each CPU, by its number, since the namespace began: zero does not touch them. Rates are kept for the total only. */
export async function cpuStatistics(transport: Transport): Promise<ReadonlyMap<number, Omit<Statistics, `${string}Rate`>>> {
  const rows = await hexRows(transport, '/proc/net/ip_vs_stats_percpu')
  return new Map(
    rows
      .filter(row => /^[0-9A-Fa-f]+$/.test(row.label))
      .map(row => {
        const { connections, incomingPackets, outgoingPackets, incomingBytes, outgoingBytes } = counters(row.values, undefined)
        return [Number.parseInt(row.label, 16), { connections, incomingPackets, outgoingPackets, incomingBytes, outgoingBytes }]
      }),
  )
}
