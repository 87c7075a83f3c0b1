/** What happens to packets (nft_log.c, nft_reject.c, nft_queue.c, nft_synproxy.c, nft_dup_*.c, nft_fwd_netdev.c). */
import { EINVAL, EOPNOTSUPP, ERANGE, Errno } from '../../errno.js'
import { be32Rule, type Policy, string, u8Rule, u16Rule, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { type ExpressionType, type Made, need, Told } from '../expression.js'
import { demand, hooks } from '../hooks.js'
import { requireTracking } from './ct.js'

const NFPROTO_IPV4 = 2
const NFPROTO_NETDEV = 5
const NFPROTO_BRIDGE = 7
const NFPROTO_IPV6 = 10
/** Those of inet, ip, ip6 */
const NETWORK = [1, NFPROTO_IPV4, NFPROTO_IPV6]

const LOG = { group: 1, prefix: 2, snaplen: 3, threshold: 4, level: 5, flags: 6 } as const
/** NF_LOG_PREFIXLEN without the NUL */
const PREFIX = 127
const WARNING = 4
const AUDIT = 8
const LOG_FLAGS = 0x2f

const log: ExpressionType = {
  name: 'log',
  policy: {
    [LOG.group]: u16Rule,
    [LOG.prefix]: string(PREFIX),
    [LOG.snaplen]: u32Rule,
    [LOG.threshold]: u16Rule,
    [LOG.level]: u32Rule,
    [LOG.flags]: u32Rule,
  },
  init(_, attributes) {
    if (attributes.has(LOG.level) && attributes.has(LOG.group)) throw new Errno(EINVAL)
    const told = new Told().text(LOG.prefix, attributes.text(LOG.prefix))
    return attributes.has(LOG.group) ? logToGroup(told, attributes) : logToKernel(told, attributes)
  },
}

function logToGroup(told: Told, attributes: Nest): Made {
  return told
    .be16(LOG.group, attributes.be16(LOG.group))
    .be32(LOG.snaplen, attributes.be32(LOG.snaplen))
    .be16(LOG.threshold, attributes.be16(LOG.threshold) || undefined)
}

function logToKernel(told: Told, attributes: Nest): Made {
  const level = attributes.be32(LOG.level) ?? WARNING
  const flags = attributes.be32(LOG.flags) ?? 0
  if (level > AUDIT || flags & ~LOG_FLAGS) throw new Errno(EINVAL)
  return told.be32(LOG.level, level).be32(LOG.flags, flags || undefined)
}

const TCP_RESET = 1
const ICMPX = 2
/** NFT_REJECT_ICMPX_MAX */
const LAST_ICMPX = 3

/** A family's own: where it may stand. */
function reject(families: readonly number[], mask: number): ExpressionType {
  return {
    name: 'reject',
    families,
    policy: { 1: be32Rule(255), 2: u8Rule },
    init(_, attributes) {
      need(attributes, 1)
      const type = attributes.be32(1) as number
      const code = attributes.u8(2)
      if (type > ICMPX || (type !== TCP_RESET && code === undefined)) throw new Errno(EINVAL)
      if (type === ICMPX && (code as number) > LAST_ICMPX) throw new Errno(EINVAL)
      const { dump } = new Told().be32(1, type).u8(2, type === TCP_RESET ? undefined : code)
      return { dump, validate: demand(undefined, mask) }
    },
  }
}

const ANSWERED = hooks.prerouting | hooks.input | hooks.forward | hooks.output
const rejects = [
  reject([NFPROTO_IPV4, NFPROTO_IPV6], ANSWERED),
  reject([1], ANSWERED | hooks.ingress),
  reject([NFPROTO_BRIDGE], hooks.prerouting | hooks.input),
  reject([NFPROTO_NETDEV], 1),
]

const QUEUE = { number: 1, total: 2, flags: 3, source: 4 } as const
const FANOUT = 2
const QUEUE_FLAGS = 3

const queue: ExpressionType = {
  name: 'queue',
  policy: { [QUEUE.number]: u16Rule, [QUEUE.total]: u16Rule, [QUEUE.flags]: u16Rule, [QUEUE.source]: u32Rule },
  select(_, attributes) {
    if (attributes.has(QUEUE.number) === attributes.has(QUEUE.source)) throw new Errno(EINVAL)
  },
  init({ registers, family }, attributes) {
    const flags = attributes.be16(QUEUE.flags) ?? 0
    const validate = demand(undefined, family === NFPROTO_NETDEV ? 0 : 0x1f)
    if (attributes.has(QUEUE.source)) {
      const source = registers.load(attributes, QUEUE.source, 4)
      if (flags & ~QUEUE_FLAGS) throw new Errno(EINVAL)
      if (flags & FANOUT) throw new Errno(EOPNOTSUPP)
      return { dump: new Told().register(QUEUE.source, source).be16(QUEUE.flags, flags).dump, validate }
    }
    const number = attributes.be16(QUEUE.number) as number
    const total = attributes.be16(QUEUE.total) ?? 1
    if (total === 0) throw new Errno(EINVAL)
    if (number + total - 1 > 0xffff) throw new Errno(ERANGE)
    if (flags & ~QUEUE_FLAGS) throw new Errno(EINVAL)
    return { dump: new Told().be16(QUEUE.number, number).be16(QUEUE.total, total).be16(QUEUE.flags, flags).dump, validate }
  },
}

/** NF_SYNPROXY_OPT_MASK */
const SYNPROXY_FLAGS = 0xf

export const synproxy: ExpressionType = {
  name: 'synproxy',
  policy: { 1: u16Rule, 2: u8Rule, 3: u32Rule },
  init({ family }, attributes) {
    const flags = attributes.be32(3) ?? 0
    if (flags & ~SYNPROXY_FLAGS) throw new Errno(EOPNOTSUPP)
    requireTracking(family)
    const { dump } = new Told()
      .be16(1, attributes.be16(1) ?? 0)
      .u8(2, attributes.u8(2) ?? 0)
      .be32(3, flags)
    const mask = NETWORK.includes(family) ? hooks.input | hooks.forward : 0
    const made: Made = { dump, validate: demand(undefined, mask), update: () => made }
    return made
  },
}

const dupPolicy: Policy = { 1: u32Rule, 2: u32Rule }

/** @param length of addresses */
function dupByAddress(families: readonly number[], length: number): ExpressionType {
  return {
    name: 'dup',
    families,
    policy: dupPolicy,
    init({ registers }, attributes) {
      need(attributes, 1)
      const address = registers.load(attributes, 1, length)
      return new Told().register(1, address).register(2, attributes.has(2) ? registers.load(attributes, 2, 4) : undefined)
    },
  }
}

/** NF_NETDEV_INGRESS, NF_NETDEV_EGRESS */
const DEVICE_HOOKS = 3

const dupToDevice: ExpressionType = {
  name: 'dup',
  families: [NFPROTO_NETDEV],
  policy: dupPolicy,
  init({ registers }, attributes) {
    need(attributes, 2)
    return { dump: new Told().register(2, registers.load(attributes, 2, 4)).dump, validate: demand(undefined, DEVICE_HOOKS) }
  },
}

const fwd: ExpressionType = {
  name: 'fwd',
  families: [NFPROTO_NETDEV],
  policy: { 1: u32Rule, 2: u32Rule, 3: be32Rule(255) },
  select(_, attributes) {
    if (!attributes.has(1) && !attributes.has(2)) throw new Errno(EOPNOTSUPP)
  },
  init({ registers }, attributes) {
    need(attributes, 1)
    const validate = demand(undefined, DEVICE_HOOKS)
    if (!attributes.has(2)) return { dump: new Told().register(1, registers.load(attributes, 1, 4)).dump, validate }
    need(attributes, 3)
    const family = attributes.be32(3) as number
    if (family !== NFPROTO_IPV4 && family !== NFPROTO_IPV6) throw new Errno(EOPNOTSUPP)
    const device = registers.load(attributes, 1, 4)
    const address = registers.load(attributes, 2, family === NFPROTO_IPV4 ? 4 : 16)
    return { dump: new Told().register(1, device).register(2, address).be32(3, family).dump, validate }
  },
}

export const statements: readonly ExpressionType[] = [
  log,
  ...rejects,
  queue,
  synproxy,
  dupByAddress([NFPROTO_IPV4], 4),
  dupByAddress([NFPROTO_IPV6], 16),
  dupToDevice,
  fwd,
]
