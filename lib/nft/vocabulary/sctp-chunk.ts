/** Chunks of SCTP (nftables 1.1.3, src/sctp_chunk.c). */
import { type Option, option } from './option.js'

const BEGINNING = `
  type integer 0 8
  flags integer 8 8
  length integer 16 16`
const INIT = `${BEGINNING}
  init-tag integer 32 32
  a-rwnd integer 64 32
  num-outbound-streams integer 96 16
  num-inbound-streams integer 112 16
  initial-tsn integer 128 32`
const one = (field: string): string => `${BEGINNING}
  ${field} integer 32 32`

export const SCTP_CHUNKS: readonly Option[] = [
  option(
    'data',
    0,
    `${BEGINNING}
    tsn integer 32 32
    stream integer 64 16
    ssn integer 80 16
    ppid integer 96 32`,
  ),
  option('init', 1, INIT),
  option('init-ack', 2, INIT),
  option(
    'sack',
    3,
    `${BEGINNING}
    cum-tsn-ack integer 32 32
    a-rwnd integer 64 32
    num-gap-ack-blocks integer 96 16
    num-dup-tsns integer 112 16`,
  ),
  option('heartbeat', 4, BEGINNING),
  option('heartbeat-ack', 5, BEGINNING),
  option('abort', 6, BEGINNING),
  option('shutdown', 7, one('cum-tsn-ack')),
  option('shutdown-ack', 8, BEGINNING),
  option('error', 9, BEGINNING),
  option('cookie-echo', 10, BEGINNING),
  option('cookie-ack', 11, BEGINNING),
  option('ecne', 12, one('lowest-tsn')),
  option('cwr', 13, one('lowest-tsn')),
  option('shutdown-complete', 14, BEGINNING),
  option('asconf-ack', 128, one('seqno')),
  option('forward-tsn', 192, one('new-cum-tsn')),
  option('asconf', 193, one('seqno')),
]
