/** Headers of transport protocols. */
import { fields } from '../fields.js'
import type { Protocol } from '../protocol.js'

const PORTS = `
      sport inet_service 0
      dport inet_service 16`

export const TRANSPORT: readonly Protocol[] = [
  {
    name: 'udp',
    layer: 'transport',
    // By their ports, which nobody has to keep to: so nothing says which of them it is.
    upper: [
      [0, 'vxlan'],
      [0, 'geneve'],
    ],
    checksum: { field: 'checksum', pseudoHeader: true },
    fields: fields(`${PORTS}
      length integer 32 16
      checksum integer 48 16`),
  },
  {
    name: 'udplite',
    layer: 'transport',
    upper: [],
    fields: fields(`${PORTS}
      csumcov integer 32 16
      checksum integer 48 16`),
  },
  {
    name: 'tcp',
    layer: 'transport',
    upper: [],
    checksum: { field: 'checksum', pseudoHeader: true },
    fields: fields(`${PORTS}
      sequence integer 32 32
      ackseq integer 64 32
      doff integer 96 4
      reserved integer 100 4
      flags tcp_flag 104
      window integer 112 16
      checksum integer 128 16
      urgptr integer 144 16`),
  },
  {
    name: 'dccp',
    layer: 'transport',
    upper: [],
    fields: fields(`${PORTS}
      type dccp_pkttype 67`),
  },
  {
    name: 'sctp',
    layer: 'transport',
    upper: [],
    checksum: { field: 'checksum' },
    fields: fields(`${PORTS}
      vtag integer 32 32
      checksum integer 64 32`),
  },
  { name: 'th', layer: 'transport', upper: [], fields: fields(PORTS) },
]
