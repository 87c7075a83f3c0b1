/** The files of IPVS below /proc (ip_vs_conn.c, ip_vs_conn_seq_show; ip_vs_ctl.c, ip_vs_stats_show). */

import type { Connection, Endpoint } from '../ipvs/proc.js'
import { familyOf, writeAddress } from '../netlink/address.js'
import type { Counters } from './ipvs.js'

/** /proc/net/ip_vs_conn */
export function connectionTable(connections: Iterable<Connection>): string {
  const rows = ['Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData']
  for (const connection of connections) {
    const { engine, engineData = '', expires } = connection
    rows.push(`${connectionStart(connection)} ${decimal(expires)}${engine === undefined ? '' : ` ${engine} ${engineData}`}`)
  }
  return lines(rows)
}

/** /proc/net/ip_vs_conn_sync */
export function synchronisedTable(connections: Iterable<Connection>): string {
  const rows = ['Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires']
  for (const connection of connections) {
    const origin = connection.synchronised ? 'SYNC' : 'LOCAL'
    rows.push(`${connectionStart(connection)} ${origin.padEnd(6)} ${decimal(connection.expires)}`)
  }
  return lines(rows)
}

/** /proc/net/ip_vs_stats */
export function statistics(counters: Counters): string {
  return lines([
    '   Total Incoming Outgoing         Incoming         Outgoing',
    '   Conns  Packets  Packets            Bytes            Bytes',
    totals(counters),
    '',
    ' Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s',
    rates(counters),
  ])
}

/** /proc/net/ip_vs_stats_percpu of a machine with one CPU. */
export function cpuStatistics(counters: Counters): string {
  return lines([
    '       Total Incoming Outgoing         Incoming         Outgoing',
    'CPU    Conns  Packets  Packets            Bytes            Bytes',
    `  0 ${totals(counters)}`,
    `  ~ ${totals(counters)}`,
    '',
    '     Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s',
    `    ${rates(counters)}`,
  ])
}

/** /proc/net/fib_trie of a namespace where only the loopback interface is up. Before that it is empty (net/ipv4/fib_trie.c). */
export const LOOPBACK_TRIE = lines(
  ['Main', 'Local'].flatMap(table => [
    `${table}:`,
    '  +-- 127.0.0.0/8 2 0 2',
    '     +-- 127.0.0.0/31 1 0 0',
    '        |-- 127.0.0.0',
    '           /8 host LOCAL',
    '        |-- 127.0.0.1',
    '           /32 host LOCAL',
    '     |-- 127.255.255.255',
    '        /32 link BROADCAST',
  ]),
)

function lines(rows: readonly string[]): string {
  return `${rows.join('\n')}\n`
}

const decimal = (value: number): string => String(value).padStart(7)
const hex = (value: bigint, width: number): string => value.toString(16).toUpperCase().padStart(width)

function connectionStart({ protocol, client, virtual, destination, state }: Connection): string {
  const path = [client, virtual, destination].map(endpoint).join(' ')
  return `${protocol.toUpperCase().padEnd(3)} ${path} ${state.padEnd(11)}`
}

function endpoint({ address, port }: Endpoint): string {
  return `${addressText(address)} ${port.toString(16).toUpperCase().padStart(4, '0')}`
}

/** `0A000001`, or IPv6 in full and small letters. */
function addressText(address: string): string {
  const bytes = Buffer.alloc(16)
  const family = familyOf(address)
  if (!writeAddress(address, family, bytes, 0)) throw new RangeError(`${address} is no address`)
  if (family === 'ipv4') return bytes.toString('hex', 0, 4).toUpperCase()
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':')
}

function totals({ connections, incomingPackets, outgoingPackets, incomingBytes, outgoingBytes }: Counters): string {
  const packets = [connections, incomingPackets, outgoingPackets].map(value => hex(value, 8))
  return [...packets, hex(incomingBytes, 16), hex(outgoingBytes, 16)].join(' ')
}

function rates(counters: Counters): string {
  const packets = [counters.connectionRate, counters.incomingPacketRate, counters.outgoingPacketRate].map(value => hex(value, 8))
  return [...packets, hex(counters.incomingByteRate, 16), hex(counters.outgoingByteRate, 16)].join(' ')
}
