import { align4 } from '../../../netlink/buffer.js'
import { record } from '../../../netlink/record.js'
import { type AttributeType, BadValue, required, shown, writeAttribute } from '../../../netlink/schema.js'
import { be32, u8 } from '../../../netlink/values.js'
import { layer3 } from './layer3.js'

const NLA_TYPE_MASK = 0x3fff

/** One attribute for each state, by its number. */
const policy: AttributeType<Readonly<Record<number, number>>> = {
  write(writer, states) {
    if (states === null || typeof states !== 'object' || Array.isArray(states))
      throw new BadValue('type', `${shown(states)}: give an object of seconds by the number of a state`)
    for (const [state, seconds] of Object.entries(states)) {
      const number = Number(state)
      if (!Number.isInteger(number) || number < 1 || number > NLA_TYPE_MASK)
        throw new BadValue('type', `is no state: give its number, from 1 on (CTA_TIMEOUT_TCP_* and others)`).within(state)
      try {
        writeAttribute(writer, number, be32, seconds)
      } catch (error) {
        throw error instanceof BadValue ? error.within(state) : error
      }
    }
  },
  read(reader, start, length) {
    const states: Record<number, number> = {}
    const end = start + length
    for (let offset = start; offset < end; ) {
      const size = offset + 4 <= end ? (reader.u16[offset >> 1] as number) : 0
      const state = size === 8 && offset + size <= end ? (reader.u16[(offset >> 1) + 1] as number) : 0
      // Anything else would be lost here: the attribute is kept as a whole instead.
      if (state === 0 || state > NLA_TYPE_MASK || states[state] !== undefined) return undefined
      states[state] = be32.read(reader, offset + 4, 4) as number
      offset += align4(size)
    }
    return states
  },
  nested: { path: () => undefined },
}

/** net/netfilter/nft_ct.c, nft_ct_timeout_obj_init */
export const timeoutData = record({
  layer3: [1, layer3],
  protocol: [2, required(u8)],
  policy: [3, required(policy)],
})
