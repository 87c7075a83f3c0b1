/** Changes of sets by packets (net/netfilter/nft_dynset.c). No packets come: it only has to be told as it was written. */
import type { MessageWriter } from '../../../netlink/buffer.js'
import { E2BIG, EBUSY, EINVAL, EOPNOTSUPP, Errno } from '../../errno.js'
import { be32Rule, nestedRule, type Payload, string, u32Rule, u64Rule } from '../../policy.js'
import { type Nest, putBe32, putNest } from '../attributes.js'
import { type Context, type Expression, type ExpressionType, need, putExpression, Told } from '../expression.js'
import { bindSet, setExpression, setOf } from '../sets.js'
import { type NftSet, setFlag } from '../state.js'
import { readMilliseconds } from '../time.js'

const DYNSET = { set: 1, setId: 2, operation: 3, key: 4, data: 5, timeout: 6, expression: 7, flags: 9, expressions: 10 } as const
const VERDICT = 0xffff_ff00
const NFTA_LIST_ELEM = 1
/** NFT_DYNSET_F_* */
const [INVERT, EXPRESSIONS] = [1, 2]
/** NFT_DYNSET_OP_DELETE */
const LAST_OPERATION = 2
/** NFT_SET_EXPR_MAX */
const MOST_EXPRESSIONS = 2
/** What a set without a size gets, because packets fill it. */
const DEFAULT_SIZE = 0xffff

const dynset: ExpressionType = {
  name: 'dynset',
  policy: {
    [DYNSET.set]: string(255),
    [DYNSET.setId]: u32Rule,
    [DYNSET.operation]: be32Rule(255),
    [DYNSET.key]: u32Rule,
    [DYNSET.data]: u32Rule,
    [DYNSET.timeout]: u64Rule,
    [DYNSET.expression]: nestedRule,
    [DYNSET.flags]: u32Rule,
    [DYNSET.expressions]: nestedRule,
  },
  init(context, attributes) {
    need(attributes, DYNSET.set, DYNSET.operation, DYNSET.key)
    const flags = attributes.be32(DYNSET.flags) ?? 0
    if (flags & ~(INVERT | EXPRESSIONS)) throw new Errno(EOPNOTSUPP)
    const set = setOf(context.table, context.transaction, attributes, DYNSET.set, DYNSET.setId)
    checkSet(set)
    const operation = attributes.be32(DYNSET.operation) as number
    if (operation > LAST_OPERATION) throw new Errno(EOPNOTSUPP)
    if (attributes.has(DYNSET.timeout) && !(set.flags & setFlag.timeout)) throw new Errno(EOPNOTSUPP)
    const timeout = readMilliseconds(attributes, DYNSET.timeout, context.kernel.options.tick) ?? 0
    const key = context.registers.load(attributes, DYNSET.key, set.keyLength)
    const data = dataOf(context, attributes, set)
    const expressions = readExpressions(context, attributes, set, flags)
    const reference = bindSet(context, set)
    if (set.size === 0) context.transaction.set(set, { size: DEFAULT_SIZE })
    const told = new Told()
      .register(DYNSET.key, key)
      .register(DYNSET.data, data)
      .be32(DYNSET.operation, operation)
      .text(DYNSET.set, set.name)
      .be64(DYNSET.timeout, BigInt(timeout))
    return {
      dump(writer) {
        told.dump(writer)
        if (set.expressions.length === 0) putExpressions(writer, expressions)
        putBe32(writer, DYNSET.flags, flags & INVERT)
      },
      references: [reference],
    }
  },
}

/** Only a hash can be changed by packets. */
function checkSet({ flags, backend }: NftSet): void {
  if (flags & setFlag.object || backend !== 'rhash') throw new Errno(EOPNOTSUPP)
  if (flags & setFlag.constant) throw new Errno(EBUSY)
}

function dataOf({ registers }: Context, attributes: Nest, set: NftSet): number | undefined {
  if (!attributes.has(DYNSET.data)) {
    if (set.flags & setFlag.map) throw new Errno(EINVAL)
    return undefined
  }
  if (!(set.flags & setFlag.map) || set.dataType === VERDICT) throw new Errno(EOPNOTSUPP)
  return registers.load(attributes, DYNSET.data, set.dataLength)
}

function readExpressions(context: Context, attributes: Nest, set: NftSet, flags: number): readonly Expression[] {
  const single = attributes.at(DYNSET.expression)
  const several = attributes.has(DYNSET.expressions)
  const read = (payload: Payload): Expression => setExpression(context, attributes, payload, set.flags, set.backend)
  if ((single || several) && !(set.flags & setFlag.eval)) throw new Errno(EINVAL)
  if (single) {
    const expression = read(single)
    const [own] = set.expressions
    if (set.expressions.length > 1 || (own && own.type !== expression.type)) throw new Errno(EOPNOTSUPP)
    return [expression]
  }
  if (several && !(flags & EXPRESSIONS)) throw new Errno(EINVAL)
  const expressions = attributes.list(DYNSET.expressions).map((payload, i) => {
    if (i === MOST_EXPRESSIONS) throw new Errno(E2BIG)
    if (payload.type !== NFTA_LIST_ELEM) throw new Errno(EINVAL)
    const expression = read(payload)
    const own = set.expressions[i]
    if (set.expressions.length > 0 && own?.type !== expression.type) throw new Errno(own ? EOPNOTSUPP : EINVAL)
    return expression
  })
  if (several && set.expressions.length > 0 && set.expressions.length !== expressions.length) throw new Errno(EOPNOTSUPP)
  return expressions
}

function putExpressions(writer: MessageWriter, expressions: readonly Expression[]): void {
  const [first] = expressions
  if (expressions.length === 1 && first) putExpression(writer, DYNSET.expression, first)
  else if (first)
    putNest(writer, DYNSET.expressions, () => {
      for (const expression of expressions) putExpression(writer, NFTA_LIST_ELEM, expression)
    })
}

export const changes: readonly ExpressionType[] = [dynset]
