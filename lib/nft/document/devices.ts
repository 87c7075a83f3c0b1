/** The devices of a client's namespace: some types know them by number, and JSON and text by name. */
import type { Limit } from '../../netlink/channel.js'
import { NetlinkError } from '../../netlink/error.js'
import { Kernel } from '../../netlink/kernel.js'
import { NETLINK_ROUTE, type Transport } from '../../netlink/transport.js'
import { readLinks } from '../../route/devices.js'
import { routeTrace } from '../../route/trace.js'
import type { Devices } from '../vocabulary/value-type.js'

/** Seconds; the limit of the call is the one that counts. */
const DEADLINE = 3600

/** Where rtnetlink can not be asked devices keep their numbers. */
export async function readDevices(transport: Transport, limit: Limit): Promise<Devices> {
  const kernel = new Kernel(unclosed(transport), NETLINK_ROUTE, routeTrace, DEADLINE)
  try {
    const links = await readLinks(kernel, limit)
    const names = new Map(links.map(({ index, name }) => [index, name]))
    const numbers = new Map(links.map(({ index, name }) => [name, index]))
    return { indexOf: name => numbers.get(name), nameOf: index => names.get(index) }
  } catch (error) {
    if (error instanceof NetlinkError && error.problem === 'interrupted') throw error
    return { indexOf: () => undefined, nameOf: () => undefined }
  } finally {
    await kernel.close()
  }
}

/** The transport belongs to the client: it stays open. */
const unclosed = (transport: Transport): Transport => ({
  open: options => transport.open(options),
  readFile: path => transport.readFile(path),
  writeFile: (path, text) => transport.writeFile(path, text),
  close: async () => {},
})
