/** Expressions that use other things of the table: objects, flowtables, sets (nft_objref.c, nft_flow_offload.c, nft_lookup.c, nft_dynset.c). */
import { EOPNOTSUPP, Errno } from '../../errno.js'
import { string, u32Rule } from '../../policy.js'
import { type Context, type ExpressionType, need, type Reference, Told } from '../expression.js'
import { flowtableOf } from '../flowtables.js'
import { demand, hooks } from '../hooks.js'
import { objectOf } from '../objects.js'
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
    const byMap = attributes.has(OBJREF.source) && (attributes.has(OBJREF.set) || attributes.has(OBJREF.setId))
    if (!byMap && !(attributes.has(OBJREF.name) && attributes.has(OBJREF.type))) throw new Errno(EOPNOTSUPP)
  },
  init(context, attributes) {
    const object = objectOf(context.table, attributes.be32(OBJREF.type) as number, attributes.text(OBJREF.name))
    const { dump } = new Told().text(OBJREF.name, object.name).be32(OBJREF.type, object.type)
    const validate = object.type === SYNPROXY ? demand(undefined, hooks.input | hooks.forward) : undefined
    return { dump, references: [user(context, object)], validate }
  },
}

export const users: readonly ExpressionType[] = [flowOffload, objref]
