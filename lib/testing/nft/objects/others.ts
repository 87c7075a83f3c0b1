/** Security marks (net/netfilter/nft_meta.c) and tunnels (net/netfilter/nft_tunnel.c) as objects. */
import { EINVAL, ERANGE, Errno } from '../../errno.js'
import { binary, nestedRule, type Policy, string, u8Rule, u16Rule, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { type ExpressionType, need, Told } from '../expression.js'

/** NFT_SECMARK_CTX_MAXLEN */
const CONTEXT = 256

export const secmark: ExpressionType = {
  name: 'meta',
  policy: { 1: string(CONTEXT) },
  init(_, attributes) {
    need(attributes, 1)
    return new Told().text(1, attributes.text(1))
  },
}

const NFPROTO_NETDEV = 5
const TUNNEL = { id: 1, ip: 2, ip6: 3, flags: 4, tos: 5, ttl: 6, sourcePort: 7, destinationPort: 8, options: 9 } as const
const OPTIONS = { vxlan: 1, erspan: 2, geneve: 3 } as const
const addressPolicy = (length: number): Policy => ({ 1: binary(length), 2: binary(length), 3: u32Rule })
/** NFT_TUNNEL_F_MASK */
const ALL_FLAGS = 7
const DEFAULT_TTL = 255

export const tunnel: ExpressionType = {
  name: 'tunnel',
  families: [NFPROTO_NETDEV],
  policy: {
    [TUNNEL.id]: u32Rule,
    [TUNNEL.ip]: nestedRule,
    [TUNNEL.ip6]: nestedRule,
    [TUNNEL.flags]: u32Rule,
    [TUNNEL.tos]: u8Rule,
    [TUNNEL.ttl]: u8Rule,
    [TUNNEL.sourcePort]: u16Rule,
    [TUNNEL.destinationPort]: u16Rule,
    [TUNNEL.options]: nestedRule,
  },
  init(_, attributes) {
    need(attributes, TUNNEL.id)
    const told = new Told().be32(TUNNEL.id, attributes.be32(TUNNEL.id))
    addresses(told, attributes)
    const flags = attributes.be32(TUNNEL.flags) ?? 0
    if (flags & ~ALL_FLAGS) throw new Errno(EINVAL)
    told
      .be16(TUNNEL.sourcePort, attributes.be16(TUNNEL.sourcePort) ?? 0)
      .be16(TUNNEL.destinationPort, attributes.be16(TUNNEL.destinationPort) ?? 0)
      .be32(TUNNEL.flags, flags)
      .u8(TUNNEL.tos, attributes.u8(TUNNEL.tos) ?? 0)
      .u8(TUNNEL.ttl, attributes.u8(TUNNEL.ttl) ?? DEFAULT_TTL)
    options(told, attributes)
    return told
  },
}

/** Of the destination, and of the source where one was given. */
function addresses(told: Told, attributes: Nest): void {
  const id = attributes.has(TUNNEL.ip) ? TUNNEL.ip : TUNNEL.ip6
  const length = id === TUNNEL.ip ? 4 : 16
  const nest = attributes.nest(id, addressPolicy(length))
  if (!nest.has(2)) throw new Errno(EINVAL)
  told.bytes(
    id,
    new Told()
      .bytes(1, nest.bytes(1) ?? new Uint8Array(length))
      .bytes(2, nest.bytes(2))
      .be32(3, id === TUNNEL.ip6 ? (nest.be32(3) ?? 0) : undefined).written,
  )
}

const vxlanPolicy: Policy = { 1: u32Rule }
const erspanPolicy: Policy = { 1: u32Rule, 2: u32Rule, 3: u8Rule, 4: u8Rule }
const genevePolicy: Policy = { 1: u16Rule, 2: u8Rule, 3: binary(127) }

function options(told: Told, attributes: Nest): void {
  const inner = new Told()
  for (const payload of attributes.list(TUNNEL.options)) {
    if (payload.type === OPTIONS.vxlan) {
      const nest = attributes.within(payload, vxlanPolicy)
      inner.bytes(OPTIONS.vxlan, new Told().be32(1, nest.be32(1)).written)
    } else if (payload.type === OPTIONS.erspan) {
      const nest = attributes.within(payload, erspanPolicy)
      inner.bytes(OPTIONS.erspan, erspan(nest).written)
    } else if (payload.type === OPTIONS.geneve) {
      const nest = attributes.within(payload, genevePolicy)
      const data = nest.bytes(3)
      if (!data || data.length % 4 !== 0) throw new Errno(ERANGE)
      inner.bytes(OPTIONS.geneve, new Told().bytes(1, nest.bytes(1)).u8(2, nest.u8(2)).bytes(3, data).written)
    } else throw new Errno(EINVAL)
  }
  told.bytes(TUNNEL.options, inner.written)
}

function erspan(nest: Nest): Told {
  const version = nest.be32(1)
  if (version !== 1 && version !== 2) throw new Errno(EINVAL)
  const told = new Told().be32(1, version)
  return version === 1 ? told.be32(2, nest.be32(2)) : told.u8(3, nest.u8(3)).u8(4, nest.u8(4))
}
