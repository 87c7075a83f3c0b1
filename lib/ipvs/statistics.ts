import type { Statistics } from './types.js'
import type { DestinationRecord, ServiceRecord } from './wire.js'

/** Of what was never counted. */
export const NO_STATISTICS: Statistics = statisticsOf({})

/** The 64-bit counters, or the 32-bit ones where the kernel has no others; undefined when they were not decoded. */
export function statisticsFromWire({
  statistics64,
  statistics32,
}: Pick<ServiceRecord | DestinationRecord, 'statistics64' | 'statistics32'>): Statistics | undefined {
  const wire = statistics64 ?? statistics32
  return wire && statisticsOf(wire)
}

function statisticsOf(wire: NonNullable<ServiceRecord['statistics64'] | ServiceRecord['statistics32']>): Statistics {
  return {
    connections: wide(wire.connections),
    incomingPackets: wide(wire.incomingPackets),
    outgoingPackets: wide(wire.outgoingPackets),
    incomingBytes: wide(wire.incomingBytes),
    outgoingBytes: wide(wire.outgoingBytes),
    connectionRate: wide(wire.connectionRate),
    incomingPacketRate: wide(wire.incomingPacketRate),
    outgoingPacketRate: wide(wire.outgoingPacketRate),
    incomingByteRate: wide(wire.incomingByteRate),
    outgoingByteRate: wide(wire.outgoingByteRate),
  }
}

function wide(value: bigint | number | undefined): bigint {
  return typeof value === 'bigint' ? value : BigInt(value ?? 0)
}
