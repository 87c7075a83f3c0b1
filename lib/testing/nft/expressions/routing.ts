/** What routing, sockets and tunnels know of packets (nft_fib.c, nft_rt.c, nft_socket.c, nft_xfrm.c, nft_osf.c, nft_tunnel.c). */
import { EINVAL, EOPNOTSUPP, ERANGE, Errno } from '../../errno.js'
import { be32Rule, flagsRule, u8Rule, u32Rule } from '../../policy.js'
import { type ExpressionType, need, Told } from '../expression.js'
import { demand, hooks } from '../hooks.js'

const NFPROTO_NETDEV = 5
/** inet, ip, ip6 */
const NETWORK = [1, 2, 10]
const ALL_HOOKS = 0x1f

function requireNetwork(family: number): void {
  if (!NETWORK.includes(family)) throw new Errno(EOPNOTSUPP)
}

/** NFTA_FIB_F_* */
const [SADDR, DADDR, IIF, OIF, PRESENT, ALL_FLAGS] = [1, 2, 8, 16, 32, 63]
/** NFT_FIB_RESULT_* by bytes */
const RESULTS: Readonly<Record<number, number>> = { 1: 4, 2: 16, 3: 4 }
const INTERFACE = 1
const ADDRESS_TYPE = 3

/** Those of ip and ip6 look at what is asked for before all else. */
function fib(families: readonly number[], select?: ExpressionType['select']): ExpressionType {
  return {
    name: 'fib',
    families,
    policy: { 1: u32Rule, 2: u32Rule, 3: flagsRule(ALL_FLAGS) },
    select,
    init({ registers }, attributes) {
      need(attributes, 1, 2, 3)
      const flags = attributes.be32(3) as number
      const result = attributes.be32(2) as number
      const length = RESULTS[result]
      if (length === undefined || !isSound(flags, result)) throw new Errno(EINVAL)
      const destination = registers.store(attributes, 1, length)
      const { dump } = new Told().register(1, destination).be32(2, result).be32(3, flags)
      return { dump, validate: demand(undefined, fibHooks(result, flags)) }
    },
  }
}

function isSound(flags: number, result: number): boolean {
  const both = (mask: number): boolean => (flags & mask) === mask
  if (both(SADDR | DADDR) || both(IIF | OIF) || !(flags & (SADDR | DADDR))) return false
  if (flags & PRESENT && result !== INTERFACE) return false
  return !(flags & OIF) || result === ADDRESS_TYPE
}

const fibs = [
  fib([1, NFPROTO_NETDEV]),
  fib([2, 10], (_, attributes) => {
    need(attributes, 2)
    if (!RESULTS[attributes.be32(2) as number]) throw new Errno(EOPNOTSUPP)
  }),
]

function fibHooks(result: number, flags: number): number {
  const incoming = hooks.prerouting | hooks.input | hooks.forward
  if (result !== ADDRESS_TYPE) return incoming
  if (flags & IIF) return incoming
  if (flags & OIF) return hooks.output | hooks.postrouting | hooks.forward
  return ALL_HOOKS
}

/** NFT_RT_* by bytes */
const ROUTES: Readonly<Record<number, number>> = { 0: 4, 1: 4, 2: 16, 3: 2, 4: 1 }
const MSS = 3

const rt: ExpressionType = {
  name: 'rt',
  policy: { 1: u32Rule, 2: be32Rule(255) },
  init({ registers, family }, attributes) {
    need(attributes, 2, 1)
    const key = attributes.be32(2) as number
    const length = ROUTES[key]
    if (length === undefined) throw new Errno(EOPNOTSUPP)
    const destination = registers.store(attributes, 1, length)
    const { dump } = new Told().be32(2, key).register(1, destination)
    const mask = key === MSS ? hooks.forward | hooks.output | hooks.postrouting : ALL_HOOKS | hooks.ingress
    return { dump, validate: demand(undefined, NETWORK.includes(family) ? mask : 0) }
  },
}

/** NFT_SOCKET_* by bytes */
const SOCKETS: Readonly<Record<number, number>> = { 0: 1, 1: 4, 2: 1, 3: 8 }
const CGROUP = 3

const socket: ExpressionType = {
  name: 'socket',
  policy: { 1: be32Rule(255), 2: u32Rule, 3: be32Rule(255) },
  init({ registers, family }, attributes) {
    need(attributes, 2, 1)
    requireNetwork(family)
    const key = attributes.be32(1) as number
    const length = SOCKETS[key]
    if (length === undefined) throw new Errno(EOPNOTSUPP)
    if (key === CGROUP) need(attributes, 3)
    const destination = registers.store(attributes, 2, length)
    const { dump } = new Told()
      .be32(1, key)
      .register(2, destination)
      .be32(3, key === CGROUP ? attributes.be32(3) : undefined)
    return { dump, validate: demand(undefined, hooks.prerouting | hooks.input | hooks.output) }
  },
}

/** NFT_XFRM_KEY_* by bytes */
const TRANSFORMATIONS: Readonly<Record<number, number>> = { 1: 4, 2: 16, 3: 4, 4: 16, 5: 4, 6: 4 }
/** XFRM_MAX_DEPTH */
const DEPTH = 6

const xfrm: ExpressionType = {
  name: 'xfrm',
  policy: { 1: u32Rule, 2: be32Rule(255), 3: u8Rule, 4: be32Rule(255) },
  init({ registers, family }, attributes) {
    need(attributes, 2, 3, 1)
    requireNetwork(family)
    const key = attributes.be32(2) as number
    const length = TRANSFORMATIONS[key]
    const direction = attributes.u8(3) as number
    if (length === undefined || direction > 1) throw new Errno(EINVAL)
    const number = attributes.be32(4) ?? 0
    if (number >= DEPTH) throw new Errno(ERANGE)
    const destination = registers.store(attributes, 1, length)
    const { dump } = new Told().register(1, destination).be32(2, key).u8(3, direction).be32(4, number)
    const incoming = hooks.forward | hooks.input | hooks.prerouting
    return { dump, validate: demand(undefined, direction === 0 ? incoming : hooks.forward | hooks.output | hooks.postrouting) }
  },
}

/** NFT_OSF_MAXGENRELEN */
const SYSTEM_NAME = 16

const osf: ExpressionType = {
  name: 'osf',
  policy: { 1: u32Rule, 2: u8Rule, 3: u32Rule },
  init({ registers, family }, attributes) {
    need(attributes, 1)
    const ttl = attributes.u8(2) ?? 0
    if (ttl > 2 || (attributes.has(3) && attributes.be32(3) !== 1)) throw new Errno(EINVAL)
    const destination = registers.store(attributes, 1, SYSTEM_NAME)
    const { dump } = new Told()
      .u8(2, ttl)
      .be32(3, attributes.be32(3) ?? 0)
      .register(1, destination)
    const mask = NETWORK.includes(family) ? hooks.input | hooks.prerouting | hooks.forward : 0
    return { dump, validate: demand(undefined, mask) }
  },
}

/** NFT_TUNNEL_* by bytes */
const TUNNELS: Readonly<Record<number, number>> = { 0: 1, 1: 4 }
const LAST_MODE = 2

const tunnel: ExpressionType = {
  name: 'tunnel',
  families: [NFPROTO_NETDEV],
  policy: { 1: be32Rule(255), 2: u32Rule, 3: be32Rule(255) },
  init({ registers }, attributes) {
    need(attributes, 1, 2)
    const key = attributes.be32(1) as number
    const length = TUNNELS[key]
    const mode = attributes.be32(3) ?? 0
    if (length === undefined || mode > LAST_MODE) throw new Errno(EOPNOTSUPP)
    return new Told()
      .be32(1, key)
      .register(2, registers.store(attributes, 2, length))
      .be32(3, mode)
  },
}

export const routing: readonly ExpressionType[] = [...fibs, rt, socket, xfrm, osf, tunnel]
