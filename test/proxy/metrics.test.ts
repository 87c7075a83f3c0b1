import t from 'tap'
import { ProxyHealth, ProxyMetrics, ServiceProxy } from '../../lib/proxy/index.js'
import { cidrOf } from '../../lib/service/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { service, slice, TestSource } from '../kernel/proxy/rig.js'

/** The samples of a metric by their labels. */
async function samples(metrics: ProxyMetrics, name: string): Promise<Readonly<Record<string, number>>> {
  const text = await metrics.registry.metrics()
  const lines = text.split('\n').filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return Object.fromEntries(lines.map(line => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

const V4 = (count: number) => ({ '{ip_family="IPv4"}': count })
const V6 = (count: number) => ({ '{ip_family="IPv6"}': count })

const CIDRS = ['198.51.100.0/24'].map(cidrOf).filter(cidr => cidr !== undefined)

async function measured(kernel = memoryKernel()) {
  const metrics = await ProxyMetrics.create()
  const source = new TestSource()
  const proxy = await ServiceProxy.open({
    source,
    transport: kernel,
    node: 'router',
    serviceCidrs: CIDRS,
    standalone: false,
    observers: [metrics],
  })
  return { metrics, source, proxy, kernel }
}

t.test('syncs, changes and elements are measured by family', async t => {
  const { metrics, source, proxy } = await measured()
  source.tell(service('ip'), slice('ip'))
  t.same(await samples(metrics, 'kubeproxy_sync_proxy_rules_duration_seconds_count'), {})
  await proxy.read()
  t.same(await samples(metrics, 'kubeproxy_sync_proxy_rules_service_changes_pending'), { ...V4(1), ...V6(1) })
  t.same(await samples(metrics, 'kubeproxy_sync_proxy_rules_endpoint_changes_pending'), { ...V4(1), ...V6(0) })
  const { ipv4 } = await proxy.sync()
  const expected: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    kubeproxy_sync_proxy_rules_duration_seconds_count: { '{ip_family="IPv4"}': 1, '{ip_family="IPv6"}': 1 },
    kubeproxy_sync_full_proxy_rules_duration_seconds_count: { ...V4(1), ...V6(1) },
    kubeproxy_sync_partial_proxy_rules_duration_seconds_count: {},
    kubeproxy_conntrack_reconciler_sync_duration_seconds_count: { ...V4(1), ...V6(1) },
    kubeproxy_sync_proxy_rules_service_changes_pending: { ...V4(0), ...V6(0) },
    kubeproxy_sync_proxy_rules_service_changes_total: { ...V4(1), ...V6(1) },
    kubeproxy_sync_proxy_rules_endpoint_changes_pending: { ...V4(0), ...V6(0) },
    kubeproxy_sync_proxy_rules_endpoint_changes_total: { ...V4(1), ...V6(0) },
    ts_ipvs_proxy_frontends: { '{ip_family="IPv4",kind="cluster-ip"}': 2 },
    ts_ipvs_proxy_elements: { '{ip_family="IPv4"}': ipv4?.added ?? -1, '{ip_family="IPv6"}': 0 },
    ts_ipvs_proxy_adopted_elements_total: { '{ip_family="IPv4"}': 0, '{ip_family="IPv6"}': 0 },
    ts_ipvs_proxy_problems: { '': 0 },
  }
  for (const [name, values] of Object.entries(expected)) t.same(await samples(metrics, name), values, name)
  const changed = await samples(metrics, 'ts_ipvs_proxy_elements_changed_total')
  t.equal(changed['{ip_family="IPv4",change="added"}'], ipv4?.added)
  const [now] = Object.values(await samples(metrics, 'kubeproxy_sync_proxy_rules_last_timestamp_seconds'))
  t.ok(Math.abs((now ?? 0) - Date.now() / 1000) < 60)
  await proxy.sync()
  t.same(await samples(metrics, 'kubeproxy_sync_partial_proxy_rules_duration_seconds_count'), { ...V4(1), ...V6(1) })
  await proxy.close()
})

t.test('a proxy that is started anew adopts what is there', async t => {
  const first = await measured()
  first.source.tell(service('ip'), slice('ip'))
  await first.proxy.once()
  await first.proxy.close()
  const { metrics, source, proxy } = await measured(first.kernel)
  source.tell(service('ip'), slice('ip'))
  await proxy.once()
  const adopted = await samples(metrics, 'ts_ipvs_proxy_adopted_elements_total')
  t.same(adopted, await samples(metrics, 'ts_ipvs_proxy_elements'))
  t.ok((adopted['{ip_family="IPv4"}'] ?? 0) > 5)
  await proxy.close()
})

t.test('the time from a change to its sync is measured, of changes since the proxy is there', async t => {
  const { metrics, source, proxy } = await measured()
  const changed = (time: Date) => {
    const { metadata, ...others } = slice('ip')
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': time.toISOString() }
    return { ...others, metadata: { ...metadata, annotations } }
  }
  source.tell(service('ip'), changed(new Date(Date.now() - 3_600_000)))
  await proxy.once()
  t.same(await samples(metrics, 'kubeproxy_network_programming_duration_seconds_count'), {})
  const { metrics: others, source: from, proxy: again } = await measured()
  from.tell(service('ip'), changed(new Date(Date.now() + 1)))
  await again.once()
  t.same(await samples(others, 'kubeproxy_network_programming_duration_seconds_count'), { '{ip_family="IPv4"}': 1 })
  await proxy.close()
  await again.close()
})

t.test('Services with a policy of Local and no endpoint here are counted', async t => {
  const { metrics, source, proxy } = await measured()
  const local = {
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Local',
    externalIPs: ['192.0.2.5', '192.0.2.6'],
  } as const
  source.tell(service('ip', local), slice('ip', [2]))
  await proxy.once()
  const name = 'kubeproxy_sync_proxy_rules_no_local_endpoints_total'
  t.same(await samples(metrics, name), {
    '{ip_family="IPv4",traffic_policy="internal"}': 2,
    '{ip_family="IPv4",traffic_policy="external"}': 2,
  })
  await proxy.close()
})

t.test('syncs that fail, and drift, are counted', async t => {
  const { metrics } = await measured()
  metrics.failed(new Error('before any'))
  metrics.failed(new Error('in its turn'), 'ipv6')
  metrics.drifted('ipv6')
  metrics.drained('ipv4', 3)
  t.same(await samples(metrics, 'ts_ipvs_proxy_sync_failures_total'), { '': 2 })
  t.same(await samples(metrics, 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total'), V6(1))
  t.same(await samples(metrics, 'ts_ipvs_proxy_drift_total'), { '{ip_family="IPv6"}': 1 })
  t.same(await samples(metrics, 'ts_ipvs_proxy_drained_flows_total'), { '{ip_family="IPv4"}': 3 })
})

t.test('answers about health are counted by their status', async t => {
  let now = 0
  const health = new ProxyHealth({ clock: () => now })
  const metrics = await ProxyMetrics.create({ health })
  health.told()
  health.answer('/healthz')
  now += 61_000
  health.answer('/healthz')
  health.answer('/healthz')
  health.answer('/livez')
  health.answer('/')
  for (let i = 0; i < 2; i++)
    t.same(await samples(metrics, 'kubeproxy_proxy_healthz_total'), { '{code="200"}': 1, '{code="503"}': 2 })
  t.same(await samples(metrics, 'kubeproxy_proxy_livez_total'), { '{code="503"}': 1 })
})
