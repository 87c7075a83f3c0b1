/** What a proxy is told when it is opened. */
import { hostname } from 'node:os'
import type { OpenOptions as NftOptions } from '../nft/index.js'
import type { Allocations, Cidr } from '../service/index.js'
import type { Source } from '../source/source.js'
import type { EngineName } from './backend.js'
import type { ClusterOptions } from './cluster.js'
import type { ProxyObserver } from './observer.js'

export type LogLevel = 'info' | 'warn' | 'error'
/** A line of the log: what happened, and to what. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void

/** `auto`: IPVS where the kernel has it, else nftables. */
export type BackendName = 'auto' | EngineName

/** Options of a proxy. */
export interface ServiceProxyOptions extends Pick<NftOptions, 'netns' | 'transport'> {
  readonly source: Source
  /** Name of the node. Default: that of the machine, in lower case as Kubernetes has it. */
  readonly node?: string | undefined
  /** Addresses of pods. Default none: nobody is known to be a pod, and no one is masqueraded for being none. */
  readonly clusterCidrs?: readonly Cidr[] | undefined
  /** Addresses for Services: one local route for all of them, instead of one each; in a standalone cluster they are given from here. */
  readonly serviceCidrs?: readonly Cidr[] | undefined
  /** Whether endpoints see the address of the node instead of every client's, on cluster addresses. Default false. */
  readonly masqueradeAll?: boolean | undefined
  /** Which of the node's addresses serve node ports. Default: the primary one of each family. */
  readonly nodePortCidrs?: readonly Cidr[] | undefined
  /** What gives connections to endpoints. Default `auto`. `ipvs` rejects where the kernel has not got it. */
  readonly backend?: BackendName | undefined
  /** Addresses for load balancers, where there is no API server. */
  readonly balancerPool?: readonly Cidr[] | undefined
  /** Whether there is no API server: addresses are given and slices made here. Default true. */
  readonly standalone?: boolean | undefined
  /** What was given before (`allocations` of an earlier proxy). */
  readonly allocations?: Allocations | undefined
  /**
   * Seconds that TCP and SCTP connections go on to endpoints that a Service has no more, ready or not: 0 ends them at once, Infinity never. They
   * are counted by a proxy that runs; one that is started anew begins to count. A Service's annotation `ts-ipvs.io/drain-timeout` (seconds, or
   * never) counts more. UDP flows end at once; with IPVS when the endpoint answers no more. Default 300.
   */
  readonly drainTimeout?: number | undefined
  /** Default: nothing is logged. */
  readonly log?: Log | undefined
  /** Default: none. */
  readonly observers?: readonly ProxyObserver[] | undefined
}

/** With defaults for what is not said. */
export function clusterOptionsOf(options: ServiceProxyOptions): ClusterOptions {
  return {
    node: options.node ?? hostname().toLowerCase(),
    clusterCidrs: options.clusterCidrs ?? [],
    serviceCidrs: options.serviceCidrs ?? [],
    masqueradeAll: options.masqueradeAll ?? false,
    nodePortCidrs: options.nodePortCidrs,
    balancerPool: options.balancerPool ?? [],
    standalone: options.standalone ?? true,
    allocations: options.allocations,
  }
}
