import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import type { Family, NftSet, SetKey } from '../types.js'

export function writeSet(_writer: MessageWriter, _set: NftSet): void {
  throw new Error('to be written')
}

export function writeSetKey(
  _writer: MessageWriter,
  _key: { readonly table: string; readonly name?: string | undefined; readonly handle?: number | undefined },
): void {
  throw new Error('to be written')
}

export function readSet(_family: Family, _reader: MessageReader, _start: number, _end: number): NftSet | undefined {
  throw new Error('to be written')
}

export type { SetKey }
