/** Words that documents have for numbers of the kernel. */

/** Protocols that helpers, time-outs and expectations are for, as `nft -j` prints them. */
export const PROTOCOLS = { tcp: 6, udp: 17, dccp: 33, sctp: 132 } as const

export const protocolName = (number: number): string =>
  Object.entries(PROTOCOLS).find(([, known]) => known === number)?.[0] ?? String(number)

/** Kinds of objects that are no tables, chains, rules, sets or flowtables. */
export const OBJECT_KINDS = [
  'counter',
  'quota',
  'limit',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'synproxy',
] as const
export type ObjectKind = (typeof OBJECT_KINDS)[number]

export const isObjectKind = (kind: unknown): kind is ObjectKind => OBJECT_KINDS.some(known => known === kind)
