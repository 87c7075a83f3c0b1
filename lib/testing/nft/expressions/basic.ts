/** Expressions that compare, count and give verdicts (nft_cmp.c, nft_counter.c, nft_immediate.c, nft_range.c). */
import { EBUSY, EINVAL, EOPNOTSUPP, Errno } from '../../errno.js'
import { nestedRule, type Policy, u32Rule, u64Rule } from '../../policy.js'
import { putBe32, putBe64 } from '../attributes.js'
import { DATA_LENGTH, putData, readValue, readVerdict } from '../data.js'
import { type Context, type ExpressionType, fixed, type Reference } from '../expression.js'
import { putRegister, registerOf } from '../registers.js'
import { type Chain, chainFlag } from '../state.js'

/** NFT_CMP_* */
const COMPARISONS = 6

export const cmp: ExpressionType = {
  name: 'cmp',
  policy: { 1: u32Rule, 2: u32Rule, 3: nestedRule },
  select(_, attributes) {
    if (!attributes.has(1) || (attributes.be32(2) ?? COMPARISONS) >= COMPARISONS) throw new Errno(EINVAL)
    readValue(attributes, 3, DATA_LENGTH)
  },
  init({ registers }, attributes) {
    const data = readValue(attributes, 3, DATA_LENGTH)
    const source = registers.load(attributes, 1, data.length)
    return {
      dump: fixed(writer => {
        putRegister(writer, 1, source)
        putBe32(writer, 2, attributes.be32(2) as number)
        putData(writer, 3, data)
      }),
    }
  },
}

const counterPolicy: Policy = { 1: u64Rule, 2: u64Rule }

export const counter: ExpressionType = {
  name: 'counter',
  stateful: true,
  policy: counterPolicy,
  init(_, attributes) {
    const dump = (bytes: bigint, packets: bigint) =>
      fixed(writer => {
        putBe64(writer, 1, bytes)
        putBe64(writer, 2, packets)
      })
    return { dump: dump(attributes.be64(1) ?? 0n, attributes.be64(2) ?? 0n), reset: dump(0n, 0n) }
  },
}

export const immediate: ExpressionType = {
  name: 'immediate',
  policy: { 1: u32Rule, 2: nestedRule },
  init(context, attributes) {
    if (!attributes.has(1) || !attributes.has(2)) throw new Errno(EINVAL)
    if (registerOf(attributes, 1) !== 0) {
      const data = readValue(attributes, 2, DATA_LENGTH)
      const destination = context.registers.store(attributes, 1, data.length)
      return {
        dump: fixed(writer => {
          putRegister(writer, 1, destination)
          putData(writer, 2, data)
        }),
      }
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

/** nf_tables_bind_chain, nft_immediate_deactivate */
function jump({ chain: from, transaction }: Context, chain: Chain): Reference {
  if (chain.flags & chainFlag.binding) {
    if (from && from.flags & chainFlag.binding) throw new Errno(EOPNOTSUPP)
    if (chain.bound) throw new Errno(EBUSY)
    transaction.use(chain, 1)
    transaction.set(chain, { bound: true })
    transaction.remove(transaction.unbound, chain)
  }
  return {
    release(transaction) {
      transaction.use(chain, -1)
    },
  }
}
