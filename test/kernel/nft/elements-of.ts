import { NETFILTER_HEADER } from '../../../lib/netlink/netfilter.js'
import type { Transport } from '../../../lib/netlink/transport.js'
import { familyToWire } from '../../../lib/nft/family.js'
import { Kernel } from '../../../lib/nft/kernel.js'
import { ElementReader } from '../../../lib/nft/objects/element-reader.js'
import type { Element, Elements } from '../../../lib/nft/types.js'
import { message, setElementListAttributes } from '../../../lib/nft/wire.js'

/** All elements of a set, as the kernel tells them. */
export async function elementsOf(transport: Transport, set: Elements['set']): Promise<Element[]> {
  const kernel = new Kernel(transport, 60)
  try {
    const { table, name } = set
    const answer = await kernel.dump(
      message.getElements,
      familyToWire(set.family),
      writer => setElementListAttributes.encode(writer, { table, set: name }),
      kernel.limit(undefined),
    )
    const elements: Element[] = []
    const reader = new ElementReader(set)
    for (const { payload, end } of answer.messages()) reader.read(answer.reader, payload + NETFILTER_HEADER, end, elements)
    reader.end(elements)
    return elements
  } finally {
    await kernel.close()
  }
}
