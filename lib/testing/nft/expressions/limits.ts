/** Expressions that keep a state (nft_limit.c, nft_quota.c, nft_connlimit.c, nft_last.c). No packets come, so it changes by resets only. */
import { EINVAL, EOPNOTSUPP, EOVERFLOW, Errno } from '../../errno.js'
import { u32Rule, u64Rule } from '../../policy.js'
import { putBe32, putBe64 } from '../attributes.js'
import { type ExpressionType, type Made, need, Told } from '../expression.js'
import { requireTracking } from './ct.js'

const INVERT = 1
const MAXIMUM_64 = 0xffff_ffff_ffff_ffffn
const NANOSECONDS = 1_000_000_000n

const LIMIT = { rate: 1, unit: 2, burst: 3, type: 4, flags: 5 } as const
const BYTES = 1
const DEFAULT_BURST = 5

export const limit: ExpressionType = {
  name: 'limit',
  stateful: true,
  policy: {
    [LIMIT.rate]: u64Rule,
    [LIMIT.unit]: u64Rule,
    [LIMIT.burst]: u32Rule,
    [LIMIT.type]: u32Rule,
    [LIMIT.flags]: u32Rule,
  },
  select(_, attributes) {
    if ((attributes.be32(LIMIT.type) ?? 0) > BYTES) throw new Errno(EOPNOTSUPP)
  },
  init(_, attributes) {
    need(attributes, LIMIT.rate, LIMIT.unit)
    const type = attributes.be32(LIMIT.type) ?? 0
    const rate = attributes.be64(LIMIT.rate) as bigint
    const unit = attributes.be64(LIMIT.unit) as bigint
    if (rate === 0n) throw new Errno(EINVAL)
    const given = attributes.be32(LIMIT.burst) ?? 0
    const burst = type === BYTES || given !== 0 ? given : DEFAULT_BURST
    checkTokens(rate, unit, BigInt(burst), type)
    const flags = attributes.be32(LIMIT.flags) ?? 0
    if (flags & ~INVERT) throw new Errno(EOPNOTSUPP)
    return new Told()
      .be64(LIMIT.rate, rate)
      .be64(LIMIT.unit, unit)
      .be32(LIMIT.burst, burst)
      .be32(LIMIT.type, type)
      .be32(LIMIT.flags, flags)
  },
}

function checkTokens(rate: bigint, unit: bigint, burst: bigint, type: number): void {
  const nanoseconds = unit * NANOSECONDS
  if (nanoseconds > MAXIMUM_64 || rate + burst > MAXIMUM_64) throw new Errno(EOVERFLOW)
  const product = type === BYTES ? nanoseconds * (rate + burst) : (nanoseconds / rate) * burst
  if (product > MAXIMUM_64) throw new Errno(EOVERFLOW)
}

const QUOTA = { bytes: 1, flags: 2, used: 4 } as const
const DEPLETED = 2
const MAXIMUM_QUOTA = MAXIMUM_64 >> 1n

export const quota: ExpressionType = {
  name: 'quota',
  stateful: true,
  policy: { [QUOTA.bytes]: u64Rule, [QUOTA.flags]: u32Rule, [QUOTA.used]: u64Rule },
  init(_, attributes) {
    need(attributes, QUOTA.bytes)
    const bytes = attributes.be64(QUOTA.bytes) as bigint
    if (bytes > MAXIMUM_QUOTA) throw new Errno(EOVERFLOW)
    const used = attributes.be64(QUOTA.used) ?? 0n
    if (used > bytes) throw new Errno(EINVAL)
    const flags = attributes.be32(QUOTA.flags) ?? 0
    if (flags & ~INVERT) throw new Errno(EINVAL)
    return quotaOf(bytes, flags, used)
  },
}

function quotaOf(bytes: bigint, flags: number, used: bigint): Made {
  const told = (consumed: bigint) =>
    new Told()
      .be64(QUOTA.bytes, bytes)
      .be64(QUOTA.used, consumed)
      .be32(QUOTA.flags, consumed >= bytes ? flags | DEPLETED : flags).dump
  return { dump: told(used), reset: told(0n), used, update: before => quotaOf(bytes, flags, before.used ?? 0n) }
}

export const connlimit: ExpressionType = {
  name: 'connlimit',
  stateful: true,
  collected: true,
  policy: { 1: u32Rule, 2: u32Rule },
  init({ family }, attributes) {
    need(attributes, 1)
    const flags = attributes.be32(2) ?? 0
    if (flags & ~INVERT) throw new Errno(EOPNOTSUPP)
    requireTracking(family)
    return new Told().be32(1, attributes.be32(1)).be32(2, flags || undefined)
  },
}

const last: ExpressionType = {
  name: 'last',
  stateful: true,
  policy: { 1: u32Rule, 2: u64Rule },
  init({ kernel }, attributes) {
    const ago = attributes.be64(2) ?? 0n
    const used = attributes.be32(1) ?? 0
    if (used === 0) return new Told().be32(1, 0).be64(2, 0n)
    const since = kernel.now() - Number(ago)
    return {
      dump(writer) {
        putBe32(writer, 1, used)
        putBe64(writer, 2, kernel.now() - since)
      },
    }
  },
}

export const limits: readonly ExpressionType[] = [limit, quota, connlimit, last]
