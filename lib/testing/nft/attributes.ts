/** Attributes of requests, which stand in any order, and of answers, which stand in the kernel's. */
import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { beginNest, endNest } from '../../netlink/message.js'
import { raw, writeAttribute } from '../../netlink/schema.js'
import { be32, be64, readBe32 } from '../../netlink/values.js'
import { EINVAL, Errno } from '../errno.js'
import { elements, type Payload, type Policy, parse, type Report } from '../policy.js'

/** Bytes as characters, up to a NUL: names are any bytes to the kernel, and a NUL at the end may be missing (nla_strcmp). */
function textOf(bytes: Uint8Array): string {
  const length = bytes.indexOf(0)
  return Buffer.from(bytes.buffer, bytes.byteOffset, length < 0 ? bytes.length : length).toString('latin1')
}

/** The attributes of a nest of a request. */
export class Nest {
  readonly #reader: MessageReader
  readonly #found: ReadonlyMap<number, Payload>

  constructor(reader: MessageReader, start: number, end: number, policy: Policy, report: Report = {}) {
    this.#reader = reader
    this.#found = parse(reader, start, end, policy, report)
  }

  has(id: number): boolean {
    return this.#found.has(id)
  }

  at(id: number): Payload | undefined {
    return this.#found.get(id)
  }

  /** An error that points at an attribute, if it is there. */
  refuse(errno: number, id: number): Errno {
    return refuse(errno, this.#found.get(id))
  }

  u8(id: number): number | undefined {
    const payload = this.#found.get(id)
    return payload && this.#reader.bytes[payload.start]
  }

  be16(id: number): number | undefined {
    const payload = this.#found.get(id)
    const { bytes } = this.#reader
    return payload && ((bytes[payload.start] as number) << 8) | (bytes[payload.start + 1] as number)
  }

  be32(id: number): number | undefined {
    const payload = this.#found.get(id)
    return payload && readBe32(this.#reader, payload.start)
  }

  be64(id: number): bigint | undefined {
    const payload = this.#found.get(id)
    return payload && (BigInt(readBe32(this.#reader, payload.start)) << 32n) | BigInt(readBe32(this.#reader, payload.start + 4))
  }

  /** A handle: they count up from 1. */
  handle(id: number): number | undefined {
    const payload = this.#found.get(id)
    return payload && readBe32(this.#reader, payload.start) * 0x1_0000_0000 + readBe32(this.#reader, payload.start + 4)
  }

  text(id: number): string | undefined {
    const payload = this.#found.get(id)
    return payload && textOf(this.#reader.bytes.subarray(payload.start, payload.end))
  }

  /** A copy of the payload. */
  bytes(id: number): Uint8Array | undefined {
    const payload = this.#found.get(id)
    return payload && this.#reader.bytes.slice(payload.start, payload.end)
  }

  /** What is in a nest. EINVAL where there is none. */
  nest(id: number, policy: Policy): Nest {
    const payload = this.#found.get(id)
    if (!payload) throw new Errno(EINVAL)
    return this.within(payload, policy)
  }

  /** What is in one of the elements of a list. */
  within(payload: Payload, policy: Policy): Nest {
    return new Nest(this.#reader, payload.start, payload.end, policy)
  }

  /** The elements of a list, none where there is no list. */
  list(id: number): readonly (Payload & { readonly type: number })[] {
    const payload = this.#found.get(id)
    return payload ? [...elements(this.#reader, payload.start, payload.end)] : []
  }

  /** The payload of one of the elements of a list as text. */
  textOf(payload: Payload): string {
    return textOf(this.#reader.bytes.subarray(payload.start, payload.end))
  }
}

/** An error that points at an attribute (NL_SET_BAD_ATTR). */
export function refuse(errno: number, attribute: Payload | undefined): Errno {
  return new Errno(errno, attribute && attribute.start - 4)
}

/** Runs `work`; its errors point at an attribute, whatever they pointed at before. */
export function blaming<T>(attribute: Payload | undefined, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof Errno ? refuse(error.errno, attribute) : error
  }
}

export const putText = (writer: MessageWriter, id: number, value: string): void =>
  writeAttribute(writer, id, raw, Buffer.from(`${value}\0`, 'latin1'))
export const putBytes = (writer: MessageWriter, id: number, value: Uint8Array): void => writeAttribute(writer, id, raw, value)
export const putBe32 = (writer: MessageWriter, id: number, value: number): void => writeAttribute(writer, id, be32, value >>> 0)
export const putBe64 = (writer: MessageWriter, id: number, value: bigint | number): void =>
  writeAttribute(writer, id, be64, BigInt(value))

/** A nest, which here never has NLA_F_NESTED (nla_nest_start_noflag). */
export function putNest(writer: MessageWriter, id: number, body: () => void): void {
  const start = beginNest(writer, id)
  body()
  endNest(writer, start)
}
