/** Headers and options in the user data of sets (nftables 1.1.3, include/proto.h: proto_desc_id; src/exthdr.c, src/tcpopt.c). */
import type * as json from '../json/index.js'
import { EXTENSION_HEADERS } from './exthdr.js'
import { IP_OPTIONS } from './ip-option.js'
import type { Option } from './option.js'
import { fieldNamed, protocolNamed } from './protocols.js'
import { SCTP_CHUNKS } from './sctp-chunk.js'
import { TCP_OPTIONS } from './tcp-option.js'
import type { Node } from './typeof-nodes.js'

/** EXPR_* */
export const PAYLOAD = 7
export const EXTHDR = 8

/** By their numbers, which are never used for anything else. */
const PROTOCOLS: readonly string[] = [
  '',
  ...['ah', 'esp', 'comp', 'icmp', 'igmp', 'udp', 'udplite', 'tcp', 'dccp', 'sctp', 'th', 'ip', 'ip6', 'icmpv6', 'arp', 'vlan'],
  ...['ether', 'vxlan', 'geneve', 'gre', 'gretap'],
]
/** Where nft numbers the fields in another order than the one in which they stand. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  igmp: ['type', 'checksum', 'mrt', 'group'],
  gre: ['version', 'flags', 'protocol'],
  geneve: ['vni', 'type'],
  vxlan: ['vni', 'flags'],
  vlan: ['pcp', 'dei', 'cfi', 'id', 'type'],
}
const BASES = ['ll', 'nh', 'th', 'ih'] as const
const TUNNELS: ReadonlySet<string> = new Set(['vxlan', 'geneve'])

const fieldsOf = (protocol: string): readonly string[] =>
  FIELDS[protocol] ?? protocolNamed(protocol)?.fields.map(field => field.name) ?? []

const DESCRIPTION = 0
const TYPE = 1
const BASE = 2
const OFFSET = 3
const LENGTH = 4
const INNER = 5

export function payloadToNode({ payload }: json.PayloadExpression): Node | undefined {
  if ('base' in payload) {
    const base = BASES.indexOf(payload.base) + 1
    return {
      kind: PAYLOAD,
      numbers: [
        [DESCRIPTION, 0],
        [TYPE, 0],
        [BASE, base],
        [OFFSET, payload.offset],
        [LENGTH, payload.len],
      ],
    }
  }
  const { protocol, field } = payload
  const description = PROTOCOLS.indexOf(protocol)
  const type = fieldsOf(protocol).indexOf(field) + 1
  const known = protocolNamed(protocol)
  const header = known && fieldNamed(known, field)
  if (description < 1 || type < 1 || !header) return undefined
  const tunnel = payload.tunnel ?? (TUNNELS.has(protocol) ? protocol : undefined)
  return {
    kind: PAYLOAD,
    numbers: [
      [DESCRIPTION, description],
      [TYPE, type],
      ...(header.type.name === 'integer' ? ([[LENGTH, header.bits]] as const) : []),
      ...(tunnel === undefined ? [] : ([[INNER, PROTOCOLS.indexOf(tunnel)]] as const)),
    ],
  }
}

export function payloadFromNode(numbers: ReadonlyMap<number, number>): json.PayloadExpression | undefined {
  const description = numbers.get(DESCRIPTION) ?? 0
  if (description === 0) {
    const base = BASES[(numbers.get(BASE) ?? 0) - 1]
    return base && { payload: { base, offset: numbers.get(OFFSET) ?? 0, len: numbers.get(LENGTH) ?? 0 } }
  }
  const protocol = PROTOCOLS[description]
  const field = protocol === undefined ? undefined : fieldsOf(protocol)[(numbers.get(TYPE) ?? 0) - 1]
  if (protocol === undefined || field === undefined) return undefined
  const tunnel = PROTOCOLS[numbers.get(INNER) ?? 0] || undefined
  return { payload: { ...(tunnel && { tunnel }), protocol, field } }
}

/** In the order of their numbers, from 1 on. */
const HEADERS = ['hbh', 'rt', 'rt0', 'rt2', 'srh', 'frag', 'dst', 'mh']
/** NFT_EXTHDR_OP_* */
const OPERATION = 2
const TCP_OPTION = 1
const IP_OPTION = 2
const SCTP_CHUNK = 3
const DCCP_OPTION = 4
/** Blocks of the option behind its first one: nft numbers the fields of all blocks as one row. */
const SACK_BLOCKS = ['sack1', 'sack2', 'sack3']
const SACK = 5
const SACK_FIELDS = ['left', 'right']
const BEHIND_FIRST_BLOCK = 4

/** Position of a field among those of an option. */
function positionOf(table: readonly Option[], name: string, field: string | undefined): readonly [Option, number] | undefined {
  const option = table.find(known => known.name === name)
  const position = option?.fields.findIndex(known => known.name === field) ?? -1
  if (!option || position < 0) return undefined
  const block = SACK_BLOCKS.indexOf(name)
  return [option, block < 0 ? position : BEHIND_FIRST_BLOCK + 2 * block + position]
}

/** In the order of their numbers, from 1 on: the same for all options. */
const IP_OPTION_FIELDS = ['type', 'length', 'value', 'ptr', 'addr']

const optionNode = (description: number, operation: number, type: number): Node => ({
  kind: EXTHDR,
  numbers: [
    [TYPE, type],
    [OPERATION, operation],
    [DESCRIPTION, description],
  ],
})

export function exthdrToNode({ exthdr: { name, field = 'nexthdr' } }: json.ExthdrExpression): Node | undefined {
  const found = positionOf(EXTENSION_HEADERS, name, field)
  if (!found) return undefined
  return {
    kind: EXTHDR,
    numbers: [
      [TYPE, found[1] + 1],
      [DESCRIPTION, HEADERS.indexOf(name) + 1],
    ],
  }
}

const NO_FIELD = 122

export function tcpOptionToNode({ 'tcp option': option }: json.TcpOptionExpression): Node | undefined {
  // Of an option without a name nft keeps no field that there is.
  if (!('name' in option)) return optionNode(option.base, TCP_OPTION, NO_FIELD)
  // Whether a later block is there is to nft whether the option is.
  const name = option.field === undefined && SACK_BLOCKS.includes(option.name) ? 'sack' : option.name
  const found = positionOf(TCP_OPTIONS, name, option.field ?? 'kind')
  return found && optionNode(found[0].type, TCP_OPTION, found[1])
}

export function ipOptionToNode({ 'ip option': { name, field = 'type' } }: json.IpOptionExpression): Node | undefined {
  const found = positionOf(IP_OPTIONS, name, field)
  return found && optionNode(found[0].type, IP_OPTION, IP_OPTION_FIELDS.indexOf(field) + 1)
}

export function sctpChunkToNode({ 'sctp chunk': { name, field = 'type' } }: json.SctpChunkExpression): Node | undefined {
  const found = positionOf(SCTP_CHUNKS, name, field)
  return found && optionNode(found[0].type, SCTP_CHUNK, found[1])
}

export const dccpOptionToNode = ({ 'dccp option': { type } }: json.DccpOptionExpression): Node => optionNode(type, DCCP_OPTION, 1)

export function exthdrFromNode(numbers: ReadonlyMap<number, number>): json.Expression | undefined {
  const description = numbers.get(DESCRIPTION) ?? 0
  const type = numbers.get(TYPE) ?? 0
  const named = (table: readonly Option[]): { name: string; field: string } | undefined => {
    const option = table.find(known => known.type === description)
    const field = option?.fields[type]?.name
    return option && field !== undefined ? { name: option.name, field } : undefined
  }
  switch (numbers.get(OPERATION)) {
    case TCP_OPTION: {
      const option = sackBlockOf(description, type) ?? named(TCP_OPTIONS)
      return option && { 'tcp option': option }
    }
    case IP_OPTION: {
      const option = IP_OPTIONS.find(known => known.type === description)
      const field = IP_OPTION_FIELDS[type - 1]
      return option && field !== undefined ? { 'ip option': { name: option.name, field } } : undefined
    }
    case SCTP_CHUNK: {
      const chunk = named(SCTP_CHUNKS)
      return chunk && { 'sctp chunk': chunk }
    }
    case DCCP_OPTION:
      return { 'dccp option': { type: description } }
    default: {
      const header = EXTENSION_HEADERS.find(known => known.name === HEADERS[description - 1])
      const field = header?.fields[type - 1]?.name
      return header && field !== undefined ? { exthdr: { name: header.name, field } } : undefined
    }
  }
}

function sackBlockOf(description: number, type: number): { name: string; field: string } | undefined {
  const behind = type - BEHIND_FIRST_BLOCK
  const name = description === SACK ? SACK_BLOCKS[behind >> 1] : undefined
  return name === undefined ? undefined : { name, field: SACK_FIELDS[behind & 1] as string }
}
