/**
 * Kubernetes Services for real traffic.
 *
 * @example
 * import { directorySource, ServiceProxy } from 'ts-ipvs/proxy'
 *
 * const source = directorySource({ path: '/etc/services' })
 * await using proxy = await ServiceProxy.open({ source, node: 'one' })
 * await proxy.run(signal)
 *
 * @module
 */
export type { AccessOptions } from '../source/api-server/access.js'
export { type KubernetesOptions, kubernetesSource } from '../source/api-server/source.js'
export { type DirectoryOptions, directorySource } from '../source/directory.js'
export type { EtcdAccess } from '../source/etcd/access.js'
export { type EtcdOptions, etcdSource } from '../source/etcd/source.js'
export type { Kind, KubernetesObject } from '../source/kubernetes.js'
export type { ObjectChange, Source, SourceProblem, SourceUpdate } from '../source/source.js'
export type { EngineName, Synced } from './backend.js'
export type { HealthCheck } from './cluster.js'
export { explainKernel, type KernelOptions } from './explain-kernel.js'
export { ProxyHealth, type ProxyHealthOptions } from './health.js'
export { HealthPorts } from './health-ports.js'
export { type Bind, type HttpAnswer, type HttpServer, serve } from './http.js'
export { type MetricsRegistry, ProxyMetrics, type ProxyMetricsOptions } from './metrics.js'
export type { RefusalReason, Refusals } from './nftables/refusals.js'
export type { ProxyObserver, SyncAround, SyncDone, SyncReport } from './observer.js'
export type { BackendName, Log, LogLevel, ServiceProxyOptions } from './options.js'
export { ServiceProxy } from './proxy.js'
