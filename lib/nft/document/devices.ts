/** The devices of a client's namespace: some types know them by number, and JSON and text by name. */
import type { Limit } from '../../netlink/channel.js'
import { NetlinkError } from '../../netlink/error.js'
import { readInterfaces } from '../../netlink/interfaces.js'
import type { Transport } from '../../netlink/transport.js'
import type { Devices } from '../vocabulary/value-type.js'

/** Where rtnetlink can not be asked devices keep their numbers. */
export async function readDevices(transport: Transport, limit: Limit): Promise<Devices> {
  try {
    const found = await readInterfaces(transport, limit)
    const names = new Map(found.map(({ index, name }) => [index, name]))
    const numbers = new Map(found.map(({ index, name }) => [name, index]))
    return { indexOf: name => numbers.get(name), nameOf: index => names.get(index) }
  } catch (error) {
    if (error instanceof NetlinkError && error.problem === 'interrupted') throw error
    return { indexOf: () => undefined, nameOf: () => undefined }
  }
}
