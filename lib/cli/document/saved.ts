/** What the kernel has, as a configuration that makes it again: all that is configured, nothing that is counted. */
import {
  type Configuration,
  checkConfiguration,
  type DesiredVirtualServer,
  describeRealServer,
  describeVirtualServer,
  type RealServer,
  type RealServerConfig,
  type Snapshot,
  type SyncDaemon,
  type SyncDaemonConfig,
  type VirtualServerConfig,
  type VirtualServerWithRealServers,
} from '../../ipvs/index.js'

export interface Saved {
  readonly configuration: Configuration
  /** What can not be told to the kernel again: a sentence each. Others have made it, with means that the library has not got. */
  readonly lost: readonly string[]
}

export function configurationOf({ virtualServers, timeouts, syncDaemons }: Snapshot): Saved {
  const daemons = syncDaemons.map(syncDaemonOf)
  const whole: Configuration = {
    timeouts,
    ...(daemons.length > 0 && { syncDaemons: daemons }),
    virtualServers: virtualServers.map(virtualServerOf),
  }
  const flags = virtualServers.flatMap(vs =>
    vs.otherFlags === undefined ? [] : [`${describeVirtualServer(vs)}: flags 0x${vs.otherFlags.toString(16)} have no name`],
  )
  const { kept, lost } = restorable(whole.virtualServers)
  return { configuration: { ...whole, virtualServers: kept }, lost: [...flags, ...lost] }
}

function virtualServerOf({
  otherFlags: _,
  statistics: __,
  realServers,
  ...vs
}: VirtualServerWithRealServers): DesiredVirtualServer {
  return { ...(vs as VirtualServerConfig), realServers: realServers.map(realServerOf) }
}

/** Weight and forwarding are there always: the defaults of other programs are others. */
function realServerOf({
  address,
  port,
  weight,
  forwarding,
  upperThreshold,
  lowerThreshold,
  tunnel,
}: RealServer): RealServerConfig {
  return {
    address,
    port,
    weight,
    forwarding,
    ...(upperThreshold > 0 && { upperThreshold }),
    ...(lowerThreshold > 0 && { lowerThreshold }),
    ...(tunnel && tunnel.type !== 'ipip' && { tunnel }),
  }
}

/** Kernels before 4.3 tell no more than role, interface and number. */
function syncDaemonOf({ role, interface: name, syncId, maximumLength, group, port, ttl }: SyncDaemon): SyncDaemonConfig {
  return {
    role,
    interface: name,
    syncId,
    ...(maximumLength > 0 && { maximumLength }),
    ...(group !== '' && { group }),
    ...(port > 0 && { port }),
    ...(ttl > 0 && { ttl }),
  }
}

/** Without what is refused when it is read again: a file is taken whole or not at all. */
function restorable(virtualServers: readonly DesiredVirtualServer[]): { kept: DesiredVirtualServer[]; lost: string[] } {
  const lost: string[] = []
  const without = new Set<unknown>()
  for (const { field, message } of checkConfiguration({ virtualServers })) {
    const [, i, j, rest = ''] = /^virtualServers\[(\d+)\](?:\.realServers\[(\d+)\])?\.?(.*)$/.exec(field) ?? []
    const vs = virtualServers[Number(i)] as DesiredVirtualServer
    const rs = j === undefined ? undefined : vs.realServers?.[Number(j)]
    without.add(rs ?? vs)
    const name = describeVirtualServer(vs) + (rs ? ` → ${describeRealServer(rs)}` : '')
    lost.push(`${name}: ${rest}${message.slice(field.length)}`)
  }
  const kept = virtualServers
    .filter(vs => !without.has(vs))
    .map(vs => ({ ...vs, realServers: vs.realServers?.filter(rs => !without.has(rs)) }))
  return { kept, lost }
}
