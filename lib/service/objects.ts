/** Kubernetes' objects, as far as a service proxy reads them (kubernetes.io/docs/reference; core/v1, discovery.k8s.io/v1). */

export interface Metadata {
  readonly name: string
  /** Default `default`. */
  readonly namespace?: string | undefined
  readonly uid?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** RFC 3339. */
  readonly creationTimestamp?: string | undefined
  readonly deletionTimestamp?: string | undefined
}

/** Words of Kubernetes for transport protocols. Default `TCP`. */
export type ObjectProtocol = 'TCP' | 'UDP' | 'SCTP'

export interface ServicePort {
  /** Needed where there are several. */
  readonly name?: string | undefined
  readonly protocol?: ObjectProtocol | undefined
  readonly port: number
  /** Number, or name of a container's port. Default: `port`. */
  readonly targetPort?: number | string | undefined
  readonly nodePort?: number | undefined
  readonly appProtocol?: string | undefined
}

export interface ServiceSpec {
  readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName' | undefined
  readonly selector?: Readonly<Record<string, string>> | undefined
  readonly ports?: readonly ServicePort[] | undefined
  /** `None`: headless. */
  readonly clusterIP?: string | undefined
  readonly clusterIPs?: readonly string[] | undefined
  readonly ipFamilies?: readonly ('IPv4' | 'IPv6')[] | undefined
  readonly ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack' | undefined
  readonly externalIPs?: readonly string[] | undefined
  readonly externalName?: string | undefined
  readonly loadBalancerIP?: string | undefined
  readonly loadBalancerClass?: string | undefined
  readonly loadBalancerSourceRanges?: readonly string[] | undefined
  readonly allocateLoadBalancerNodePorts?: boolean | undefined
  readonly externalTrafficPolicy?: 'Cluster' | 'Local' | undefined
  readonly internalTrafficPolicy?: 'Cluster' | 'Local' | undefined
  readonly trafficDistribution?: string | undefined
  readonly healthCheckNodePort?: number | undefined
  readonly publishNotReadyAddresses?: boolean | undefined
  readonly sessionAffinity?: 'None' | 'ClientIP' | undefined
  readonly sessionAffinityConfig?:
    | { readonly clientIP?: { readonly timeoutSeconds?: number | undefined } | undefined }
    | undefined
}

export interface LoadBalancerIngress {
  readonly ip?: string | undefined
  readonly hostname?: string | undefined
  /** `Proxy`: the traffic has to go to the load balancer itself. Default `VIP`. */
  readonly ipMode?: 'VIP' | 'Proxy' | undefined
}

export interface Service {
  readonly metadata: Metadata
  readonly spec: ServiceSpec
  readonly status?:
    | { readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerIngress[] | undefined } | undefined }
    | undefined
}

export interface SliceEndpoint {
  readonly addresses: readonly string[]
  readonly conditions?:
    | {
        readonly ready?: boolean | null | undefined
        readonly serving?: boolean | null | undefined
        readonly terminating?: boolean | null | undefined
      }
    | undefined
  readonly hostname?: string | undefined
  readonly nodeName?: string | undefined
  readonly zone?: string | undefined
  readonly hints?:
    | {
        readonly forZones?: readonly { readonly name: string }[] | undefined
        readonly forNodes?: readonly { readonly name: string }[] | undefined
      }
    | undefined
  readonly targetRef?:
    | { readonly kind?: string; readonly name?: string; readonly namespace?: string; readonly uid?: string }
    | undefined
}

export interface SlicePort {
  readonly name?: string | null | undefined
  readonly protocol?: ObjectProtocol | undefined
  readonly port?: number | null | undefined
  readonly appProtocol?: string | undefined
}

export interface EndpointSlice {
  /** The label `kubernetes.io/service-name` says whose it is. */
  readonly metadata: Metadata
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly endpoints?: readonly SliceEndpoint[] | null | undefined
  readonly ports?: readonly SlicePort[] | null | undefined
}

export interface EndpointAddress {
  readonly ip: string
  readonly hostname?: string | undefined
  readonly nodeName?: string | undefined
  readonly targetRef?: SliceEndpoint['targetRef']
}

/** The older form of slices: has the name of its Service. */
export interface Endpoints {
  readonly metadata: Metadata
  readonly subsets?:
    | readonly {
        readonly addresses?: readonly EndpointAddress[] | undefined
        readonly notReadyAddresses?: readonly EndpointAddress[] | undefined
        readonly ports?:
          | readonly { readonly name?: string; readonly port: number; readonly protocol?: ObjectProtocol }[]
          | undefined
      }[]
    | undefined
}

export interface Node {
  readonly metadata: Metadata
  readonly spec?:
    | {
        readonly podCIDR?: string | undefined
        readonly podCIDRs?: readonly string[] | undefined
        readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect?: string }[] | undefined
      }
    | undefined
  readonly status?:
    | {
        readonly addresses?: readonly { readonly type: string; readonly address: string }[] | undefined
        readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined
        /** Quantities: `cpu: 4`, `cpu: 3920m`. */
        readonly allocatable?: Readonly<Record<string, string | number>> | undefined
      }
    | undefined
}

export interface Pod {
  readonly metadata: Metadata
  readonly spec?:
    | {
        readonly nodeName?: string | undefined
        readonly hostname?: string | undefined
        readonly subdomain?: string | undefined
        readonly hostNetwork?: boolean | undefined
        readonly terminationGracePeriodSeconds?: number | undefined
        readonly containers?:
          | readonly {
              readonly name?: string
              readonly ports?:
                | readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: ObjectProtocol }[]
                | undefined
            }[]
          | undefined
        readonly initContainers?:
          | readonly {
              readonly restartPolicy?: string
              readonly ports?:
                | readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: ObjectProtocol }[]
                | undefined
            }[]
          | undefined
      }
    | undefined
  readonly status?:
    | {
        readonly podIP?: string | undefined
        readonly podIPs?: readonly { readonly ip: string }[] | undefined
        readonly phase?: string | undefined
        readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined
      }
    | undefined
}

const SERVICE = 'kubernetes.io/service-name'
const OF_OTHERS = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless']

/** Whether an object is none of this proxy's: kube-proxy does not even ask an API server for it. */
export const isOfOthers = ({ labels = {} }: Metadata): boolean => OF_OTHERS.some(label => label in labels)

/** `namespace/name` of the Service whose slice it is; undefined where it is nobody's, or of another proxy. */
export function ownerOf({ metadata }: Pick<EndpointSlice, 'metadata'>): string | undefined {
  const name = metadata.labels?.[SERVICE]
  return name === undefined || isOfOthers(metadata) ? undefined : nameOf({ ...metadata, name })
}

/** A namespaced name. */
export const nameOf = ({ namespace = 'default', name }: Metadata): string => `${namespace}/${name}`
