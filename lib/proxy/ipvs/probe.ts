/** Whether this kernel has IPVS: found out by using it. */
import type { IpvsClient } from '../../ipvs/index.js'
import type { Family } from '../../service/index.js'

/** A mark that nobody sets, most likely: no packet meets what is tried. Always the same: what a proxy left that died goes with the next try. */
const MARK = 0xf7545349

/**
 * Makes a virtual server, reads it back, and removes it. Returns why not, if that can not be done. (`capabilities` of the client would try all
 * schedulers too, and load a module for each.)
 */
export async function whyNot(client: IpvsClient, family: Family, signal?: AbortSignal): Promise<string | undefined> {
  const key = { firewallMark: MARK, family }
  try {
    await client.ensureVirtualServer({ ...key, scheduler: 'rr' }, { signal })
    const made = await client.getVirtualServer(key, { signal })
    await client.removeVirtualServer(key)
    return made ? undefined : 'what was made in it is not there'
  } catch (error) {
    if (signal?.aborted) throw error
    return (error as Error).message
  }
}
