/** What a kernel can do, found out by doing: old kernels take attributes that they do not know, and ignore them. */
import { randomInt } from 'node:crypto'
import type { CallOptions } from '../netlink/channel.js'
import { NetlinkError } from '../netlink/error.js'
import type { Operation } from './batch.js'
import type { IpvsClient } from './client.js'
import { SCHEDULERS } from './explain.js'
import type { Kernel } from './kernel.js'
import { readServices } from './snapshot.js'
import type { RealServer, RealServerConfig, Scheduler, VirtualServerConfig, VirtualServerKey } from './types.js'

export interface Capabilities {
  /** Whether IPVS can be used here at all: a virtual server could be made, read back and removed. The rest is empty where it could not. */
  readonly available: boolean
  /** Why not. */
  readonly reason?: NetlinkError
  /** `1.2.1` */
  readonly version?: string
  readonly ipv6: boolean
  readonly schedulers: readonly Scheduler[]
  readonly persistenceEngines: readonly string[]
  /** Encapsulations that were read back as they were written. */
  readonly tunnels: readonly ('ipip' | 'gue' | 'gre')[]
  readonly tunnelChecksums: boolean
  /** Real servers of another address family behind a tunnel. */
  readonly mixedFamilies: boolean
  /** 64-bit counters. */
  readonly statistics64: boolean
}

const NONE: Capabilities = {
  available: false,
  ipv6: false,
  schedulers: [],
  persistenceEngines: [],
  tunnels: [],
  tunnelChecksums: false,
  mixedFamilies: false,
  statistics64: false,
}

/** A firewall mark that no packet carries, most likely: no traffic ever meets the probe. */
function probeKey(family: 'ipv4' | 'ipv6' = 'ipv4'): VirtualServerKey & { firewallMark: number } {
  return { firewallMark: randomInt(0xf0000000, 0xffffffff), family }
}

/** Makes each virtual server, and removes it again. */
async function trial(
  client: IpvsClient,
  servers: readonly VirtualServerConfig[],
  options: CallOptions | undefined,
): Promise<boolean[]> {
  const operations = servers.flatMap((virtualServer): Operation[] => [
    { operation: 'addVirtualServer', virtualServer },
    { operation: 'removeVirtualServer', virtualServer },
  ])
  const results = await client.run(operations, options)
  return servers.map((_, i) => {
    const result = results[2 * i]
    if (
      result &&
      !result.ok &&
      result.error instanceof NetlinkError &&
      ['interrupted', 'reply-lost'].includes(result.error.problem)
    )
      throw result.error
    return result?.ok === true
  })
}

export async function workingSchedulers(
  client: IpvsClient,
  names: readonly Scheduler[] = SCHEDULERS,
  options?: CallOptions,
): Promise<Scheduler[]> {
  const works = await trial(
    client,
    names.map(scheduler => ({ ...probeKey(), scheduler })),
    options,
  )
  return names.filter((_, i) => works[i])
}

/** Real servers that a kernel either takes and gives back as they are, or not. The addresses are those of documentation (RFC 5737, 3849). */
const PROBES = {
  gue: { address: '192.0.2.1', port: 0, forwarding: 'tunnel', tunnel: { type: 'gue', port: 6080 } },
  gre: { address: '192.0.2.2', port: 0, forwarding: 'tunnel', tunnel: { type: 'gre' } },
  checksum: { address: '192.0.2.3', port: 0, forwarding: 'tunnel', tunnel: { type: 'gue', port: 6080, checksum: 'checksum' } },
  ipip: { address: '192.0.2.4', port: 0, forwarding: 'tunnel', tunnel: { type: 'ipip' } },
  mixed: { address: '2001:db8::1', port: 0, forwarding: 'tunnel', tunnel: { type: 'ipip' } },
} as const satisfies Record<string, RealServerConfig>

export async function capabilities(client: IpvsClient, kernel: Kernel, options?: CallOptions): Promise<Capabilities> {
  const key = probeKey()
  try {
    await client.addVirtualServer({ ...key, scheduler: 'rr' }, options)
  } catch (error) {
    if (error instanceof NetlinkError && error.problem !== 'interrupted') return { ...NONE, reason: error }
    throw error
  }
  try {
    const { version } = await client.info(options)
    const made = await probeRealServers(client, key, options)
    const readBack = await kernel.call(options, limit => readServices(kernel, limit, { statistics: true }))
    const record = readBack.records.find(({ firewallMark }) => firewallMark === key.firewallMark)
    return {
      available: record !== undefined,
      version,
      ...made,
      statistics64: record?.statistics64 !== undefined,
      ipv6: (await trial(client, [{ ...probeKey('ipv6'), scheduler: 'rr' }], options))[0] === true,
      schedulers: await workingSchedulers(client, undefined, options),
      persistenceEngines: (await trial(client, [{ ...probeKey(), scheduler: 'rr', persistence: { engine: 'sip' } }], options))[0]
        ? ['sip']
        : [],
    }
  } finally {
    await client.removeVirtualServer(key)
  }
}

async function probeRealServers(
  client: IpvsClient,
  key: VirtualServerKey,
  options: CallOptions | undefined,
): Promise<Pick<Capabilities, 'tunnels' | 'tunnelChecksums' | 'mixedFamilies'>> {
  await client.run(
    Object.values(PROBES).map(realServer => ({ operation: 'addRealServer', virtualServer: key, realServer })),
    options,
  )
  const made = await client.listRealServers(key, options).toArray()
  const works = (name: keyof typeof PROBES): boolean => made.some(realServer => sameTunnel(realServer, PROBES[name]))
  return {
    tunnels: (['ipip', 'gue', 'gre'] as const).filter(works),
    tunnelChecksums: works('checksum'),
    mixedFamilies: works('mixed'),
  }
}

function sameTunnel(actual: RealServer, wished: RealServerConfig): boolean {
  return actual.address === wished.address && JSON.stringify(actual.tunnel) === JSON.stringify(wished.tunnel)
}
