/** Bytes of packets (net/netfilter/nft_payload.c), also of packets within packets (net/netfilter/nft_inner.c). */
import { EINVAL, ENOENT, EOPNOTSUPP, ERANGE, Errno } from '../../errno.js'
import { be32Rule, nestedRule, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { type Context, type ExpressionType, expressionPolicy, type Made, need, Told } from '../expression.js'
import { innerMeta } from './meta.js'

const DESTINATION = 1
const BASE = 2
const OFFSET = 3
const LENGTH = 4
const SOURCE = 5
const CHECKSUM_TYPE = 6
const CHECKSUM_OFFSET = 7
const CHECKSUM_FLAGS = 8

/** NFT_PAYLOAD_* */
const [TRANSPORT, INNER, TUNNEL] = [2, 3, 4]
/** NFT_PAYLOAD_CSUM_SCTP */
const SCTP = 2
/** Where the checksum of SCTP's header stands. */
const SCTP_CHECKSUM = 8

const payload: ExpressionType = {
  name: 'payload',
  policy: {
    [DESTINATION]: u32Rule,
    [BASE]: u32Rule,
    [OFFSET]: u32Rule,
    [LENGTH]: be32Rule(255),
    [SOURCE]: u32Rule,
    [CHECKSUM_TYPE]: u32Rule,
    [CHECKSUM_OFFSET]: be32Rule(255),
    [CHECKSUM_FLAGS]: u32Rule,
  },
  select(_, attributes) {
    need(attributes, BASE, OFFSET, LENGTH)
    if ((attributes.be32(BASE) as number) > INNER) throw new Errno(EOPNOTSUPP)
    if (attributes.has(SOURCE) === attributes.has(DESTINATION)) throw new Errno(EINVAL)
  },
  init: (context, attributes) => (attributes.has(SOURCE) ? change(context, attributes) : load(context, attributes)),
}

function place(told: Told, attributes: Nest): Told {
  const offset = attributes.be32(OFFSET) as number
  if (offset > 0xffff) throw new Errno(ERANGE)
  return told.be32(BASE, attributes.be32(BASE)).be32(OFFSET, offset).be32(LENGTH, attributes.be32(LENGTH))
}

function load({ registers }: Context, attributes: Nest): Made {
  const destination = registers.store(attributes, DESTINATION, attributes.be32(LENGTH) as number)
  return place(new Told().register(DESTINATION, destination), attributes)
}

function change({ registers }: Context, attributes: Nest): Made {
  const type = attributes.be32(CHECKSUM_TYPE) ?? 0
  const checksum = attributes.be32(CHECKSUM_OFFSET) ?? 0
  const flags = attributes.be32(CHECKSUM_FLAGS) ?? 0
  if (flags > 1) throw new Errno(EINVAL)
  if (type > SCTP) throw new Errno(EOPNOTSUPP)
  if (type === SCTP && (attributes.be32(BASE) !== TRANSPORT || checksum !== SCTP_CHECKSUM)) throw new Errno(EINVAL)
  const source = registers.load(attributes, SOURCE, attributes.be32(LENGTH) as number)
  return place(new Told().register(SOURCE, source), attributes)
    .be32(CHECKSUM_TYPE, type)
    .be32(CHECKSUM_OFFSET, checksum)
    .be32(CHECKSUM_FLAGS, flags)
}

const NUMBER = 1
const TYPE = 2
const FLAGS = 3
const HEADER_SIZE = 4
const EXPRESSION = 5
/** NFT_INNER_MASK, NFT_INNER_HDRSIZE */
const [ALL_FLAGS, HAS_HEADER] = [0xf, 1]
const LONGEST_HEADER = 64

const inner: ExpressionType = {
  name: 'inner',
  policy: {
    [NUMBER]: u32Rule,
    [TYPE]: u32Rule,
    [FLAGS]: u32Rule,
    [HEADER_SIZE]: u32Rule,
    [EXPRESSION]: nestedRule,
  },
  init(context, attributes) {
    need(attributes, NUMBER, TYPE, FLAGS, HEADER_SIZE, EXPRESSION)
    const [number = 0, type = 0, flags = 0, size = 0] = [NUMBER, TYPE, FLAGS, HEADER_SIZE].map(id => attributes.be32(id))
    if (flags & ~ALL_FLAGS || number !== 0) throw new Errno(EOPNOTSUPP)
    if (type > 255) throw new Errno(EINVAL)
    if (flags & HAS_HEADER && (size === 0 || size > LONGEST_HEADER)) throw new Errno(EOPNOTSUPP)
    const told = new Told().be32(NUMBER, number).be32(TYPE, type).be32(FLAGS, flags).be32(HEADER_SIZE, size)
    return within(context, attributes, told)
  },
}

/** nft_expr_inner_parse */
function within(context: Context, attributes: Nest, told: Told): Made {
  const nest = attributes.nest(EXPRESSION, expressionPolicy)
  const name = nest.text(1)
  if (name === undefined || !nest.has(2)) throw new Errno(EINVAL)
  const type = context.kernel.expression(name, context.family)
  if (!type) throw new Errno(ENOENT)
  const init = INNER_INIT[name]
  if (!init) throw new Errno(EOPNOTSUPP)
  const { dump } = init(context, nest.nest(2, type.policy))
  return told.expression(EXPRESSION, { type, dump })
}

const INNER_INIT: Readonly<Record<string, ExpressionType['init']>> = {
  meta: innerMeta,
  payload(context, attributes) {
    need(attributes, BASE, OFFSET, LENGTH, DESTINATION)
    const base = attributes.be32(BASE) as number
    if (base === INNER || base > TUNNEL) throw new Errno(EOPNOTSUPP)
    return load(context, attributes)
  },
}

export const packet: readonly ExpressionType[] = [payload, inner]
