/** Elements as messages, and back. */
import { MessageReader, MessageWriter } from '../../../lib/netlink/buffer.js'
import { ElementReader } from '../../../lib/nft/objects/element-reader.js'
import { type Purpose, writeElements } from '../../../lib/nft/objects/elements.js'
import type { Element, Elements } from '../../../lib/nft/types.js'

type Set = Elements['set']

/** Sets that tests write elements of. */
const common = { family: 'ip', table: 't', name: 's' } as const
export const addresses: Set = { ...common, key: 'ipv4_addr' }
export const ranges: Set = { ...addresses, flags: ['interval'] }
export const endpoints: Set = { ...common, key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] }

/** What was written: the messages, each with its first element, and how many elements were told between interruptions. */
export interface Written {
  readonly messages: { readonly first: number; readonly start: number; end: number }[]
  readonly bytes: Uint8Array
  readonly counts: number[]
}

export function write(set: Set, elements: readonly Element[], purpose: Purpose = 'add', size = 16): Written {
  const writer = new MessageWriter(size)
  writer.bytes.fill(0xee)
  const messages: Written['messages'] = []
  const end = (): void => {
    const last = messages.at(-1)
    if (last) last.end = writer.offset
  }
  const counts = [
    ...writeElements(writer, { set, elements }, purpose, first => {
      end()
      messages.push({ first, start: writer.offset, end: 0 })
    }),
  ]
  end()
  return { messages, bytes: writer.written().slice(), counts }
}

export function readAll(set: Set, { bytes, messages }: Pick<Written, 'bytes' | 'messages'>): Element[] {
  const reader = new ElementReader(set)
  const message = new MessageReader(bytes)
  const elements: Element[] = []
  for (const { start, end } of messages) reader.read(message, start, end, elements)
  reader.end(elements)
  return elements
}
