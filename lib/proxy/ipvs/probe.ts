/** Whether this kernel has IPVS: found out by using it. */
import type { IpvsClient } from '../../ipvs/index.js'
import type { Family } from '../../service/index.js'

/** Above this are marks that nobody sets, most likely: no packet meets what is tried. */
const MARKS = 0xf0000000

/**
 * Makes a virtual server, reads it back, and removes it. Returns why not, if that can not be done. (`capabilities` of the client would try all
 * schedulers too, and load a module for each.)
 */
export async function whyNot(client: IpvsClient, family: Family, signal?: AbortSignal): Promise<string | undefined> {
  const key = { firewallMark: MARKS + Math.floor(Math.random() * 0x0fffffff), family }
  try {
    await client.addVirtualServer({ ...key, scheduler: 'rr' }, { signal })
    const made = await client.getVirtualServer(key, { signal })
    await client.removeVirtualServer(key)
    return made ? undefined : 'what was made in it is not there'
  } catch (error) {
    if (signal?.aborted) throw error
    return (error as Error).message
  }
}
