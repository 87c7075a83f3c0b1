/** What belongs to packets and is not in them (nft_meta.c, net/bridge/netfilter/nft_meta_bridge.c). */
import { EINVAL, EOPNOTSUPP, Errno } from '../../errno.js'
import { be32Rule, type Policy, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { type Context, type ExpressionType, type Made, need, Told } from '../expression.js'
import { demand, hooks } from '../hooks.js'
import type { Chain } from '../state.js'

const DESTINATION = 1
const KEY = 2
const SOURCE = 3

const NFPROTO_NETDEV = 5
const NFPROTO_BRIDGE = 7
/** inet, ip, ip6 */
const NETWORK = [1, 2, 10]

/** NFT_META_* */
const [PROTOCOL, PKTTYPE, L4PROTO, SECPATH, SDIF, SDIFNAME] = [1, 19, 16, 25, 33, 34]

/** Bytes that each key puts into a register. */
const LENGTHS: Readonly<Record<number, number>> = {
  ...Object.fromEntries([0, 2, 3, 4, 5, 10, 11, 13, 14, 19, 20, 21, 22, 23, 24, 32, 33].map(key => [key, 4])),
  ...Object.fromEntries([6, 7, 26, 27, 34].map(key => [key, 16])),
  ...Object.fromEntries([1, 8, 9].map(key => [key, 2])),
  ...Object.fromEntries([15, 16, 25, 31].map(key => [key, 1])),
  30: 8,
}
const BRIDGE_LENGTHS: Readonly<Record<number, number>> = { ...LENGTHS, 17: 16, 18: 16, 28: 2, 29: 2, 37: 6 }

/** Bytes that each key takes from a register. */
const CHANGES: Readonly<Record<number, number>> = { 2: 4, 3: 4, 12: 1, 14: 4, 19: 1 }
const BRIDGE_CHANGES: Readonly<Record<number, number>> = { ...CHANGES, 35: 1 }

const policy: Policy = { [DESTINATION]: u32Rule, [KEY]: be32Rule(255), [SOURCE]: u32Rule }

const meta: ExpressionType = {
  name: 'meta',
  policy,
  select(_, attributes) {
    need(attributes, KEY)
    if (attributes.has(DESTINATION) === attributes.has(SOURCE)) throw new Errno(EINVAL)
  },
  init: (context, attributes) => (attributes.has(SOURCE) ? change(context, attributes) : load(context, attributes)),
}

function load({ registers, family }: Context, attributes: Nest): Made {
  const key = attributes.be32(KEY) as number
  const length = (family === NFPROTO_BRIDGE ? BRIDGE_LENGTHS : LENGTHS)[key]
  if (length === undefined) throw new Errno(EOPNOTSUPP)
  const destination = registers.store(attributes, DESTINATION, length)
  const { dump } = new Told().be32(KEY, key).register(DESTINATION, destination)
  return { dump, validate: validateLoad(key, family) }
}

function validateLoad(key: number, family: number): ((chain: Chain) => void) | undefined {
  if (key === SECPATH) return by(family, { netdev: hooks.prerouting, network: hooks.prerouting | hooks.input | hooks.forward })
  if (key === SDIF || key === SDIFNAME) return by(family, { network: hooks.input | hooks.forward })
  return undefined
}

function change({ registers, family }: Context, attributes: Nest): Made {
  const key = attributes.be32(KEY) as number
  const length = (family === NFPROTO_BRIDGE ? BRIDGE_CHANGES : CHANGES)[key]
  if (length === undefined) throw new Errno(EOPNOTSUPP)
  const source = registers.load(attributes, SOURCE, length)
  const { dump } = new Told().be32(KEY, key).register(SOURCE, source)
  const { prerouting } = hooks
  return {
    dump,
    validate: key === PKTTYPE ? by(family, { netdev: prerouting, network: prerouting, bridge: prerouting }) : undefined,
  }
}

/** The hooks of each kind of family; EOPNOTSUPP elsewhere. The first hook has the bit 1 everywhere. */
function by(
  family: number,
  masks: { readonly netdev?: number; readonly network?: number; readonly bridge?: number },
): (chain: Chain) => void {
  if (family === NFPROTO_NETDEV) return demand(undefined, masks.netdev ?? 0)
  if (family === NFPROTO_BRIDGE) return demand(undefined, masks.bridge ?? 0)
  return demand(undefined, NETWORK.includes(family) ? (masks.network ?? 0) : 0)
}

/** nft_meta_inner_init */
export const innerMeta: ExpressionType['init'] = ({ registers }, attributes) => {
  need(attributes, KEY, DESTINATION)
  const key = attributes.be32(KEY)
  if (key !== PROTOCOL && key !== L4PROTO) throw new Errno(EOPNOTSUPP)
  const destination = registers.store(attributes, DESTINATION, key === PROTOCOL ? 2 : 4)
  return new Told().be32(KEY, key).register(DESTINATION, destination)
}

export const metadata: readonly ExpressionType[] = [meta]
