/** Clients of the kernel, of one namespace. */
import { type ConntrackClient, open as openConntrack } from '../conntrack/index.js'
import { type IpvsClient, open as openIpvs } from '../ipvs/index.js'
import { nativeTransport, type Transport } from '../netlink/index.js'
import { type NftClient, open as openNft } from '../nft/index.js'
import { open as openRoutes, type RouteClient } from '../route/index.js'
import type { Family } from '../service/index.js'
import type { EngineName } from './backend.js'
import { whyNot } from './ipvs/probe.js'
import type { BackendName, Log, ServiceProxyOptions } from './options.js'

export interface Clients {
  readonly nft: NftClient
  readonly routes: RouteClient
  readonly tracked: ConntrackClient
  readonly lvs: IpvsClient
  readonly files: Transport
}

export async function openClients({ netns, transport }: Pick<ServiceProxyOptions, 'netns' | 'transport'>): Promise<Clients> {
  const of = { ...(netns === undefined ? {} : { netns }), ...(transport === undefined ? {} : { transport }) }
  return {
    nft: await openNft(of),
    routes: await openRoutes(of),
    tracked: await openConntrack(of),
    lvs: await openIpvs(of),
    files: transport ?? nativeTransport(netns),
  }
}

export async function closeClients({ nft, routes, tracked, lvs, files }: Clients): Promise<void> {
  for (const client of [nft, routes, tracked, lvs, files]) await client.close()
}

/** Which engine each family gets: IPVS where it was asked for and can be used. Rejects where nothing else may serve. */
export async function chooseEngines(lvs: IpvsClient, backend: BackendName, log: Log): Promise<ReadonlyMap<Family, EngineName>> {
  const engines = new Map<Family, EngineName>([
    ['ipv4', 'nftables'],
    ['ipv6', 'nftables'],
  ])
  if (backend === 'nftables') return engines
  for (const family of engines.keys()) {
    const reason = await whyNot(lvs, family)
    if (reason === undefined) engines.set(family, 'ipvs')
    else if (backend === 'ipvs' && family === 'ipv4') throw new Error(`IPVS can not be used here: ${reason}`)
    else log('warn', `IPVS can not be used here, rules of nftables serve ${family} instead: ${reason}`)
  }
  return engines
}
