/** What registers hold: bytes, or a verdict (NFTA_DATA_*). */
import type { MessageReader, MessageWriter } from '../netlink/buffer.js'
import { nest, record } from '../netlink/record.js'
import { type AttributeType, BadValue, required, shown } from '../netlink/schema.js'
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

/** Bytes of a register, at most 64; or a verdict. */
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
const valueTable = record({ value: [1, bytes] })
const verdictTable = record({ verdict: [2, verdict] })

/** NFT_DATA_VALUE_MAXLEN */
const MAXIMUM = 64

/** A nest with either of the two. */
export const data: AttributeType<Data> = {
  write(writer: MessageWriter, value) {
    if (value instanceof Uint8Array) {
      if (value.length === 0 || value.length > MAXIMUM)
        throw new BadValue('range', `${value.length} bytes: registers hold 1 to ${MAXIMUM}`)
      valueTable.encode(writer, { value })
    } else if (value !== null && typeof value === 'object') writeVerdict(writer, value)
    else throw new BadValue('type', `${shown(value)}: give a Uint8Array or a verdict, as { verdict: 'accept' }`)
  },
  read(reader: MessageReader, offset, length) {
    const { value, unknown } = valueTable.decode(reader, offset, offset + length) ?? {}
    if (value !== undefined) return unknown || value.length === 0 || value.length > MAXIMUM ? undefined : value
    const read = verdictTable.decode(reader, offset, offset + length)
    return !read?.verdict || read.unknown || lacksChain(read.verdict) ? undefined : read.verdict
  },
  nested: record({ value: [1, bytes], verdict: [2, verdict] }),
}

const lacksChain = ({ verdict, chain, chainId }: Verdict): boolean =>
  (verdict === 'jump' || verdict === 'goto') && chain === undefined && chainId === undefined

function writeVerdict(writer: MessageWriter, value: Verdict): void {
  if (lacksChain(value)) throw new BadValue('type', `is missing: ${value.verdict} needs the name of a chain`).within('chain')
  try {
    verdictTable.encode(writer, { verdict: value })
  } catch (error) {
    if (error instanceof BadValue) error.path = error.path.replace(/^verdict\.?/, '') // the value itself
    throw error
  }
}
