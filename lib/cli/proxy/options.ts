/** What the command line says of a proxy. */
import { hostname, networkInterfaces } from 'node:os'
import type { ClusterOptions } from '../../proxy/cluster.js'
import type { BackendName, ServiceProxyOptions } from '../../proxy/options.js'
import { addressOf, type Cidr, cidrOf, type Flow, type Protocol } from '../../service/index.js'
import { CommandError, type Io } from '../io.js'
import type { CommonOptions } from '../program.js'
import { parseDuration, parseNetns } from '../words.js'

export interface ProxyOptions extends CommonOptions {
  readonly source: 'directory' | 'kubernetes' | 'etcd'
  readonly manifests?: string
  readonly kubeconfig?: string
  readonly context?: string
  readonly etcdEndpoints?: string
  readonly etcdPrefix?: string
  readonly etcdCa?: string
  readonly etcdCert?: string
  readonly etcdKey?: string
  readonly etcdUser?: string
  readonly etcdPasswordFile?: string
  readonly node?: string
  readonly clusterCidr?: string
  readonly serviceCidr?: string
  readonly masqueradeAll?: true
  readonly nodeportAddresses?: string
  readonly lbPool?: string
  readonly backend: BackendName
  readonly once?: true
  readonly state?: string
  readonly metricsBind?: string
  readonly healthBind?: string
  readonly drainTimeout?: string
  /** Of `explain`. */
  readonly from?: string
  readonly kernel?: true
}

/** Ranges of addresses between commas. Throws a `CommandError` that names the option. */
function ranges(option: string, text: string | undefined): readonly Cidr[] {
  if (text === undefined) return []
  return text.split(',').map(part => {
    const cidr = cidrOf(part)
    if (!cidr)
      throw new CommandError(
        `${option}: ${JSON.stringify(part)}: give ranges of addresses as 10.0.0.0/8, with commas between them`,
      )
    return cidr
  })
}

/** What is to be known of the node and its cluster. */
export function clusterOptions(options: ProxyOptions): ClusterOptions {
  const serviceCidrs = ranges('--service-cidr', options.serviceCidr)
  if (new Set(serviceCidrs.map(({ family }) => family)).size < serviceCidrs.length)
    throw new CommandError('--service-cidr: give at most one range of each family')
  return {
    node: options.node ?? hostname().toLowerCase(),
    clusterCidrs: ranges('--cluster-cidr', options.clusterCidr),
    serviceCidrs,
    masqueradeAll: options.masqueradeAll ?? false,
    // `primary` is kube-proxy's word for what is the default here.
    nodePortCidrs:
      (options.nodeportAddresses ?? 'primary') === 'primary'
        ? undefined
        : ranges('--nodeport-addresses', options.nodeportAddresses),
    balancerPool: ranges('--lb-pool', options.lbPool),
    // An API server's controllers give addresses and make slices; nobody else does.
    standalone: options.source !== 'kubernetes',
  }
}

/** Seconds; undefined: as the proxy has it. */
export function drainTimeoutOf({ drainTimeout }: ProxyOptions): number | undefined {
  if (drainTimeout === undefined) return undefined
  if (drainTimeout === 'never') return Number.POSITIVE_INFINITY
  return parseDuration(drainTimeout, '--drain-timeout')
}

/** Which kernel. */
export function kernelOf({ transport }: Io, { netns }: ProxyOptions): Pick<ServiceProxyOptions, 'netns' | 'transport'> {
  return {
    ...(netns === undefined ? {} : { netns: parseNetns(netns) }),
    ...(transport === undefined ? {} : { transport }),
  }
}

/** Those of the machine, where no namespace is asked. */
export function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
  const far = ({ internal, address }: (typeof all)[number]): boolean => internal || address.startsWith('fe80:')
  return [...all.filter(address => !far(address)), ...all.filter(far)].map(({ address }) => address)
}

/** `--from IP tcp ADDRESS:PORT` */
export function flowOf({ from }: ProxyOptions, words: readonly string[]): Flow {
  const wanted = 'give --from IP, tcp, udp or sctp, and ADDRESS:PORT: explain --from 10.244.1.7 tcp 10.96.0.1:443'
  const [protocol = '', place = '', ...others] = words
  if (from === undefined) throw new CommandError(`--from is missing: ${wanted}`)
  if (addressOf(from) === undefined) throw new CommandError(`--from: ${JSON.stringify(from)} is no IP address`)
  if (!isProtocol(protocol) || others.length > 0) throw new CommandError(`${JSON.stringify(words.join(' '))}: ${wanted}`)
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(place) ?? []
  const address = addressOf(bracketed ?? plain ?? '')
  if (address === undefined || Number(port) > 65535 || Number(port) < 1)
    throw new CommandError(`${JSON.stringify(place)}: give an address and a port: 10.96.0.1:443, [fd00::1]:443`)
  if (addressOf(from)?.includes(':') !== address.includes(':'))
    throw new CommandError(`--from: ${from} and ${address} are of two families: give a client of that of the address`)
  return { from, protocol, address, port: Number(port) }
}

const isProtocol = (word: string): word is Protocol => word === 'tcp' || word === 'udp' || word === 'sctp'
