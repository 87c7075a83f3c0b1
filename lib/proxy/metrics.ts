/**
 * What a proxy tells Prometheus: under kube-proxy's names what means the same there (kubernetes/pkg/proxy/metrics), under ours what it has not.
 */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Family, Frontend } from '../service/index.js'
import type { ObjectChange, SourceUpdate } from '../source/source.js'
import type { ProxyHealth } from './health.js'
import type { ProxyObserver, SyncDone } from './observer.js'
import type { ServiceProxy } from './proxy.js'

/** A registry of prom-client, as far as others need to know it. */
export interface MetricsRegistry {
  readonly contentType: string
  metrics(): Promise<string>
}

export interface ProxyMetricsOptions {
  /** A `Registry` of prom-client. Default: one of its own. */
  readonly registry?: MetricsRegistry | undefined
  /** Whether the process itself is measured, too: memory, processor time, the event loop. Default false. */
  readonly process?: boolean | undefined
  /** Whose answers are counted. */
  readonly health?: ProxyHealth | undefined
}

type Prometheus = typeof import('prom-client')

/** kube-proxy's words for families. */
const FAMILY: Readonly<Record<Family, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }
const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time'

/** Of kube-proxy, in seconds. */
const SYNC_BUCKETS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)
/** Of kube-proxy, in seconds: fine up to a minute, coarse up to five. */
const PROGRAMMING_BUCKETS = [
  ...[0.25, 0.5],
  ...Array.from({ length: 59 }, (_, i) => 1 + i),
  ...Array.from({ length: 12 }, (_, i) => 60 + 5 * i),
  ...Array.from({ length: 7 }, (_, i) => 120 + 30 * i),
]

/** Those that are set when they are asked for. */
const GAUGES = {
  kubeproxy_sync_proxy_rules_no_local_endpoints_total: [
    'Service ports with a traffic policy of Local whose endpoints are all on other nodes',
    ['ip_family', 'traffic_policy'],
  ],
  ts_ipvs_proxy_frontends: ['Addresses and ports that are served', ['ip_family', 'kind']],
  ts_ipvs_proxy_elements: ['Elements of sets and maps in the table', ['ip_family']],
  ts_ipvs_proxy_engine: ['1 for what gives connections to endpoints', ['ip_family', 'engine']],
  ts_ipvs_proxy_problems: ['What can not be read, or served, now', []],
} as const satisfies Readonly<Record<string, readonly [help: string, labels: readonly string[]]>>

const COUNTERS = {
  kubeproxy_sync_proxy_rules_endpoint_changes_total: ['Changes of endpoints that were told', ['ip_family']],
  kubeproxy_sync_proxy_rules_service_changes_total: ['Changes of Services that were told', ['ip_family']],
  kubeproxy_sync_proxy_rules_nftables_sync_failures_total: [
    'Syncs that failed when it was the turn of a family: they are tried again',
    ['ip_family'],
  ],
  kubeproxy_proxy_healthz_total: ['Answers of /healthz', ['code']],
  kubeproxy_proxy_livez_total: ['Answers of /livez', ['code']],
  kubeproxy_conntrack_reconciler_deleted_entries_total: ['UDP flows to endpoints that were gone, deleted', ['ip_family']],
  ts_ipvs_proxy_drained_flows_total: ['Connections to endpoints that were gone, deleted at their deadline', ['ip_family']],
  ts_ipvs_proxy_sync_failures_total: ['Syncs that failed: they are tried again', []],
  ts_ipvs_proxy_elements_changed_total: ['Elements of sets and maps that were added or removed', ['ip_family', 'change']],
  ts_ipvs_proxy_routes_changed_total: ['Local routes that were added or removed', ['ip_family', 'change']],
  ts_ipvs_proxy_ipvs_operations_total: ['Operations on virtual servers and real servers', ['ip_family']],
  ts_ipvs_proxy_drift_total: ['Changes of the table by others, which were changed back', ['ip_family']],
  ts_ipvs_proxy_adopted_elements_total: ['Elements that an earlier proxy left, and that stayed', ['ip_family']],
  ts_ipvs_proxy_refused_packets_total: [
    'Packets of new connections that were rejected or dropped, by service port, since it was refused',
    ['ip_family', 'service', 'verdict', 'reason'],
  ],
} as const satisfies Readonly<Record<string, readonly [help: string, labels: readonly string[]]>>

const STATES = {
  kubeproxy_sync_proxy_rules_last_timestamp_seconds: ['When the last sync was done', ['ip_family']],
  kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds: ['When the last change was told', ['ip_family']],
  kubeproxy_sync_proxy_rules_endpoint_changes_pending: ['Changes of endpoints that wait for a sync', ['ip_family']],
  kubeproxy_sync_proxy_rules_service_changes_pending: ['Changes of Services that wait for a sync', ['ip_family']],
} as const satisfies Readonly<Record<string, readonly [help: string, labels: readonly string[]]>>

const HISTOGRAMS = {
  kubeproxy_sync_proxy_rules_duration_seconds: ['How long a sync took', SYNC_BUCKETS],
  kubeproxy_sync_full_proxy_rules_duration_seconds: ['How long the first sync took, of everything', SYNC_BUCKETS],
  kubeproxy_sync_partial_proxy_rules_duration_seconds: ['How long a sync of what had changed took', SYNC_BUCKETS],
  kubeproxy_conntrack_reconciler_sync_duration_seconds: [
    'How long it took to find and delete UDP flows to endpoints that were gone',
    SYNC_BUCKETS,
  ],
  kubeproxy_network_programming_duration_seconds: [
    'From the change of a pod or Service, which its slices tell, to the sync that followed',
    PROGRAMMING_BUCKETS,
  ],
} as const satisfies Readonly<Record<string, readonly [help: string, buckets: readonly number[]]>>

/** Metrics of one proxy. */
export class ProxyMetrics implements ProxyObserver {
  readonly registry: MetricsRegistry
  readonly #counters: Readonly<Record<keyof typeof COUNTERS, Counter>>
  readonly #states: Readonly<Record<keyof typeof STATES, Gauge>>
  readonly #histograms: Readonly<Record<keyof typeof HISTOGRAMS, Histogram>>
  #proxy: ServiceProxy | undefined
  #opened = 0
  /** Families that were synced: what the first sync did not add was there. */
  readonly #adopted = new Set<Family>()
  /** When what the next sync brings to the kernel has changed. */
  #triggers: { readonly family: Family; readonly time: number }[] = []

  private constructor(prometheus: Prometheus, registry: Registry, health: ProxyHealth | undefined) {
    this.registry = registry
    const registers = [registry]
    const collectors: Readonly<Partial<Record<keyof typeof COUNTERS, () => void | Promise<void>>>> = {
      ts_ipvs_proxy_refused_packets_total: () => this.#countRefused(),
      kubeproxy_proxy_healthz_total: () => this.#countAnswers('kubeproxy_proxy_healthz_total', health?.answersTo('/healthz')),
      kubeproxy_proxy_livez_total: () => this.#countAnswers('kubeproxy_proxy_livez_total', health?.answersTo('/livez')),
    }
    this.#counters = mapped(COUNTERS, (name, [help, labels]) => {
      const collect = collectors[name]
      return new prometheus.Counter({ name, help, labelNames: [...labels], registers, ...(collect ? { collect } : {}) })
    })
    this.#states = mapped(
      STATES,
      (name, [help, labels]) => new prometheus.Gauge({ name, help, labelNames: [...labels], registers }),
    )
    this.#histograms = mapped(
      HISTOGRAMS,
      (name, [help, buckets]) =>
        new prometheus.Histogram({ name, help, labelNames: ['ip_family'], buckets: [...buckets], registers }),
    )
    mapped(GAUGES, (name, [help, labels]) => {
      const metrics = this
      return new prometheus.Gauge({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect() {
          this.reset()
          for (const [values, value] of metrics.#now(name)) this.set(values, value)
        },
      })
    })
  }

  /** @throws {Error} where prom-client is not installed */
  static async create({ registry, process = false, health }: ProxyMetricsOptions = {}): Promise<ProxyMetrics> {
    const prometheus = await load()
    const own = (registry as Registry | undefined) ?? new prometheus.Registry()
    if (process) prometheus.collectDefaultMetrics({ register: own })
    return new ProxyMetrics(prometheus, own, health)
  }

  opened(proxy: ServiceProxy): void {
    this.#proxy = proxy
    this.#opened = Date.now()
  }

  told({ changes }: SourceUpdate): void {
    const services = changes.filter(({ kind }) => kind === 'Service').length
    for (const family of ['ipv4', 'ipv6'] as const) {
      const labels = { ip_family: FAMILY[family] }
      const endpoints = changes.filter(change => isOfEndpoints(change, FAMILY[family])).length
      this.#counters.kubeproxy_sync_proxy_rules_service_changes_total.inc(labels, services)
      this.#counters.kubeproxy_sync_proxy_rules_endpoint_changes_total.inc(labels, endpoints)
      this.#states.kubeproxy_sync_proxy_rules_service_changes_pending.inc(labels, services)
      this.#states.kubeproxy_sync_proxy_rules_endpoint_changes_pending.inc(labels, endpoints)
      if (services + endpoints > 0) this.#states.kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds.setToCurrentTime(labels)
    }
    // What changed before this proxy was there is not what it is measured by.
    this.#triggers.push(...changes.flatMap(triggerOf).filter(({ time }) => time > this.#opened))
  }

  synced({ report, seconds, conntrackSeconds }: SyncDone): void {
    const counters = this.#counters
    for (const [family, done] of Object.entries(report) as [Family, NonNullable<SyncDone['report'][Family]>][]) {
      const labels = { ip_family: FAMILY[family] }
      const extent = this.#adopted.has(family) ? 'partial' : 'full'
      this.#histograms.kubeproxy_sync_proxy_rules_duration_seconds.observe(labels, seconds[family] ?? 0)
      this.#histograms[`kubeproxy_sync_${extent}_proxy_rules_duration_seconds`].observe(labels, seconds[family] ?? 0)
      this.#histograms.kubeproxy_conntrack_reconciler_sync_duration_seconds.observe(labels, conntrackSeconds[family] ?? 0)
      this.#states.kubeproxy_sync_proxy_rules_last_timestamp_seconds.set(labels, Date.now() / 1000)
      this.#states.kubeproxy_sync_proxy_rules_service_changes_pending.set(labels, 0)
      this.#states.kubeproxy_sync_proxy_rules_endpoint_changes_pending.set(labels, 0)
      counters.ts_ipvs_proxy_elements_changed_total.inc({ ...labels, change: 'added' }, done.added)
      counters.ts_ipvs_proxy_elements_changed_total.inc({ ...labels, change: 'removed' }, done.removed)
      counters.ts_ipvs_proxy_ipvs_operations_total.inc(labels, done.operations)
      counters.ts_ipvs_proxy_routes_changed_total.inc({ ...labels, change: 'added' }, done.routesAdded)
      counters.ts_ipvs_proxy_routes_changed_total.inc({ ...labels, change: 'removed' }, done.routesRemoved)
      counters.kubeproxy_conntrack_reconciler_deleted_entries_total.inc(labels, done.stale)
      if (!this.#adopted.has(family))
        counters.ts_ipvs_proxy_adopted_elements_total.inc(labels, (this.#proxy?.elements[family] ?? 0) - done.added)
      this.#adopted.add(family)
    }
    for (const { family, time } of this.#triggers)
      this.#histograms.kubeproxy_network_programming_duration_seconds.observe(
        { ip_family: FAMILY[family] },
        Math.max(0, Date.now() - time) / 1000,
      )
    this.#triggers = []
  }

  drained(family: Family, flows: number): void {
    this.#counters.ts_ipvs_proxy_drained_flows_total.inc({ ip_family: FAMILY[family] }, flows)
  }

  failed(_: Error, family?: Family): void {
    this.#counters.ts_ipvs_proxy_sync_failures_total.inc()
    if (family) this.#counters.kubeproxy_sync_proxy_rules_nftables_sync_failures_total.inc({ ip_family: FAMILY[family] })
  }

  drifted(family: Family): void {
    this.#counters.ts_ipvs_proxy_drift_total.inc({ ip_family: FAMILY[family] })
  }

  #countAnswers(name: keyof typeof COUNTERS, answers: Readonly<Record<string, number>> = {}): void {
    const counter = this.#counters[name]
    counter.reset()
    for (const [code, count] of Object.entries(answers)) counter.inc({ code }, count)
  }

  /** The kernel's counts, as they are. */
  async #countRefused(): Promise<void> {
    const counter = this.#counters.ts_ipvs_proxy_refused_packets_total
    const refusals = (await this.#proxy?.refusals()) ?? []
    counter.reset()
    for (const { family, service, verdict, reason, packets } of refusals)
      if (packets > 0) counter.inc({ ip_family: FAMILY[family], service, verdict, reason }, packets)
  }

  *#now(name: keyof typeof GAUGES): Generator<readonly [labels: Readonly<Record<string, string>>, value: number]> {
    const proxy = this.#proxy
    if (!proxy) return
    switch (name) {
      case 'ts_ipvs_proxy_problems':
        return yield [{}, proxy.problems.length]
      case 'ts_ipvs_proxy_engine':
        for (const [family, engine] of Object.entries(proxy.engines)) yield [{ ip_family: FAMILY[family as Family], engine }, 1]
        return
      case 'ts_ipvs_proxy_elements':
        for (const [family, count] of Object.entries(proxy.elements)) yield [{ ip_family: FAMILY[family as Family] }, count]
        return
      case 'ts_ipvs_proxy_frontends':
        return yield* counted(proxy.frontends, ({ family, kind }) => ({ ip_family: FAMILY[family], kind }))
      case 'kubeproxy_sync_proxy_rules_no_local_endpoints_total':
        yield* counted(withoutLocal(proxy.frontends), ({ family, kind }) => ({
          ip_family: FAMILY[family],
          traffic_policy: kind === 'cluster-ip' ? 'internal' : 'external',
        }))
    }
  }
}

async function load(): Promise<Prometheus> {
  try {
    const module = await import('prom-client')
    return module.default ?? module
  } catch (error) {
    throw new Error('metrics need the package prom-client, which is not installed here: npm i prom-client', { cause: error })
  }
}

function mapped<K extends string, V, R>(table: Readonly<Record<K, V>>, make: (name: K, value: V) => R): Readonly<Record<K, R>> {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, make(name as K, value as V)])) as Record<K, R>
}

/** Slices have a family; what else tells of endpoints, and what is gone, may have been of either. */
function isOfEndpoints({ kind, object }: ObjectChange, family: string): boolean {
  if (kind === 'Service' || kind === 'Node') return false
  return object?.kind !== 'EndpointSlice' || object.addressType === family
}

/** A slice says when what it tells has happened. */
function triggerOf({ object }: ObjectChange): readonly { readonly family: Family; readonly time: number }[] {
  const time = Date.parse(object?.metadata.annotations?.[TRIGGER] ?? '')
  if (Number.isNaN(time) || object?.kind !== 'EndpointSlice') return []
  return [{ family: object.addressType === 'IPv6' ? 'ipv6' : 'ipv4', time }]
}

/** One for each port of a Service and policy: it has several addresses from outside. */
function* withoutLocal(frontends: Iterable<Frontend>): Generator<Frontend> {
  const seen = new Set<string>()
  for (const frontend of frontends) {
    if (frontend.answers.remote.verdict !== 'drop') continue
    const key = `${frontend.service} ${frontend.portName} ${frontend.protocol} ${frontend.family} ${frontend.kind === 'cluster-ip'}`
    if (!seen.has(key)) yield frontend
    seen.add(key)
  }
}

function* counted<T>(
  things: Iterable<T>,
  labelsOf: (thing: T) => Readonly<Record<string, string>>,
): Generator<readonly [labels: Readonly<Record<string, string>>, value: number]> {
  const counts = new Map<string, number>()
  for (const thing of things) {
    const key = JSON.stringify(labelsOf(thing))
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  for (const [key, count] of counts) yield [JSON.parse(key), count]
}
