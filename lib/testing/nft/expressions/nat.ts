/** Expressions that translate addresses, and that hand packets to sockets (nft_nat.c, nft_masq.c, nft_redir.c, nft_tproxy.c). */
import { EAFNOSUPPORT, EINVAL, EOPNOTSUPP, Errno } from '../../errno.js'
import { be32Rule, flagsRule, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { type Context, type ExpressionType, need, Told } from '../expression.js'
import { demand, hooks } from '../hooks.js'
import { requireTracking } from './ct.js'

const NFPROTO_INET = 1
const NFPROTO_IPV4 = 2
const NFPROTO_IPV6 = 10
const NETWORK = [NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6]

/** NF_NAT_RANGE_* */
const [MAP_IPS, PROTO_SPECIFIED, ALL_FLAGS] = [1, 2, 127]
const PORT = 2

/** Two registers, the second by default the first; none without the first. */
function pair({ registers }: Context, attributes: Nest, first: number, length: number): readonly [number?, number?] {
  if (!attributes.has(first)) return []
  const minimum = registers.load(attributes, first, length)
  return [minimum, attributes.has(first + 1) ? registers.load(attributes, first + 1, length) : minimum]
}

const NAT = { type: 1, family: 2, addressMin: 3, addressMax: 4, portMin: 5, portMax: 6, flags: 7 } as const

const nat: ExpressionType = {
  name: 'nat',
  policy: { ...Object.fromEntries(Object.values(NAT).map(id => [id, u32Rule])), [NAT.flags]: flagsRule(ALL_FLAGS) },
  init(context, attributes) {
    need(attributes, NAT.type)
    if (!attributes.has(NAT.addressMin) && !attributes.has(NAT.portMin)) throw new Errno(EINVAL)
    const type = attributes.be32(NAT.type) as number
    if (type > 1) throw new Errno(EOPNOTSUPP)
    const family = familyOf(context, attributes)
    const length = family === NFPROTO_IPV4 ? 4 : 16
    const addresses = pair(context, attributes, NAT.addressMin, length)
    const ports = pair(context, attributes, NAT.portMin, PORT)
    const implied = (addresses.length > 0 ? MAP_IPS : 0) | (ports.length > 0 ? PROTO_SPECIFIED : 0)
    const { dump } = new Told()
      .be32(NAT.type, type)
      .be32(NAT.family, family)
      .register(NAT.addressMin, addresses[0])
      .register(NAT.addressMax, addresses[1])
      .register(NAT.portMin, ports[0])
      .register(NAT.portMax, ports[1])
      .be32(NAT.flags, implied | (attributes.be32(NAT.flags) ?? 0))
    return { dump, validate: demand('nat', type === 0 ? hooks.postrouting | hooks.input : hooks.prerouting | hooks.output) }
  },
}

function familyOf(context: Context, attributes: Nest): number {
  need(attributes, NAT.family)
  const family = attributes.be32(NAT.family) as number
  if (context.family !== NFPROTO_INET && context.family !== family) throw new Errno(EOPNOTSUPP)
  const hasAddresses = family === NFPROTO_IPV4 || family === NFPROTO_IPV6
  if (!hasAddresses && attributes.has(NAT.addressMin)) throw new Errno(EAFNOSUPPORT)
  requireTracking(family)
  return family
}

const masq: ExpressionType = {
  name: 'masq',
  families: NETWORK,
  policy: { 1: flagsRule(ALL_FLAGS), 2: u32Rule, 3: u32Rule },
  init(context, attributes) {
    const [minimum, maximum] = pair(context, attributes, 2, PORT)
    const { dump } = new Told()
      .be32(1, attributes.be32(1) || undefined)
      .register(2, minimum)
      .register(3, maximum)
    return { dump, validate: demand('nat', hooks.postrouting) }
  },
}

const redir: ExpressionType = {
  name: 'redir',
  families: NETWORK,
  policy: { 1: u32Rule, 2: u32Rule, 3: flagsRule(ALL_FLAGS) },
  init(context, attributes) {
    const [minimum, maximum] = pair(context, attributes, 1, PORT)
    // Those that are given replace what the port implies.
    const flags = attributes.be32(3) ?? (minimum === undefined ? 0 : PROTO_SPECIFIED)
    const { dump } = new Told()
      .register(1, minimum)
      .register(2, maximum)
      .be32(3, flags || undefined)
    return { dump, validate: demand('nat', hooks.prerouting | hooks.output) }
  },
}

const tproxy: ExpressionType = {
  name: 'tproxy',
  policy: { 1: be32Rule(255), 2: u32Rule, 3: u32Rule },
  init({ family, registers }, attributes) {
    need(attributes, 1)
    if (!attributes.has(2) && !attributes.has(3)) throw new Errno(EINVAL)
    const wanted = attributes.be32(1) as number
    if (!NETWORK.includes(family)) throw new Errno(EOPNOTSUPP)
    if (family !== NFPROTO_INET && wanted !== family) throw new Errno(EINVAL)
    if (wanted === 0 && attributes.has(2)) throw new Errno(EINVAL)
    if (![0, NFPROTO_IPV4, NFPROTO_IPV6].includes(wanted)) throw new Errno(EOPNOTSUPP)
    const address = attributes.has(2) ? registers.load(attributes, 2, wanted === NFPROTO_IPV4 ? 4 : 16) : undefined
    const port = attributes.has(3) ? registers.load(attributes, 3, PORT) : undefined
    const { dump } = new Told().be32(1, wanted).register(2, address).register(3, port)
    return { dump, validate: demand(undefined, hooks.prerouting) }
  },
}

export const translation: readonly ExpressionType[] = [nat, masq, redir, tproxy]
