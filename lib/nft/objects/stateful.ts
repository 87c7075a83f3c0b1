import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import type { Family, ObjectType, StatefulObject } from '../types.js'

export function writeObject(_writer: MessageWriter, _object: StatefulObject): void {
  throw new Error('to be written')
}

export function writeObjectKey(
  _writer: MessageWriter,
  _key: {
    readonly table: string
    readonly type: ObjectType
    readonly name?: string | undefined
    readonly handle?: number | undefined
  },
): void {
  throw new Error('to be written')
}

export function readObject(_family: Family, _reader: MessageReader, _start: number, _end: number): StatefulObject | undefined {
  throw new Error('to be written')
}
