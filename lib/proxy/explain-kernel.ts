/** What becomes of a connection by what is in the kernel. */
import { open as openIpvs } from '../ipvs/index.js'
import { type OpenOptions as NftOptions, open as openNft } from '../nft/index.js'
import { open as openRoutes } from '../route/index.js'
import type { Explanation, Flow } from '../service/index.js'
import type { ServedExplanation } from './explain.js'
import { explainByTable } from './nftables/explain.js'
import { localAddresses } from './routes.js'

export type KernelOptions = Pick<NftOptions, 'netns' | 'transport'> & { readonly signal?: AbortSignal | undefined }

/**
 * Reads the tables of a proxy in the kernel, which need not run, and changes nothing. Endpoints are those that a connection may go to now.
 *
 * @throws {TypeError} for addresses that are none
 * @throws {NetlinkError} where the kernel does not let itself be read
 * @example
 * const { verdict, endpoints } = await explainKernel({ from: '10.244.1.7', protocol: 'tcp', address: '10.96.0.10', port: 80 })
 */
export async function explainKernel(flow: Flow, { netns, transport, signal }: KernelOptions = {}): Promise<ServedExplanation> {
  const of = { ...(netns === undefined ? {} : { netns }), ...(transport === undefined ? {} : { transport }) }
  await using nft = await openNft(of)
  await using routes = await openRoutes(of)
  const virtualServer = async ({ protocol, address, port }: Flow): Promise<readonly string[]> => {
    await using lvs = await openIpvs(of)
    const places: string[] = []
    for await (const server of lvs.listRealServers({ protocol, address, port }, { signal }))
      if (server.weight > 0) places.push(`${server.address} ${server.port}`)
    return places
  }
  return await explainByTable(nft, flow, { localAddresses: await localAddresses(routes), virtualServer, signal })
}

/** What two explanations of one connection do not agree in; undefined where they do. Reasons may differ, and a long name is cut off. */
export function disagreement(kernel: Explanation, wanted: Explanation): string | undefined {
  const text = ({ verdict, service = '', endpoints, masquerade }: Explanation): string =>
    [
      verdict,
      verdict === 'none' || service === '' ? [] : `for ${service}`,
      endpoints.length > 0 ? `to ${[...endpoints].sort().join(', ')}` : [],
      masquerade ? 'masqueraded' : [],
    ]
      .flat()
      .join(' ')
  const same = text({ ...kernel, service: undefined }) === text({ ...wanted, service: undefined })
  const named = kernel.service === undefined || wanted.service === undefined || wanted.service.slice(0, 127) === kernel.service
  return same && named ? undefined : `the kernel says ${text(kernel)}, the source says ${text(wanted)}`
}
