/** Fields of ICMP that stand in the same place, by the type of the message (src/proto.c, PROTO_ICMP_*). */
import type { HeaderField, Protocol } from '../vocabulary/protocol.js'

const ECHO = [0n, 8n]
const ECHO6 = [128n, 129n]
/** Neighbour solicitation, advertisement and redirection; MLD has its address there, too. */
const TARGETS = [135n, 136n, 137n, 130n, 131n, 132n]

const TYPES: Readonly<Record<string, readonly bigint[]>> = {
  'icmp id': ECHO,
  'icmp sequence': ECHO,
  'icmp gateway': [5n],
  'icmp mtu': [3n],
  'icmpv6 parameter-problem': [4n],
  'icmpv6 mtu': [2n],
  'icmpv6 id': ECHO6,
  'icmpv6 sequence': ECHO6,
  'icmpv6 max-delay': [130n],
  'icmpv6 taddr': TARGETS,
  'icmpv6 daddr': [137n],
}

/** The types of messages that have a field; undefined where all have it. */
export const typesOfField = (protocol: Protocol, field: HeaderField): readonly bigint[] | undefined =>
  TYPES[`${protocol.name} ${field.name}`]

/** Whether a message of that type has the field; of an unknown type it may. */
export function isOfMessage(protocol: Protocol, field: HeaderField, message: bigint | undefined): boolean {
  const types = typesOfField(protocol, field)
  return message === undefined || types === undefined || types.includes(message)
}
