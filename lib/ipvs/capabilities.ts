/** What a kernel can do, found out by doing: old kernels take attributes that they do not know, and ignore them. */
import type { CallOptions } from '../netlink/channel.js'
import { NetlinkError } from '../netlink/error.js'
import type { Operation } from './batch.js'
import type { IpvsClient } from './client.js'
import { SCHEDULERS } from './explain.js'
import type { Kernel } from './kernel.js'
import { readServices } from './snapshot.js'
import type { RealServer, RealServerConfig, Scheduler, Tunnel, VirtualServerConfig, VirtualServerKey } from './types.js'

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

/** A firewall mark that no packet carries, most likely: no traffic ever meets the probe. (To load node:crypto would take milliseconds.) */
function probeKey(family: 'ipv4' | 'ipv6' = 'ipv4'): VirtualServerKey & { firewallMark: number } {
  return { firewallMark: 0xf0000000 + Math.floor(Math.random() * 0x0fffffff), family }
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
  const broken = results.find(result => !result.ok && interruption(result.error))
  if (broken && !broken.ok) {
    // What was made and not removed again goes now, whatever became of the caller's patience.
    await client.run(servers.map(virtualServer => ({ operation: 'removeVirtualServer', virtualServer })))
    throw broken.error
  }
  return servers.map((_, i) => results[2 * i]?.ok === true)
}

function interruption(error: Error): boolean {
  return error instanceof NetlinkError && (error.problem === 'interrupted' || error.problem === 'reply-lost')
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

/**
 * Real servers that a kernel either takes and gives back as they are, or not. The addresses are those of documentation (RFC 5737, 3849):
 * IPv6 where there is some, for in a namespace that was never up no IPv4 address is taken.
 */
function probes(ipv6: boolean): Readonly<Record<'gue' | 'gre' | 'checksum' | 'ipip', RealServerConfig>> {
  const host = (n: number): string => (ipv6 ? `2001:db8::${n}` : `192.0.2.${n}`)
  const tunnel = (n: number, tunnel: Tunnel): RealServerConfig => ({ address: host(n), port: 0, forwarding: 'tunnel', tunnel })
  return {
    gue: tunnel(1, { type: 'gue', port: 6080 }),
    gre: tunnel(2, { type: 'gre' }),
    checksum: tunnel(3, { type: 'gue', port: 6080, checksum: 'checksum' }),
    ipip: tunnel(4, { type: 'ipip' }),
  }
}

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
    const [ipv6 = false] = await trial(client, [{ ...probeKey('ipv6'), scheduler: 'rr' }], options)
    const made = await probeRealServers(client, key, ipv6, options)
    const readBack = await kernel.call(options, limit => readServices(kernel, limit, { statistics: true }))
    const record = readBack.records.find(({ firewallMark }) => firewallMark === key.firewallMark)
    return {
      available: record !== undefined,
      version,
      ...made,
      statistics64: record?.statistics64 !== undefined,
      ipv6,
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
  ipv6: boolean,
  options: CallOptions | undefined,
): Promise<Pick<Capabilities, 'tunnels' | 'tunnelChecksums' | 'mixedFamilies'>> {
  const wished = probes(ipv6)
  await client.run(
    Object.values(wished).map(realServer => ({ operation: 'addRealServer', virtualServer: key, realServer })),
    options,
  )
  const made = await client.listRealServers(key, options).toArray()
  const works = (name: keyof typeof wished): boolean => made.some(realServer => sameTunnel(realServer, wished[name]))
  const tunnelChecksums = works('checksum')
  return {
    // The kernel keeps any number for a type. GRE came together with the checksums, which are not kept without being known.
    tunnels: (['ipip', 'gue', 'gre'] as const).filter(type => works(type) && (type !== 'gre' || tunnelChecksums)),
    tunnelChecksums,
    mixedFamilies: ipv6 && works('ipip'),
  }
}

function sameTunnel(actual: RealServer, wished: RealServerConfig): boolean {
  return actual.address === wished.address && JSON.stringify(actual.tunnel) === JSON.stringify(wished.tunnel)
}
