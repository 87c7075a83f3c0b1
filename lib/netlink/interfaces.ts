/** Network devices by name and by index, for clients whose kernel knows them by index and whose users by name (rtnetlink(7)). */
import type { Limit } from './channel.js'
import { Kernel } from './kernel.js'
import { record } from './record.js'
import { struct } from './struct.js'
import { present, trace } from './trace.js'
import { NETLINK_ROUTE, type Transport } from './transport.js'
import { text } from './values.js'

/** IFNAMSIZ less the NUL. */
export const DEVICE_NAME = 15
export const deviceName = text(DEVICE_NAME)

/** `struct ifinfomsg` */
export const linkHeader = struct(16, {
  family: [0, 'u8'],
  type: [2, 'u16'],
  index: [4, 's32'],
  flags: [8, 'u32'],
  change: [12, 'u32'],
})

/** RTM_GETLINK */
const GET_LINK = 18
const attributes = record({ name: [3, deviceName] })

export interface Interface {
  readonly index: number
  readonly name: string
}

/** Seconds; the limit of the call is the one that counts. */
const DEADLINE = 3600

/** All devices, in the order of the kernel; over a channel of its own, for the caller's speaks another protocol. */
export async function readInterfaces(transport: Transport, limit: Limit): Promise<Interface[]> {
  const kernel = new Kernel(unclosed(transport), NETLINK_ROUTE, interfaceTrace, DEADLINE)
  try {
    const body = (writer: Parameters<typeof linkHeader.write>[0]): void => linkHeader.write(writer, { index: 0 })
    const answer = await kernel.dump({ type: GET_LINK, header: linkHeader.size, attributes, body }, limit)
    const found: Interface[] = []
    for (const { payload, end } of answer.messages()) {
      const { index } = linkHeader.read(answer.reader, payload)
      const name = attributes.decode(answer.reader, payload + linkHeader.size, end)?.name
      if (name !== undefined) found.push({ index, name })
    }
    return found
  } finally {
    await kernel.close()
  }
}

const interfaceTrace = trace((reader, { type, payload, end }) => ({
  name: type === GET_LINK ? 'getLink' : 'newLink',
  attributes: present(attributes.decode(reader, payload + linkHeader.size, end)),
}))

/** The transport belongs to the caller: it stays open. */
const unclosed = (transport: Transport): Transport => ({
  open: options => transport.open(options),
  readFile: path => transport.readFile(path),
  writeFile: (path, text) => transport.writeFile(path, text),
  close: async () => {},
})
