/** Constants as they stand in registers, and back. */
import type { ByteOrder } from '../data-types.js'

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** A constant in as many bytes as its bits need: in the machine's order for `host`, otherwise in the network's. */
export function toRegister(value: bigint, bits: number, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array((bits + 7) >> 3)
  let rest = value
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return order === 'host' && LITTLE ? bytes.reverse() : bytes
}

/** The constant that the first bytes of a register hold, as many as `bits` need. */
export function fromRegister(bytes: Uint8Array, bits: number, order: ByteOrder): bigint {
  const length = Math.min(bytes.length, (bits + 7) >> 3)
  let value = 0n
  for (let i = 0; i < length; i++) {
    const at = order === 'host' && LITTLE ? length - 1 - i : i
    value = (value << 8n) | BigInt(bytes[at] as number)
  }
  return value
}
