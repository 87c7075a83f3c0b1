import { BadValue } from '../../netlink/schema.js'
import { be32, choice, text } from '../../netlink/values.js'
import { register } from '../data.js'
import { type ExpressionOf, expressionCodec } from '../expression.js'
import { objectTypes } from '../objects/object-type.js'

/** Uses stateful objects (net/netfilter/nft_objref.c). */
export const objref = expressionCodec(
  'objref',
  {
    /** Type of the object that `name` names. */
    type: [1, choice(be32, objectTypes)],
    name: [2, text(255)],
    /** Instead: register of a key … */
    source: [3, register],
    /** … that this map maps to an object. */
    set: [4, text(255)],
    /** Id of the map, when the same transaction adds it. Not told. */
    setId: [5, be32],
  },
  {
    check({ type, name, source, set }) {
      if (source === undefined && set === undefined) {
        if (name === undefined) throw new BadValue('type', 'is missing: give type and name, or source and set').within('name')
        if (type === undefined)
          throw new BadValue('type', 'is missing: objects of different types may have the same name').within('type')
        return
      }
      if (type !== undefined || name !== undefined)
        throw new BadValue('type', 'give type and name, or source and set').within('source')
      if (source === undefined) throw new BadValue('type', 'is missing: the register of the key').within('source')
      if (set === undefined) throw new BadValue('type', 'is missing: the name of the map').within('set')
    },
  },
)
/** Uses a stateful object of the table: by its name, or by a map. */
export interface Objref extends ExpressionOf<typeof objref> {}
