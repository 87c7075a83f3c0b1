/**
 * The bytes of netlink messages, written and read through typed arrays: attributes are aligned to 4 bytes, and numbers stand in the
 * machine's own byte order, which is what Uint16Array and Uint32Array use.
 */

export const align4 = (length: number): number => (length + 3) & ~3

/** Writes messages one behind the other into memory that is used again. */
export class MessageWriter {
  bytes: Uint8Array
  u16: Uint16Array
  u32: Uint32Array
  /** Where the next byte goes. */
  offset = 0

  constructor(size: number) {
    const memory = new ArrayBuffer(align4(size))
    this.bytes = new Uint8Array(memory)
    this.u16 = new Uint16Array(memory)
    this.u32 = new Uint32Array(memory)
  }

  /** Makes room for `length` bytes more. */
  reserve(length: number): void {
    if (this.offset + length <= this.bytes.length) return
    const old = this.bytes
    const memory = new ArrayBuffer(align4(Math.max(old.length * 2, this.offset + length)))
    this.bytes = new Uint8Array(memory)
    this.u16 = new Uint16Array(memory)
    this.u32 = new Uint32Array(memory)
    this.bytes.set(old.subarray(0, this.offset))
  }

  /** Makes room for the rest of what was begun at `start`, when `done` of its `all` parts have been written and the others are like them. */
  foresee(start: number, done: number, all: number): void {
    this.reserve(Math.ceil(((this.offset - start) / done) * (all - done) * 1.05))
  }

  /** Writes bytes as they are. There is room for their padding behind them. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length + 3)
    // Most are a few bytes, for which set() takes longer.
    if (bytes.length > 32) this.bytes.set(bytes, this.offset)
    else for (let i = 0; i < bytes.length; i++) this.bytes[this.offset + i] = bytes[i] as number
    this.offset += bytes.length
  }

  /** What has been written, without a copy. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.offset)
  }
}

/** Reads messages. */
export class MessageReader {
  readonly bytes: Uint8Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly end: number

  constructor(data: Uint8Array) {
    // A received buffer is aligned; one made by hand need not be. And slice() of a Buffer would keep all of it alive.
    const bytes = data.byteOffset % 4 === 0 ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
    this.bytes = bytes
    this.u16 = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1)
    this.u32 = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
    this.end = bytes.byteLength
  }
}
