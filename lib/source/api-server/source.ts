/** An API server of Kubernetes as a source. */
import { Feed } from '../feed.js'
import type { Source } from '../source.js'
import { type AccessOptions, openAccess } from './access.js'
import { Reflector, type Resource } from './reflector.js'

/** Options of a source that reads an API server. */
export interface KubernetesOptions extends AccessOptions {
  /** The only Node that is read. Default: all are; a proxy needs no other than its own. */
  readonly node?: string | undefined
  /**
   * Milliseconds without a byte after which a connection is taken for dead, and made anew. API servers send something about each minute.
   * Default 150000.
   */
  readonly silence?: number | undefined
}

/** Headless Services, and those that are for another proxy: as kube-proxy leaves them out, with their slices. */
const SELECTOR = '!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name'

/**
 * Services, their EndpointSlices, and Nodes of an API server. It needs the package `@kubernetes/client-node`, and an account that may get,
 * list and watch them. The first update rejects where that package is missing, or nothing says where the server is.
 */
export function kubernetesSource({ node, silence = 150_000, ...access }: KubernetesOptions = {}): Source {
  const resources: readonly Resource[] = [
    { kind: 'Node', path: '/api/v1/nodes', query: node === undefined ? {} : { fieldSelector: `metadata.name=${node}` } },
    { kind: 'Service', path: '/api/v1/services', query: { labelSelector: SELECTOR } },
    { kind: 'EndpointSlice', path: '/apis/discovery.k8s.io/v1/endpointslices', query: { labelSelector: SELECTOR } },
  ]
  return {
    name: 'kubernetes',
    async *updates(signal) {
      const server = await openAccess(access)
      const feed = new Feed()
      let left = resources.length
      const listed = (): void => {
        left--
        if (left === 0) feed.complete()
      }
      const ending = new AbortController()
      const all = AbortSignal.any([signal, ending.signal])
      const reading = resources.map(resource => new Reflector(server, resource, feed, silence, listed).run(all))
      try {
        yield* feed.updates(all)
      } finally {
        ending.abort()
        await Promise.all(reading)
      }
    },
  }
}
