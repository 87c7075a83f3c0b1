/** What registers hold: bytes, or a verdict (NFTA_DATA_*). */
import { align4, type MessageReader, type MessageWriter } from '../netlink/buffer.js'
import { nest, record } from '../netlink/record.js'
import { type AttributeType, attributeEnd, BadValue, required, shown, writeAttribute } from '../netlink/schema.js'
import { be32, bytes, choice, sbe32, text } from '../netlink/values.js'

/**
 * A register as the kernel numbers them (NFT_REG_*): 0 is the verdict, 1 to 4 have 16 bytes each, 8 to 23 are the same 64 bytes in steps of 4.
 * The kernel tells a register that starts at one of 16 bytes by its number from 1 to 4, whatever it was given.
 */
export type Register = number

export const register: AttributeType<Register> = be32

/** What becomes of a packet, or where the evaluation goes on. A number is a code that has no word here (NF_*, NFT_*). */
export interface Verdict {
  readonly verdict: 'accept' | 'drop' | 'queue' | 'continue' | 'break' | 'jump' | 'goto' | 'return' | number
  /** Name of the chain that `jump` and `goto` go to. */
  readonly chain?: string | undefined
  /** Its id within the transaction, instead of the name: an unnamed chain that the same transaction adds. */
  readonly chainId?: number | undefined
}

/** Bytes, at most 16 in expressions and 64 in elements; or a verdict. */
export type Data = Uint8Array | Verdict

const verdictAttributes = record({
  verdict: [
    1,
    required(choice(sbe32, { drop: 0, accept: 1, queue: 3, continue: -1, break: -2, jump: -3, goto: -4, return: -5 })),
  ],
  chain: [2, text(255)],
  chainId: [3, be32],
})
const verdict = nest(verdictAttributes)

const NFTA_DATA_VALUE = 1
const NFTA_DATA_VERDICT = 2
const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff

/** A nest with either of the two, of at most `maximum` bytes. */
function dataWithin(maximum: number): AttributeType<Data> {
  return {
    write(writer: MessageWriter, value) {
      if (value instanceof Uint8Array) {
        if (value.length === 0 || value.length > maximum)
          throw new BadValue('range', `${value.length} bytes: give 1 to ${maximum}`)
        writeAttribute(writer, NFTA_DATA_VALUE, bytes, value)
      } else if (value !== null && typeof value === 'object') {
        if (lacksChain(value))
          throw new BadValue('type', `is missing: ${value.verdict} needs the name of a chain`).within('chain')
        writeAttribute(writer, NFTA_DATA_VERDICT | NLA_F_NESTED, verdict, value)
      } else throw new BadValue('type', `${shown(value)}: give a Uint8Array or a verdict, as { verdict: 'accept' }`)
    },
    read(reader: MessageReader, offset, length) {
      const size = length < 4 ? 0 : attributeEnd(reader, offset) - offset
      if (size < 4 || size > length || align4(size) !== align4(length)) return undefined // one of the two, and nothing beside it
      const type = (reader.u16[(offset >> 1) + 1] as number) & NLA_TYPE_MASK
      if (type === NFTA_DATA_VALUE) return size === 4 || size - 4 > maximum ? undefined : bytes.read(reader, offset + 4, size - 4)
      const read = type === NFTA_DATA_VERDICT ? verdict.read(reader, offset + 4, size - 4) : undefined
      return read && !lacksChain(read) ? read : undefined
    },
    nested: record({ value: [1, bytes], verdict: [2, verdict] }),
  }
}

/** What an element of a set holds (NFT_DATA_VALUE_MAXLEN). */
export const data = dataWithin(64)

/** What an expression holds (struct nft_data). */
export const constant = dataWithin(16)

const lacksChain = ({ verdict, chain, chainId }: Verdict): boolean =>
  (verdict === 'jump' || verdict === 'goto') && chain === undefined && chainId === undefined
