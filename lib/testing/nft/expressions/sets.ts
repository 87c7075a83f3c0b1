/** Expressions that use other things of the table: objects, flowtables, sets (nft_objref.c, nft_flow_offload.c, nft_lookup.c). */
import { EINVAL, EOPNOTSUPP, Errno } from '../../errno.js'
import { flagsRule, string, u32Rule } from '../../policy.js'
import type { Nest } from '../attributes.js'
import { type Context, type ExpressionType, type Made, need, type Reference, Told } from '../expression.js'
import { flowtableOf } from '../flowtables.js'
import { demand, hooks } from '../hooks.js'
import { objectOf } from '../objects.js'
import { registerOf } from '../registers.js'
import { bindSet, setOf } from '../sets.js'
import { type NftSet, setFlag } from '../state.js'
import { requireTracking } from './ct.js'

/** Counts as a user as long as it stands in a rule. */
function user({ transaction }: Context, used: { use: number }): Reference {
  transaction.use(used, 1)
  return { release: running => running.use(used, -1) }
}

/** inet, ip, ip6 */
const NETWORK = [1, 2, 10]

const flowOffload: ExpressionType = {
  name: 'flow_offload',
  policy: { 1: string(255) },
  init(context, attributes) {
    need(attributes, 1)
    const flowtable = flowtableOf(context.table, attributes.text(1))
    const reference = user(context, flowtable)
    requireTracking(context.family)
    const mask = NETWORK.includes(context.family) ? hooks.forward : 0
    return { dump: new Told().text(1, flowtable.name).dump, references: [reference], validate: demand(undefined, mask) }
  },
}

const OBJREF = { type: 1, name: 2, source: 3, set: 4, setId: 5 } as const
const SYNPROXY = 10

const objref: ExpressionType = {
  name: 'objref',
  policy: {
    [OBJREF.type]: u32Rule,
    [OBJREF.name]: string(255),
    [OBJREF.source]: u32Rule,
    [OBJREF.set]: string(255),
    [OBJREF.setId]: u32Rule,
  },
  select(_, attributes) {
    if (!isByMap(attributes) && !(attributes.has(OBJREF.name) && attributes.has(OBJREF.type))) throw new Errno(EOPNOTSUPP)
  },
  init: (context, attributes) => (isByMap(attributes) ? byMap(context, attributes) : byName(context, attributes)),
}

const isByMap = (attributes: Nest): boolean =>
  attributes.has(OBJREF.source) && (attributes.has(OBJREF.set) || attributes.has(OBJREF.setId))

function byName(context: Context, attributes: Nest): Made {
  const object = objectOf(context.table, attributes.be32(OBJREF.type) as number, attributes.text(OBJREF.name))
  const { dump } = new Told().text(OBJREF.name, object.name).be32(OBJREF.type, object.type)
  const validate = object.type === SYNPROXY ? demand(undefined, hooks.input | hooks.forward) : undefined
  return { dump, references: [user(context, object)], validate }
}

function byMap(context: Context, attributes: Nest): Made {
  const { table, transaction, registers } = context
  const set = setOf(table, transaction, attributes, OBJREF.set, OBJREF.setId)
  if (!(set.flags & setFlag.object)) throw new Errno(EINVAL)
  const source = registers.load(attributes, OBJREF.source, set.keyLength)
  const { dump } = new Told().register(OBJREF.source, source).text(OBJREF.set, set.name)
  return { dump, references: [bindSet(context, set)] }
}

const LOOKUP = { set: 1, source: 2, destination: 3, setId: 4, flags: 5 } as const
const INVERT = 1
const VERDICT = 0xffff_ff00

const lookup: ExpressionType = {
  name: 'lookup',
  policy: {
    [LOOKUP.set]: string(255),
    [LOOKUP.source]: u32Rule,
    [LOOKUP.destination]: u32Rule,
    [LOOKUP.setId]: u32Rule,
    [LOOKUP.flags]: flagsRule(INVERT),
  },
  init(context, attributes) {
    const { table, transaction, registers } = context
    need(attributes, LOOKUP.set, LOOKUP.source)
    const set = setOf(table, transaction, attributes, LOOKUP.set, LOOKUP.setId)
    const source = registers.load(attributes, LOOKUP.source, set.keyLength)
    const flags = attributes.be32(LOOKUP.flags) ?? 0
    const destination = attributes.has(LOOKUP.destination) ? mappedTo(context, attributes, set, flags) : undefined
    const map = (set.flags & setFlag.map) !== 0
    if (destination === undefined && map && set.flags & setFlag.anonymous) throw new Errno(EINVAL)
    const { dump } = new Told()
      .text(LOOKUP.set, set.name)
      .register(LOOKUP.source, source)
      .register(LOOKUP.destination, destination)
      .be32(LOOKUP.flags, flags)
    const jumps = map && set.dataType === VERDICT
    return { dump, references: [bindSet(context, set)], jumpsTo: jumps ? set : undefined }
  },
}

function mappedTo({ registers }: Context, attributes: Nest, set: NftSet, flags: number): number {
  if (flags & INVERT || !(set.flags & setFlag.map)) throw new Errno(EINVAL)
  if (set.dataType !== VERDICT) return registers.store(attributes, LOOKUP.destination, set.dataLength)
  if (registerOf(attributes, LOOKUP.destination) !== 0) throw new Errno(EINVAL)
  return 0
}

export const users: readonly ExpressionType[] = [flowOffload, objref, lookup]
