/** Bytes of packets (net/netfilter/nft_payload.c). */
import { EINVAL, EOPNOTSUPP, ERANGE, Errno } from '../../errno.js'
import { be32Rule, type Policy, u32Rule } from '../../policy.js'
import { type Nest, putBe32 } from '../attributes.js'
import { type Context, type ExpressionType, fixed, type Made } from '../expression.js'
import { putRegister } from '../registers.js'

const DESTINATION = 1
const BASE = 2
const OFFSET = 3
const LENGTH = 4
const SOURCE = 5
const CHECKSUM_TYPE = 6
const CHECKSUM_OFFSET = 7
const CHECKSUM_FLAGS = 8

/** NFT_PAYLOAD_INNER_HEADER */
const LAST_BASE = 3
const TRANSPORT = 2
/** NFT_PAYLOAD_CSUM_SCTP */
const SCTP = 2
/** Where the checksum of SCTP's header stands. */
const SCTP_CHECKSUM = 8

const payloadPolicy: Policy = {
  [DESTINATION]: u32Rule,
  [BASE]: u32Rule,
  [OFFSET]: u32Rule,
  [LENGTH]: be32Rule(255),
  [SOURCE]: u32Rule,
  [CHECKSUM_TYPE]: u32Rule,
  [CHECKSUM_OFFSET]: be32Rule(255),
  [CHECKSUM_FLAGS]: u32Rule,
}

export const payload: ExpressionType = {
  name: 'payload',
  policy: payloadPolicy,
  select(_, attributes) {
    const base = attributes.be32(BASE)
    if (base === undefined || !attributes.has(OFFSET) || !attributes.has(LENGTH)) throw new Errno(EINVAL)
    if (base > LAST_BASE) throw new Errno(EOPNOTSUPP)
    if (attributes.has(SOURCE) === attributes.has(DESTINATION)) throw new Errno(EINVAL)
  },
  init: (context, attributes) => (attributes.has(SOURCE) ? change(context, attributes) : load(context, attributes)),
}

function place(attributes: Nest): { base: number; offset: number; length: number } {
  const offset = attributes.be32(OFFSET) as number
  if (offset > 0xffff) throw new Errno(ERANGE)
  return { base: attributes.be32(BASE) as number, offset, length: attributes.be32(LENGTH) as number }
}

function load({ registers }: Context, attributes: Nest): Made {
  const { base, offset, length } = place(attributes)
  const destination = registers.store(attributes, DESTINATION, length)
  return {
    dump: fixed(writer => {
      putRegister(writer, DESTINATION, destination)
      putBe32(writer, BASE, base)
      putBe32(writer, OFFSET, offset)
      putBe32(writer, LENGTH, length)
    }),
  }
}

function change({ registers }: Context, attributes: Nest): Made {
  const { base, offset, length } = place(attributes)
  const type = attributes.be32(CHECKSUM_TYPE) ?? 0
  const checksum = attributes.be32(CHECKSUM_OFFSET) ?? 0
  const flags = attributes.be32(CHECKSUM_FLAGS) ?? 0
  if (flags > 1) throw new Errno(EINVAL)
  if (type > SCTP) throw new Errno(EOPNOTSUPP)
  if (type === SCTP && (base !== TRANSPORT || checksum !== SCTP_CHECKSUM)) throw new Errno(EINVAL)
  const source = registers.load(attributes, SOURCE, length)
  return {
    dump: fixed(writer => {
      putRegister(writer, SOURCE, source)
      putBe32(writer, BASE, base)
      putBe32(writer, OFFSET, offset)
      putBe32(writer, LENGTH, length)
      putBe32(writer, CHECKSUM_TYPE, type)
      putBe32(writer, CHECKSUM_OFFSET, checksum)
      putBe32(writer, CHECKSUM_FLAGS, flags)
    }),
  }
}
