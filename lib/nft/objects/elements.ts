import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import type { Element, Elements } from '../types.js'

/**
 * Writes the attributes of messages with these elements. Each message holds as many as fit; `next` ends one and starts another. Yields how many elements it
 * wrote since it did so before, so that others get a turn.
 *
 * @param next is called with the index of the first element that the next message holds; 0 for the first message
 */
export function* writeElements(
  _writer: MessageWriter,
  _elements: Elements,
  _next: (element: number) => void,
): Generator<number, void, void> {
  throw new Error('to be written')
}

/** The elements of one message of a set whose types are known. */
export function readElements(_set: Elements['set'], _reader: MessageReader, _start: number, _end: number): Element[] {
  throw new Error('to be written')
}
