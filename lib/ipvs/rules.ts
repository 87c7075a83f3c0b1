/** The rules as `ipvsadm -S` prints them. */
import { type Names, NUMBERS, namedEndpoint, protocolOf, sortVirtualServers, type TableOptions } from './text.js'
import type { RealServer, VirtualServer, VirtualServerKey, VirtualServerWithRealServers } from './types.js'

export interface RulesOptions extends Pick<TableOptions, 'sorted' | 'names'> {
  /**
   * Also what ipvsadm leaves out though its words can say it: netmasks of virtual servers that are not persistent. And without what nobody
   * can restore: protocols that it has no option for, and what `ipvsadm -R` would refuse or change. Default false. (Thresholds are there
   * always.)
   */
  readonly lossless?: boolean | undefined
}

export interface Rules {
  /** Lines for `ipvsadm -R`, without a line feed at the end. */
  readonly text: string
  /** What the words of ipvsadm can not say, or `ipvsadm -R` would refuse or change: a sentence each. */
  readonly lost: readonly string[]
}

const SERVICE_OPTIONS: Readonly<Record<string, string>> = { tcp: '-t', udp: '-u', sctp: '--sctp-service' }
const FORWARD_OPTIONS: Readonly<Record<string, string>> = { masquerade: '-m', tunnel: '-i', 'direct-route': '-g', local: '-g' }
const CHECKSUM_OPTIONS = { none: '--tun-nocsum', checksum: '--tun-csum', 'remote-checksum': '--tun-remcsum' } as const

/** Seconds: 31 days. ipvsadm refuses more, the kernel does not (ipvsadm.c, parse_timeout). */
const MAXIMUM_TIMEOUT = 2_678_400

/** The rules of `ipvsadm -S`: lines of options that make the same virtual and real servers. */
export function formatRules(
  virtualServers: readonly VirtualServerWithRealServers[],
  { sorted = true, names = NUMBERS, lossless = false }: RulesOptions = {},
): Rules {
  const lines: string[] = []
  const lost: string[] = []
  for (const vs of sorted ? sortVirtualServers(virtualServers) : virtualServers) {
    const service = serviceOption(vs, names)
    if ('protocol' in vs && !(vs.protocol in SERVICE_OPTIONS)) {
      lost.push(`${service}: protocol ${vs.protocol}`)
      if (lossless) continue
    }
    const refusal = refusalOf(vs)
    if (refusal !== undefined) {
      lost.push(`${service}: ${refusal}`)
      if (lossless) continue
    }
    lines.push(`-A ${service} ${virtualServerRule(vs, lossless)}`)
    if (vs.dormantPersistence?.timeout)
      lost.push(`${service}: the time-out ${vs.dormantPersistence.timeout} of a virtual server that is not persistent`)
    if (vs.otherFlags !== undefined) lost.push(`${service}: the flags 0x${vs.otherFlags.toString(16)}`)
    for (const rs of vs.realServers) {
      const server = namedEndpoint(names, rs.address, rs.port, protocolOf(vs))
      if (changesPort(vs, rs)) {
        lost.push(`${service} -r ${server}: its port, for ipvsadm gives '${rs.forwarding}' that of the virtual server`)
        if (lossless) continue
      }
      const rule = formatRealServerRule(vs, rs, names)
      if (rule !== undefined) lines.push(`-a ${rule}`)
      else lost.push(`${service} -r ${server}: a real server with forwarding '${rs.forwarding}'`)
      if (rs.forwarding === 'local') lost.push(`${service} -r ${server}: forwarding 'local', which is saved as direct routing`)
      if (typeof rs.tunnel?.type === 'number') lost.push(`${service} -r ${server}: a tunnel of type ${rs.tunnel.type}`)
    }
  }
  return { text: lines.join('\n'), lost }
}

/** What ipvsadm refuses in a virtual server, though the kernel has it. */
function refusalOf(vs: VirtualServer): string | undefined {
  const { persistence } = vs
  if (!persistence) return 'port' in vs && vs.port === 0 ? 'port 0 without persistence, which ipvsadm refuses' : undefined
  const { timeout = 0 } = persistence
  return timeout < 1 || timeout > MAXIMUM_TIMEOUT
    ? `the persistence time-out ${timeout}, for ipvsadm takes 1 to ${MAXIMUM_TIMEOUT} seconds`
    : undefined
}

/** ipvsadm lets masquerading alone have a port of its own; a firewall mark has none to give. */
function changesPort(vs: VirtualServerKey, { forwarding, port }: RealServer): boolean {
  return 'port' in vs && (forwarding === 'direct-route' || forwarding === 'tunnel') && port !== vs.port
}

function serviceOption(vs: VirtualServerKey, names: Names): string {
  if ('firewallMark' in vs) return `-f ${vs.firewallMark}${vs.family === 'ipv6' ? ' -6' : ''}`
  return `${SERVICE_OPTIONS[vs.protocol] ?? '--xxx-service'} ${namedEndpoint(names, vs.address, vs.port, vs.protocol)}`
}

function virtualServerRule(vs: VirtualServer, lossless: boolean): string {
  const { scheduler, schedulerFlags, persistence, dormantPersistence, onePacket } = vs
  const netmask = persistence ? persistence.netmask : lossless ? dormantPersistence?.netmask : undefined
  const engine = (persistence ?? dormantPersistence)?.engine
  return [
    `-s ${scheduler}`,
    persistence && `-p ${persistence.timeout}`,
    netmask !== undefined && `-M ${netmask}`,
    engine && `--pe ${engine}`,
    onePacket && '-o',
    schedulerFlags && `-b ${schedulerFlags.join(',')}`,
  ]
    .filter(Boolean)
    .join(' ')
}

/** `-t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1`, behind `-a` or `-e`; undefined where ipvsadm has no word for the forwarding. */
export function formatRealServerRule(vs: VirtualServerKey, rs: RealServer, names: Names = NUMBERS): string | undefined {
  const { weight, upperThreshold, lowerThreshold, tunnel } = rs
  const option = FORWARD_OPTIONS[rs.forwarding]
  if (option === undefined) return undefined
  return [
    serviceOption(vs, names),
    `-r ${namedEndpoint(names, rs.address, rs.port, protocolOf(vs))}`,
    option,
    `-w ${weight}`,
    upperThreshold > 0 && `-x ${upperThreshold}`,
    lowerThreshold > 0 && `-y ${lowerThreshold}`,
    tunnel && typeof tunnel.type === 'string' && `--tun-type ${tunnel.type}`,
    tunnel?.type === 'gue' && `--tun-port ${tunnel.port}`,
    tunnel && (tunnel.type === 'gue' || tunnel.type === 'gre') && CHECKSUM_OPTIONS[tunnel.checksum ?? 'none'],
  ]
    .filter(Boolean)
    .join(' ')
}
