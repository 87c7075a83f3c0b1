import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import type { Family, Flowtable } from '../types.js'

export function writeFlowtable(_writer: MessageWriter, _flowtable: Flowtable): void {
  throw new Error('to be written')
}

export function writeFlowtableKey(
  _writer: MessageWriter,
  _key: { readonly table: string; readonly name?: string | undefined; readonly handle?: number | undefined },
): void {
  throw new Error('to be written')
}

export function readFlowtable(_family: Family, _reader: MessageReader, _start: number, _end: number): Flowtable | undefined {
  throw new Error('to be written')
}
