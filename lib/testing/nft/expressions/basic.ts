/** Expressions that compare, count and give verdicts (nft_cmp.c, nft_counter.c, nft_immediate.c, nft_range.c). */
import { EBUSY, EINVAL, EOPNOTSUPP, Errno } from '../../errno.js'
import { be32Rule, nestedRule, u32Rule, u64Rule } from '../../policy.js'
import { putData, readValue, readVerdict, VALUE_LENGTH } from '../data.js'
import { type Context, type ExpressionType, need, type Reference, Told } from '../expression.js'
import { putRegister, registerOf } from '../registers.js'
import { type Chain, chainFlag } from '../state.js'

/** NFT_CMP_* */
const COMPARISONS = 6
/** NFT_RANGE_NEQ */
const OUTSIDE = 1

const cmp: ExpressionType = {
  name: 'cmp',
  policy: { 1: u32Rule, 2: u32Rule, 3: nestedRule },
  select(_, attributes) {
    need(attributes, 1, 2, 3)
    if ((attributes.be32(2) as number) >= COMPARISONS) throw new Errno(EINVAL)
    readValue(attributes, 3, VALUE_LENGTH)
  },
  init({ registers }, attributes) {
    const value = readValue(attributes, 3, VALUE_LENGTH)
    const source = registers.load(attributes, 1, value.length)
    return new Told().register(1, source).be32(2, attributes.be32(2)).value(3, value)
  },
}

const range: ExpressionType = {
  name: 'range',
  policy: { 1: u32Rule, 2: be32Rule(255), 3: nestedRule, 4: nestedRule },
  init({ registers }, attributes) {
    need(attributes, 1, 2, 3, 4)
    const from = readValue(attributes, 3, VALUE_LENGTH)
    const to = readValue(attributes, 4, VALUE_LENGTH)
    if (from.length !== to.length) throw new Errno(EINVAL)
    const source = registers.load(attributes, 1, from.length)
    if ((attributes.be32(2) as number) > OUTSIDE) throw new Errno(EINVAL)
    return new Told().register(1, source).be32(2, attributes.be32(2)).value(3, from).value(4, to)
  },
}

export const counter: ExpressionType = {
  name: 'counter',
  stateful: true,
  policy: { 1: u64Rule, 2: u64Rule },
  init(_, attributes) {
    const { dump } = new Told().be64(1, attributes.be64(1) ?? 0n).be64(2, attributes.be64(2) ?? 0n)
    return { dump, reset: new Told().be64(1, 0n).be64(2, 0n).dump }
  },
}

const immediate: ExpressionType = {
  name: 'immediate',
  policy: { 1: u32Rule, 2: nestedRule },
  init(context, attributes) {
    need(attributes, 1, 2)
    if (registerOf(attributes, 1) !== 0) {
      const value = readValue(attributes, 2, VALUE_LENGTH)
      return new Told().register(1, context.registers.store(attributes, 1, value.length)).value(2, value)
    }
    const verdict = readVerdict(attributes, 2, context)
    const { chain } = verdict
    return {
      dump(writer) {
        putRegister(writer, 1, 0)
        putData(writer, 2, verdict)
      },
      jumpsTo: chain,
      references: chain && [jump(context, chain)],
    }
  },
}

/** nf_tables_bind_chain, nft_immediate_deactivate: a chain that belongs to a rule goes with it. */
function jump({ chain: from, transaction }: Context, chain: Chain): Reference {
  if (!(chain.flags & chainFlag.binding)) return { release: running => running.use(chain, -1) }
  if (from && from.flags & chainFlag.binding) throw new Errno(EOPNOTSUPP)
  if (chain.bound) throw new Errno(EBUSY)
  transaction.use(chain, 1)
  transaction.set(chain, { bound: true })
  transaction.remove(transaction.unbound, chain)
  return {
    release(running) {
      running.use(chain, -1)
      chain.table.chains.remove(running, chain)
      for (const { expressions } of chain.rules.values())
        for (const { references = [] } of expressions) for (const reference of references) reference.release(running)
    },
    gone(change, notices) {
      chain.table.use--
      for (const { expressions } of chain.rules.values())
        for (const { references = [] } of expressions) for (const reference of references) reference.gone?.(change, notices)
    },
  }
}

export const basic: readonly ExpressionType[] = [cmp, range, counter, immediate]
