/** What connection tracking knows (net/netfilter/nft_ct.c). */
import { EAFNOSUPPORT, EINVAL, EOPNOTSUPP, EPROTO, Errno } from '../../errno.js'
import { be32Rule, u8Rule, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { type Context, type ExpressionType, type Made, need, Told } from '../expression.js'

const DESTINATION = 1
const KEY = 2
const DIRECTION = 3
const SOURCE = 4

const NFPROTO_IPV4 = 2
/** inet, ip, bridge, ip6 */
const TRACKED = [1, 2, 7, 10]
/** NFT_CT_* */
const [L3PROTOCOL, SADDR, DADDR, PROTOCOL, ZONE] = [7, 8, 9, 10, 17]

/** What each key puts into a register: bytes, and whether a direction is needed, allowed, or refused. */
const LOADS: Readonly<Record<number, readonly [length: number, direction: 'needed' | 'allowed' | 'refused']>> = {
  ...Object.fromEntries([0, 2, 3, 4, 5, 23].map(key => [key, [4, 'refused']])),
  1: [1, 'refused'],
  6: [16, 'refused'],
  13: [16, 'refused'],
  [L3PROTOCOL]: [1, 'allowed'],
  [PROTOCOL]: [1, 'allowed'],
  [SADDR]: [16, 'needed'],
  [DADDR]: [16, 'needed'],
  11: [2, 'needed'],
  12: [2, 'needed'],
  14: [8, 'allowed'],
  15: [8, 'allowed'],
  16: [8, 'allowed'],
  [ZONE]: [2, 'allowed'],
  19: [4, 'needed'],
  20: [4, 'needed'],
  21: [16, 'needed'],
  22: [16, 'needed'],
}
/** Bytes that each key takes from a register: mark, secmark, label, zone, event. */
const CHANGES: Readonly<Record<number, number>> = { 3: 4, 4: 4, 13: 16, [ZONE]: 2, 18: 4 }

const ct: ExpressionType = {
  name: 'ct',
  policy: { [DESTINATION]: u32Rule, [KEY]: be32Rule(255), [DIRECTION]: u8Rule, [SOURCE]: u32Rule },
  select(_, attributes) {
    need(attributes, KEY)
    if (attributes.has(DESTINATION) === attributes.has(SOURCE)) throw new Errno(EINVAL)
  },
  init: (context, attributes) => (attributes.has(SOURCE) ? change(context, attributes) : load(context, attributes)),
}

function load({ registers, family }: Context, attributes: Nest): Made {
  const key = attributes.be32(KEY) as number
  const [whole, rule] = LOADS[key] ?? []
  if (whole === undefined) throw new Errno(EOPNOTSUPP)
  if (rule === (attributes.has(DIRECTION) ? 'refused' : 'needed')) throw new Errno(EINVAL)
  const address = key === SADDR || key === DADDR
  if (address && (!TRACKED.includes(family) || family === 7)) throw new Errno(EAFNOSUPPORT)
  const length = address && family === NFPROTO_IPV4 ? 4 : whole
  const direction = directionOf(attributes)
  const destination = registers.store(attributes, DESTINATION, length)
  requireTracking(family)
  const told = new Told().register(DESTINATION, destination).be32(KEY, key)
  return key === L3PROTOCOL || key === PROTOCOL ? told : told.u8(DIRECTION, direction)
}

function change({ registers, family }: Context, attributes: Nest): Made {
  const key = attributes.be32(KEY) as number
  const length = CHANGES[key]
  if (length === undefined) throw new Errno(EOPNOTSUPP)
  if (key !== ZONE && attributes.has(DIRECTION)) throw new Errno(EINVAL)
  const direction = directionOf(attributes)
  const source = registers.load(attributes, SOURCE, length)
  requireTracking(family)
  return new Told().register(SOURCE, source).be32(KEY, key).u8(DIRECTION, direction)
}

function directionOf(attributes: Nest): number | undefined {
  const direction = attributes.u8(DIRECTION)
  if (direction !== undefined && direction > 1) throw new Errno(EINVAL)
  return direction
}

/** nf_ct_netns_get */
export function requireTracking(family: number): void {
  if (!TRACKED.includes(family)) throw new Errno(EPROTO)
}

const notrack: ExpressionType = { name: 'notrack', policy: {}, init: () => ({}) }

export const tracking: readonly ExpressionType[] = [ct, notrack]
