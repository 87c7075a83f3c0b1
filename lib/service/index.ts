/**
 * What Kubernetes Services mean, without a kernel: Services and endpoints in, frontends out.
 *
 * @module
 */
export { addressOf, type Cidr, cidrOf, contains, type Family, outermost } from './address.js'
export type { Balancing } from './balancing.js'
export { type AllocationRanges, type Allocations, Allocator, type Completed, takesAny } from './controller/allocate.js'
export { SliceController, selects, slicesOfPods } from './controller/slices.js'
export { DRAIN, drainSeconds } from './drain.js'
export { type Endpoint, type EndpointsByPort, endpointKey, endpointsOf, type Protocol, slicesOfEndpoints } from './endpoints.js'
export {
  clientOf,
  type Explanation,
  explain,
  type Flow,
  formatEndpoint,
  frontendOf,
  type Surroundings,
  serviceText,
} from './explain.js'
export {
  AFFINITY_SECONDS,
  type Answer,
  type Client,
  type Frontend,
  type FrontendKind,
  frontendsOf,
  isServed,
  type ModelOptions,
} from './frontends.js'
export { type Conflict, type FrontendChange, type FrontendKey, frontendKey, ServiceModel } from './model.js'
export type * from './objects.js'
export { nameOf, ownerOf } from './objects.js'
export { type Place, type Selected, select } from './select.js'
export type { UnmatchedPort } from './unmatched.js'
