/** Extension headers, options and chunks (net/netfilter/nft_exthdr.c). */
import { EINVAL, EOPNOTSUPP, ERANGE, Errno } from '../../errno.js'
import { be32Rule, u8Rule, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { type Context, type ExpressionType, type Made, need, Told } from '../expression.js'

const DESTINATION = 1
const TYPE = 2
const OFFSET = 3
const LENGTH = 4
const FLAGS = 5
const OPERATION = 6
const SOURCE = 7

/** NFT_EXTHDR_OP_* */
const [IPV6, TCPOPT, IPV4, DCCP] = [0, 1, 2, 4]
const PRESENT = 1
const NFPROTO_IPV6 = 10
/** IPOPT_RR, LSRR, SSRR, RA */
const IP_OPTIONS = [7, 131, 137, 148]

const exthdr: ExpressionType = {
  name: 'exthdr',
  policy: {
    [DESTINATION]: u32Rule,
    [TYPE]: u8Rule,
    [OFFSET]: u32Rule,
    [LENGTH]: be32Rule(255),
    [FLAGS]: u32Rule,
    [OPERATION]: be32Rule(255),
    [SOURCE]: u32Rule,
  },
  select({ family }, attributes) {
    const operation = attributes.be32(OPERATION)
    if (operation === undefined) return
    if (attributes.has(SOURCE) && attributes.has(DESTINATION)) throw new Errno(EOPNOTSUPP)
    if (operation === TCPOPT) return
    const foreign = operation === IPV4 && family === NFPROTO_IPV6
    if (operation > DCCP || foreign || !attributes.has(DESTINATION)) throw new Errno(EOPNOTSUPP)
  },
  init(context, attributes) {
    if (attributes.be32(OPERATION) !== TCPOPT || attributes.has(DESTINATION)) return load(context, attributes)
    return attributes.has(SOURCE) ? change(context, attributes) : strip(attributes)
  },
}

function told(told: Told, attributes: Nest, operation = IPV6): Told {
  const offset = attributes.be32(OFFSET) ?? 0
  if (offset > 255) throw new Errno(ERANGE)
  return told
    .u8(TYPE, attributes.u8(TYPE))
    .be32(OFFSET, offset)
    .be32(LENGTH, attributes.be32(LENGTH) ?? 0)
    .be32(FLAGS, attributes.be32(FLAGS) ?? 0)
    .be32(OPERATION, operation)
}

function load({ registers }: Context, attributes: Nest): Made {
  need(attributes, DESTINATION, TYPE, OFFSET, LENGTH)
  const operation = attributes.be32(OPERATION)
  const flags = attributes.be32(FLAGS) ?? 0
  if (flags & ~PRESENT) throw new Errno(EINVAL)
  const made = new Told().register(DESTINATION, registers.store(attributes, DESTINATION, attributes.be32(LENGTH) as number))
  if (operation === IPV4 && !IP_OPTIONS.includes(attributes.u8(TYPE) as number)) throw new Errno(EOPNOTSUPP)
  if (operation === DCCP && !flags) throw new Errno(EOPNOTSUPP)
  return told(made, attributes, operation)
}

function change({ registers }: Context, attributes: Nest): Made {
  need(attributes, TYPE, OFFSET, LENGTH)
  if (attributes.has(FLAGS)) throw new Errno(EINVAL)
  const length = attributes.be32(LENGTH) as number
  if (length !== 2 && length !== 4) throw new Errno(EOPNOTSUPP)
  return told(new Told().register(SOURCE, registers.load(attributes, SOURCE, length)), attributes, TCPOPT)
}

function strip(attributes: Nest): Made {
  if ([FLAGS, OFFSET, LENGTH].some(id => attributes.has(id))) throw new Errno(EINVAL)
  need(attributes, TYPE)
  return told(new Told(), attributes, TCPOPT)
}

export const headers: readonly ExpressionType[] = [exthdr]
