import t from 'tap'
import {
  cidrOf,
  type Endpoint,
  type EndpointSlice,
  endpointKey,
  endpointsOf,
  explain,
  frontendsOf,
  type ModelOptions,
  type Service,
  ServiceModel,
  type SliceEndpoint,
  select,
  slicesOfEndpoints,
} from '../../lib/service/index.js'

const options: ModelOptions = { node: { name: 'here', zone: 'a' }, clusterCidrs: [], masqueradeAll: false, nodeAddresses: [] }
const around = { clusterCidrs: [], serviceCidrs: [], localAddresses: [], nodePortAddresses: ['192.0.2.1'] }

function slice(name: string, endpoints: readonly SliceEndpoint[], more: Partial<EndpointSlice> = {}): EndpointSlice {
  return {
    metadata: { name, labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints,
    ...more,
  }
}
function service(spec: Partial<Service['spec']> = {}, metadata: Partial<Service['metadata']> = {}): Service {
  return {
    metadata: { name: 'web', ...metadata },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80 }], ...spec },
  }
}
const texts = (endpoints: readonly Endpoint[] = []): readonly string[] =>
  endpoints.map(({ address, port }) => `${address}:${port}`)

t.test('endpoints are those of all slices, by family, port name and protocol', async t => {
  const found = endpointsOf(
    [
      slice('one', [{ addresses: ['10.0.0.2', '10.0.0.9'] }, { addresses: ['10.0.0.1'], nodeName: 'there' }]),
      slice('two', [{ addresses: ['10.0.0.1'], nodeName: 'here' }]),
      slice('three', [{ addresses: ['10.0.0.3'] }], {
        ports: [
          { name: 'http', port: 9090 },
          { name: 'dns', port: 53, protocol: 'UDP' },
        ],
      }),
      slice('six', [{ addresses: ['fd00::1'] }], { addressType: 'IPv6' }),
      slice('wrong', [{ addresses: ['fd00::1'] }, { addresses: [] }, { addresses: ['name'] }]),
      slice('names', [{ addresses: ['example.org'] }], { addressType: 'FQDN' }),
      slice('nameless', [{ addresses: ['10.0.0.4'] }], { ports: [{ name: null, port: 1 }, { port: 2 }] }),
      slice('portless', [{ addresses: ['10.0.0.7'] }], {
        ports: [
          { name: 'http', port: null },
          { name: 'http', port: 0 },
        ],
      }),
    ],
    'here',
  )
  t.same(texts(found.get(endpointKey('ipv4', 'http', 'tcp'))), ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:9090'])
  t.same(
    found.get(endpointKey('ipv4', 'http', 'tcp'))?.map(({ local }) => local),
    [true, false, false],
  )
  t.same(texts(found.get(endpointKey('ipv4', 'dns', 'udp'))), ['10.0.0.3:53'])
  t.same(texts(found.get(endpointKey('ipv4', '', 'tcp'))), ['10.0.0.4:1', '10.0.0.4:2'])
  t.same(texts(found.get(endpointKey('ipv6', 'http', 'tcp'))), ['fd00::1:8080'])
})

t.test('what a slice does not say of an endpoint is ready, serving, and not terminating', async t => {
  const conditions = [
    undefined,
    {},
    { ready: null, serving: null, terminating: null },
    { ready: false },
    { ready: false, serving: true, terminating: true },
  ]
  const found = endpointsOf(
    [
      slice(
        'one',
        conditions.map((conditions, i) => ({ addresses: [`10.0.0.${i}`], conditions })),
      ),
    ],
    'here',
  )
  t.same(
    found.get(endpointKey('ipv4', 'http', 'tcp'))?.map(({ ready, serving, terminating }) => [ready, serving, terminating]),
    [
      [true, true, false],
      [true, true, false],
      [true, true, false],
      [false, true, false],
      [false, true, true],
    ],
  )
})

t.test('Endpoints say the same as slices', async t => {
  const slices = slicesOfEndpoints({
    metadata: { name: 'web' },
    subsets: [
      {
        addresses: [{ ip: '10.0.0.1', nodeName: 'here' }, { ip: 'fd00::1' }],
        notReadyAddresses: [{ ip: '10.0.0.2' }],
        ports: [{ port: 8080 }],
      },
      { addresses: [{ ip: '10.0.0.3' }], ports: [{ port: 9090 }] },
    ],
  })
  const found = endpointsOf(slices, 'here')
  t.same(texts(found.get(endpointKey('ipv4', '', 'tcp'))), ['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:9090'])
  t.same(
    found.get(endpointKey('ipv4', '', 'tcp'))?.map(({ ready, local }) => [ready, local]),
    [
      [true, true],
      [false, false],
      [true, false],
    ],
  )
  t.same(texts(found.get(endpointKey('ipv6', '', 'tcp'))), ['fd00::1:8080'])
})

t.test('hints narrow the endpoints down where all ready ones have them and one is for here', async t => {
  const endpoint = (address: string, hints: SliceEndpoint['hints'], ready = true): SliceEndpoint => ({
    addresses: [address],
    hints,
    nodeName: 'there',
    conditions: { ready },
  })
  const zones = (...names: string[]) => ({ forZones: names.map(name => ({ name })) })
  const nodes = (...names: string[]) => ({ forNodes: names.map(name => ({ name })) })
  const cases: readonly [name: string, endpoints: readonly SliceEndpoint[], chosen: readonly string[]][] = [
    ['of this zone', [endpoint('10.0.0.1', zones('a')), endpoint('10.0.0.2', zones('b'))], ['10.0.0.1']],
    ['of several zones', [endpoint('10.0.0.1', zones('b', 'a')), endpoint('10.0.0.2', zones('b'))], ['10.0.0.1']],
    ['none of this zone', [endpoint('10.0.0.1', zones('b')), endpoint('10.0.0.2', zones('c'))], ['10.0.0.1', '10.0.0.2']],
    ['one without', [endpoint('10.0.0.1', zones('a')), endpoint('10.0.0.2', undefined)], ['10.0.0.1', '10.0.0.2']],
    [
      'one without that is not ready',
      [endpoint('10.0.0.1', zones('a')), endpoint('10.0.0.2', zones('b')), endpoint('10.0.0.3', undefined, false)],
      ['10.0.0.1'],
    ],
    [
      'of this node before those of the zone',
      [endpoint('10.0.0.1', { ...zones('a'), ...nodes('there') }), endpoint('10.0.0.2', { ...zones('b'), ...nodes('here') })],
      ['10.0.0.2'],
    ],
    [
      'of other nodes: those of the zone',
      [endpoint('10.0.0.1', { ...zones('a'), ...nodes('there') }), endpoint('10.0.0.2', { ...zones('b'), ...nodes('there') })],
      ['10.0.0.1'],
    ],
  ]
  for (const [name, endpoints, chosen] of cases) {
    const all = endpointsOf([slice('one', endpoints)], 'here').get(endpointKey('ipv4', 'http', 'tcp')) ?? []
    t.same(
      select(all, { name: 'here', zone: 'a' }).cluster.map(({ address }) => address),
      chosen,
      name,
    )
  }
  const all = endpointsOf([slice('one', [endpoint('10.0.0.1', zones('a')), endpoint('10.0.0.2', zones('b'))])], 'here')
  t.equal(select(all.get(endpointKey('ipv4', 'http', 'tcp')) ?? [], { name: 'here' }).cluster.length, 2, 'a node without a zone')
})

t.test('what has no address in the cluster, or another proxy, has no frontends', async t => {
  const label = (name: string): Partial<Service['metadata']> => ({ labels: { [name]: '' } })
  const cases: readonly [string, Service][] = [
    ['ExternalName', service({ type: 'ExternalName', externalName: 'example.org' })],
    ['headless', service({ clusterIP: 'None' })],
    ['headless by its list', service({ clusterIP: undefined, clusterIPs: ['None'] })],
    ['without an address yet', service({ clusterIP: '' })],
    ['of another proxy', service({}, label('service.kubernetes.io/service-proxy-name'))],
    ['labelled headless', service({}, label('service.kubernetes.io/headless'))],
    ['without ports', service({ ports: [] })],
  ]
  for (const [name, one] of cases) t.same(frontendsOf(one, new Map(), options), [], name)
})

t.test('frontends are each address with each port, in the families that the Service has', async t => {
  const dual = service({
    type: 'LoadBalancer',
    clusterIPs: ['10.96.0.1', 'fd00:96::1'],
    externalIPs: ['192.0.2.5', '2001:db8::5', '192.0.2.5', 'nonsense'],
    loadBalancerSourceRanges: [' 10.0.0.0/8 ', 'fd00::/8'],
    sessionAffinity: 'ClientIP',
    ports: [
      { name: 'http', port: 80, nodePort: 30080 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  })
  const balanced: Service = {
    ...dual,
    status: {
      loadBalancer: {
        ingress: [
          { ip: '198.51.100.1' },
          { hostname: 'lb.example' },
          { ip: '198.51.100.2', ipMode: 'Proxy' },
          { ip: '2001:db8::9', ipMode: 'VIP' },
        ],
      },
    },
  }
  const found = frontendsOf(balanced, new Map(), options).map(
    ({ kind, protocol, address = '*', port, sources, affinity }) =>
      `${kind} ${protocol} ${address} ${port} ${affinity}${sources ? ` ${sources.map(({ text }) => text).join()}` : ''}`,
  )
  t.same(found, [
    'cluster-ip tcp 10.96.0.1 80 10800',
    'load-balancer tcp 198.51.100.1 80 10800 10.0.0.0/8',
    'external-ip tcp 192.0.2.5 80 10800',
    'node-port tcp * 30080 10800',
    'cluster-ip udp 10.96.0.1 53 10800',
    'load-balancer udp 198.51.100.1 53 10800 10.0.0.0/8',
    'external-ip udp 192.0.2.5 53 10800',
    'cluster-ip tcp fd00:96::1 80 10800',
    'load-balancer tcp 2001:db8::9 80 10800 fd00::/8',
    'external-ip tcp 2001:db8::5 80 10800',
    'node-port tcp * 30080 10800',
    'cluster-ip udp fd00:96::1 53 10800',
    'load-balancer udp 2001:db8::9 53 10800 fd00::/8',
    'external-ip udp 2001:db8::5 53 10800',
  ])
})

t.test('source ranges with an address of the node let the balancer address itself through', async t => {
  const one: Service = {
    ...service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['192.168.0.0/16'] }),
    status: { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } },
  }
  const sources = (nodeAddresses: readonly string[]) =>
    frontendsOf(one, new Map(), { ...options, nodeAddresses })
      .find(({ kind }) => kind === 'load-balancer')
      ?.sources?.map(({ text }) => text)
  t.same(sources(['192.168.1.1']), ['192.168.0.0/16', '198.51.100.1/32'])
  t.same(sources(['10.0.0.1']), ['192.168.0.0/16'])
})

t.test('annotations say how IPVS spreads', async t => {
  const annotations = {
    'ts-ipvs.io/scheduler': 'wrr',
    'ts-ipvs.io/scheduler-flags': 'sh-port, sh-fallback',
    'ts-ipvs.io/weights': '10.0.0.0/24=3, 10.0.1.7=0,x=y,z=70000',
  }
  const [frontend] = frontendsOf(service({}, { annotations }), new Map(), options)
  t.same(frontend?.balancing, {
    scheduler: 'wrr',
    schedulerFlags: ['sh-port', 'sh-fallback'],
    weights: { '10.0.0.0/24': 3, '10.0.1.7': 0 },
  })
})

t.test('changes are what is different since the last look', async t => {
  const model = new ServiceModel(options)
  const look = () =>
    model
      .changes()
      .map(
        ({ key, before, after }) =>
          `${key}: ${before ? before.answers.remote.verdict : '-'} ${after ? after.answers.remote.verdict : '-'}`,
      )
  t.same(look(), [])
  model.setService(service())
  t.same(look(), ['ipv4 tcp 10.96.0.1 80: - reject'])
  model.setSlice(slice('one', [{ addresses: ['10.0.0.1'] }]))
  t.same(look(), ['ipv4 tcp 10.96.0.1 80: reject accept'])
  model.setSlice(slice('one', [{ addresses: ['10.0.0.1'] }]))
  model.setService(service())
  t.same(look(), [], 'the same again')
  model.setService(service({ ports: [{ name: 'http', port: 81 }] }))
  model.setService(service())
  t.same(look(), [], 'there and back')
  model.setSlice(slice('two', [{ addresses: ['10.0.0.2'] }]))
  t.same(look(), ['ipv4 tcp 10.96.0.1 80: accept accept'])
  model.removeSlice(slice('one', []))
  model.removeSlice(slice('two', []))
  t.same(look(), ['ipv4 tcp 10.96.0.1 80: accept reject'])
  model.setOptions({ ...options, masqueradeAll: true })
  t.same(look(), [], 'nothing to masquerade')
  model.setService(service({ type: 'ExternalName', externalName: 'example.org' }))
  t.same(look(), ['ipv4 tcp 10.96.0.1 80: reject -'])
  model.removeService('default/web')
  model.removeService('default/none')
  t.same(look(), [])
  t.equal(model.frontends.size, 0)
})

t.test('slices may come before their Service, and stay behind it', async t => {
  const model = new ServiceModel(options)
  model.setSlice(slice('one', [{ addresses: ['10.0.0.1'] }]))
  t.same(model.changes(), [])
  model.setService(service())
  t.equal(model.changes()[0]?.after?.answers.node.verdict, 'accept')
  model.removeService('default/web')
  t.equal(model.changes().length, 1)
  model.setService(service())
  t.equal(model.changes()[0]?.after?.answers.node.verdict, 'accept')
  model.setSlice({ ...slice('stray', [{ addresses: ['10.0.0.2'] }]), metadata: { name: 'stray' } })
  t.same(model.changes(), [], "a slice that is nobody's")
})

t.test('of two Services that want the same address and port the older one has it', async t => {
  const model = new ServiceModel(options)
  const of = (name: string, creationTimestamp?: string) =>
    service({ externalIPs: ['192.0.2.5'], clusterIP: `10.96.0.${name.length}` }, { name, creationTimestamp })
  const key = 'ipv4 tcp 192.0.2.5 80'
  model.setService(of('newer', '2026-02-01T00:00:00Z'))
  t.equal(model.frontends.get(key)?.service, 'default/newer')
  model.setService(of('old', '2026-01-01T00:00:00Z'))
  model.setService(of('no', undefined))
  t.equal(model.frontends.get(key)?.service, 'default/old')
  t.same(model.conflicts(), [{ key, served: 'default/old', refused: ['default/newer', 'default/no'] }])
  model.removeService('default/old')
  t.equal(model.frontends.get(key)?.service, 'default/newer')
  model.removeService('default/newer')
  t.equal(model.frontends.get(key)?.service, 'default/no')
  t.same(model.conflicts(), [])
})

t.test('another node sees other endpoints as its own', async t => {
  const model = new ServiceModel(options)
  model.setService(service({ internalTrafficPolicy: 'Local' }))
  model.setSlice(slice('one', [{ addresses: ['10.0.0.1'], nodeName: 'there' }]))
  t.equal(model.changes()[0]?.after?.answers.node.verdict, 'drop')
  model.setOptions({ ...options, node: { name: 'there' } })
  t.equal(model.changes()[0]?.after?.answers.node.verdict, 'accept')
})

t.test('what no Service has is refused on its addresses, dropped in its range, and else left alone', async t => {
  const model = new ServiceModel(options)
  model.setService(service({ type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080 }] }))
  const cidr = cidrOf('10.96.0.0/16')
  const ask = (address: string, port: number, protocol: 'tcp' | 'udp' = 'tcp') =>
    explain(model.frontends, { from: '192.0.2.99', protocol, address, port }, { ...around, serviceCidrs: cidr ? [cidr] : [] })
      .verdict
  t.equal(ask('10.96.0.1', 80), 'reject')
  t.equal(ask('10.96.0.1', 81), 'reject')
  t.equal(ask('10.96.0.1', 80, 'udp'), 'reject')
  t.equal(ask('10.96.0.2', 80), 'drop')
  t.equal(ask('192.0.2.1', 30080), 'reject')
  t.equal(ask('192.0.2.1', 30081), 'none')
  t.equal(ask('192.0.2.2', 30080), 'none')
  t.throws(() => ask('10.96.0', 80), { message: 'address: "10.96.0" is no IP address' })
})

t.test('an endpoint that comes to itself is masqueraded', async t => {
  const model = new ServiceModel(options)
  model.setService(service())
  model.setSlice(slice('one', [{ addresses: ['10.0.0.1'] }]))
  const ask = (from: string) =>
    explain(model.frontends, { from, protocol: 'tcp', address: '10.96.0.1', port: 80 }, around).masquerade
  t.equal(ask('10.0.0.1'), true)
  t.equal(ask('10.0.0.2'), false)
})
