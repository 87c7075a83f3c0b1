/** Idle time-outs: plain object to wire record and back. */
import type { Timeouts } from './types.js'
import { integer, knownKeys, object } from './validate.js'
import type { RequestRecord } from './wire.js'

/** INT_MAX / HZ at the lowest HZ. The kernel refuses what is too much for its own. */
const MAXIMUM = 21_474_836
const KNOWN = { tcp: 0, tcpFin: 0, udp: 0 }

/** What is left out stays; so would 0, which the kernel takes and ignores. */
export function timeoutsToWire(timeouts: Partial<Timeouts>, field = 'timeouts'): RequestRecord {
  object(timeouts, field)
  knownKeys(timeouts, field, KNOWN)
  const check = (key: keyof Timeouts): number | undefined =>
    timeouts[key] === undefined ? undefined : integer(timeouts[key], `${field}.${key}`, 1, MAXIMUM)
  return { tcpTimeout: check('tcp'), tcpFinTimeout: check('tcpFin'), udpTimeout: check('udp') }
}

export function timeoutsFromWire({ tcpTimeout = 0, tcpFinTimeout = 0, udpTimeout = 0 }: RequestRecord): Timeouts {
  return { tcp: tcpTimeout, tcpFin: tcpFinTimeout, udp: udpTimeout }
}
