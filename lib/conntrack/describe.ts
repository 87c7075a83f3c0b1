/** Flows in words, for errors: `udp 10.0.0.1:5353 → 10.96.0.10:53`. */
import { formatEndpoint } from '../netlink/address.js'
import type { FlowKey, Tuple } from './types.js'

export function describeFlow(key: FlowKey): string {
  const tuple = key?.original ?? key?.reply
  return tuple ? `${key.original ? '' : 'answered by '}${describeTuple(tuple)}` : ''
}

function describeTuple({ protocol, source, destination, sourcePort, destinationPort }: Tuple): string {
  const end = (address: string, port: number | undefined) =>
    port === undefined ? String(address) : formatEndpoint(String(address), port)
  return `${protocol} ${end(source, sourcePort)} → ${end(destination, destinationPort)}`
}
