import t from 'tap'
import { atOnce } from '../../lib/netlink/turns.js'
import {
  type Allocations,
  Allocator,
  type Cidr,
  cidrOf,
  type Pod,
  type Service,
  SliceController,
  slicesOfPods,
} from '../../lib/service/index.js'

const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts.map(cidrOf).filter(cidr => cidr !== undefined)
const pod = (name: string, status: Pod['status'] = {}, more: Partial<Pod> = {}): Pod => ({
  metadata: { name, labels: { app: 'web' } },
  spec: { nodeName: 'one', containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { podIP: `10.244.0.${name.length}`, conditions: [{ type: 'Ready', status: 'True' }], ...status },
  ...more,
})
const service = (spec: Partial<Service['spec']> = {}, name = 'web'): Service => ({
  metadata: { name },
  spec: { selector: { app: 'web' }, clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
})
const node = (name: string) => ({ metadata: { name, labels: { 'topology.kubernetes.io/zone': `zone of ${name}` } } })

t.test('pods are endpoints as their conditions say', async t => {
  const cases: readonly [name: string, pod: Pod, conditions: object | undefined][] = [
    ['ready', pod('a'), { ready: true, serving: true, terminating: false }],
    [
      'not ready',
      pod('a', { conditions: [{ type: 'Ready', status: 'False' }] }),
      { ready: false, serving: false, terminating: false },
    ],
    ['without conditions', pod('a', { conditions: [] }), { ready: false, serving: false, terminating: false }],
    [
      'leaving',
      pod('a', {}, { metadata: { name: 'a', labels: { app: 'web' }, deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      { ready: false, serving: true, terminating: true },
    ],
    ['without an address', pod('a', { podIP: undefined }), undefined],
    ['ended', pod('a', { phase: 'Succeeded' }), undefined],
    ['failed', pod('a', { phase: 'Failed' }), undefined],
    ['with other labels', pod('a', {}, { metadata: { name: 'a', labels: { app: 'db' } } }), undefined],
    ['of another namespace', pod('a', {}, { metadata: { name: 'a', namespace: 'other', labels: { app: 'web' } } }), undefined],
  ]
  for (const [name, one, conditions] of cases)
    t.same(slicesOfPods(service(), [one], node)[0]?.endpoints?.[0]?.conditions, conditions, name)
  const [unready] = slicesOfPods(service({ publishNotReadyAddresses: true }), [pod('a', { conditions: [] })], node)
  t.same(unready?.endpoints?.[0]?.conditions, { ready: true, serving: false, terminating: false }, 'published all the same')
  t.same(slicesOfPods(service({ selector: {} }), [pod('a')], node), [], 'an empty selector selects nothing')
  t.same(slicesOfPods(service({ type: 'ExternalName' }), [pod('a')], node), [])
})

t.test('a named port has the number that the container has it for', async t => {
  const other = pod(
    'bb',
    {},
    {
      spec: {
        containers: [
          {
            ports: [
              { name: 'http', containerPort: 9090 },
              { name: 'http', containerPort: 53, protocol: 'UDP' },
            ],
          },
        ],
      },
    },
  )
  const none = pod('ccc', {}, { spec: { containers: [{}] } })
  const found = slicesOfPods(service(), [pod('a'), other, none], node).map(({ ports, endpoints }) => [
    ports?.map(({ port }) => port),
    endpoints?.map(({ addresses }) => addresses[0]),
  ])
  t.same(found, [
    [[8080], ['10.244.0.1']],
    [[9090], ['10.244.0.2']],
    [[], ['10.244.0.3']],
  ])
  t.equal(slicesOfPods(service({ ports: [{ port: 80, targetPort: 1234 }] }), [none], node)[0]?.ports?.[0]?.port, 1234)
  t.equal(slicesOfPods(service({ ports: [{ port: 80 }] }), [none], node)[0]?.ports?.[0]?.port, 80)
})

t.test('each family has slices of its own', async t => {
  const dual = pod('a', { podIPs: [{ ip: '10.244.0.1' }, { ip: 'fd00::1' }] })
  const types = (spec: Partial<Service['spec']>) =>
    slicesOfPods(service(spec), [dual], node).map(
      ({ addressType, endpoints }) => `${addressType} ${endpoints?.[0]?.addresses[0]}`,
    )
  t.same(types({}), ['IPv4 10.244.0.1'])
  t.same(types({ clusterIPs: ['10.96.0.1', 'fd00:96::1'] }), ['IPv4 10.244.0.1', 'IPv6 fd00::1'])
  t.same(types({ ipFamilies: ['IPv6'] }), ['IPv6 fd00::1'])
  t.same(types({ clusterIP: 'None' }), ['IPv4 10.244.0.1', 'IPv6 fd00::1'])
})

t.test('hints are for the zone and the node of each where near endpoints are preferred', async t => {
  const hints = (trafficDistribution: string | undefined) =>
    slicesOfPods(service({ trafficDistribution }), [pod('a')], node)[0]?.endpoints?.[0]?.hints
  t.equal(hints(undefined), undefined)
  t.same(hints('PreferClose'), { forZones: [{ name: 'zone of one' }] })
  t.same(hints('PreferSameZone'), { forZones: [{ name: 'zone of one' }] })
  t.same(hints('PreferSameNode'), { forZones: [{ name: 'zone of one' }], forNodes: [{ name: 'one' }] })
})

t.test('a pod has a host name where it is of the Service as its subdomain', async t => {
  const named = pod('a', {}, { spec: { hostname: 'db-0', subdomain: 'web' } })
  t.equal(slicesOfPods(service(), [named], node)[0]?.endpoints?.[0]?.hostname, 'db-0')
  t.equal(slicesOfPods(service({}, 'other'), [named], node)[0]?.endpoints?.[0]?.hostname, undefined)
})

t.test('only slices that are different are told', async t => {
  const controller = new SliceController()
  const look = () => {
    const { set, removed } = atOnce(controller.changes())
    return [set.map(({ endpoints }) => endpoints?.length), removed.map(({ metadata }) => metadata.name)]
  }
  controller.setService(service())
  t.same(look(), [[], []])
  controller.setPod(pod('a'))
  t.same(look(), [[1], []])
  controller.setPod(pod('a'))
  t.same(look(), [[], []])
  controller.setPod(pod('bb'))
  t.same(look(), [[2], []])
  controller.setNode(node('one'))
  t.same(look(), [[2], []], 'the zone of the node')
  controller.removePod('default/bb')
  controller.removePod('default/none')
  t.same(look(), [[1], []])
  controller.setPod(pod('a', {}, { metadata: { name: 'a', labels: {} } }))
  t.same(look(), [[], ['web-0']], 'a pod that is not selected any more')
  controller.setPod(pod('a'))
  look()
  controller.removeService('default/web')
  t.same(look(), [[], ['web-0']])
})

const ranges = { serviceCidrs: cidrs('10.96.0.0/24', 'fd00:96::/112'), balancerPool: cidrs('198.51.100.0/30') }
const plain = (spec: Partial<Service['spec']> = {}, name = 'web'): Service => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
})

t.test('Services get what an API server would have given', async t => {
  const allocator = new Allocator(ranges)
  const one = allocator.complete(plain())
  t.same(one.problems, [])
  t.match(one.service?.spec.clusterIP, /^10\.96\.0\.\d+$/)
  t.same(one.service?.spec.clusterIPs, [one.service?.spec.clusterIP])
  t.equal(one.service?.spec.ports?.[0]?.nodePort, undefined)
  const dual = allocator.complete(plain({ ipFamilyPolicy: 'PreferDualStack' }, 'dual')).service
  t.match(dual?.spec.clusterIPs, [/^10\.96\.0\./, /^fd00:96::/])
  const six = allocator.complete(plain({ ipFamilies: ['IPv6'] }, 'six')).service
  t.match(six?.spec.clusterIPs, [/^fd00:96::/])
  const ports = allocator.complete(
    plain(
      {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 53 },
          { name: 'b', port: 53, protocol: 'UDP' },
          { name: 'c', port: 80 },
        ],
      },
      'ports',
    ),
  ).service?.spec.ports
  t.equal(ports?.[0]?.nodePort, ports?.[1]?.nodePort, 'one number for both protocols')
  t.not(ports?.[0]?.nodePort, ports?.[2]?.nodePort)
  t.ok(ports?.every(({ nodePort = 0 }) => nodePort >= 30000 && nodePort <= 32767))
  const balanced = allocator.complete(plain({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, 'lb')).service
  t.match(balanced?.status?.loadBalancer?.ingress, [{ ip: /^198\.51\.100\.[12]$/ }])
  t.ok((balanced?.spec.healthCheckNodePort ?? 0) >= 30000)
  t.same(allocator.complete(plain({ clusterIP: 'None' }, 'headless')).service?.spec.clusterIP, 'None')
  const external = plain({ type: 'ExternalName' }, 'external')
  t.equal(allocator.complete(external).service, external)
})

t.test('what was given is given again, after a restart as well', async t => {
  const names = Array.from({ length: 200 }, (_, i) => `web-${i}`)
  const first = new Allocator(ranges)
  const given = new Map(names.map(name => [name, first.complete(plain({ type: 'NodePort' }, name)).service?.spec]))
  t.equal(new Set([...given.values()].map(spec => spec?.clusterIP)).size, 200, 'each its own')
  for (const name of names) t.same(first.complete(plain({ type: 'NodePort' }, name)).service?.spec, given.get(name))
  const kept: Allocations = JSON.parse(JSON.stringify(first.allocations()))
  const second = new Allocator(ranges, kept)
  for (const name of names.toReversed()) t.same(second.complete(plain({ type: 'NodePort' }, name)).service?.spec, given.get(name))
  t.same(second.allocations(), kept)
})

t.test('what can not be had is told, with the field and the remedy', async t => {
  const cases: readonly [name: string, service: Service, problem: string][] = [
    [
      "an address that is another one's",
      plain({ clusterIP: '10.96.0.7' }),
      "spec.clusterIP: 10.96.0.7 is default/first's already",
    ],
    ['no address', plain({ clusterIP: '10.96' }), 'spec.clusterIP: "10.96" is no IP address'],
    [
      "a node port that is another one's",
      plain({ type: 'NodePort', ports: [{ port: 80, nodePort: 30007 }] }),
      "spec.ports[0].nodePort: 30007 is default/first's already",
    ],
    [
      'both families',
      plain({ ipFamilyPolicy: 'RequireDualStack' }),
      'spec.ipFamilyPolicy: RequireDualStack needs a service range of each family: give --service-cidr both',
    ],
    [
      'a family without a range',
      plain({ ipFamilies: ['IPv6'] }),
      'spec.ipFamilies: there is no service range of IPv6: give --service-cidr one',
    ],
    [
      'a balancer address from elsewhere',
      plain({ type: 'LoadBalancer', loadBalancerIP: '192.0.2.1' }),
      'spec.loadBalancerIP: 192.0.2.1 is not in --lb-pool',
    ],
  ]
  for (const [name, one, problem] of cases) {
    const allocator = new Allocator({ serviceCidrs: cidrs('10.96.0.0/28'), balancerPool: cidrs('198.51.100.0/30') })
    t.same(
      allocator.complete(plain({ clusterIP: '10.96.0.7', type: 'NodePort', ports: [{ port: 1, nodePort: 30007 }] }, 'first'))
        .problems,
      [],
    )
    t.ok(allocator.complete(one).problems.includes(problem), `${name}: ${allocator.complete(one).problems}`)
  }
  const small = new Allocator({ serviceCidrs: cidrs('10.96.0.0/30'), balancerPool: [] })
  t.same(
    [1, 2].map(i => small.complete(plain({}, `web-${i}`)).problems),
    [[], []],
  )
  t.same(small.complete(plain({}, 'web-3')), {
    service: undefined,
    problems: ['spec.clusterIP: no IPv4 address of the service range is left'],
  })
  small.release('default/web-1')
  t.same(small.complete(plain({}, 'web-3')).problems, [])
  const none = new Allocator({ serviceCidrs: [], balancerPool: [] })
  t.same(none.complete(plain()).problems, [
    'spec.clusterIP: there is no range to take an address from: give one here, or --service-cidr',
  ])
  t.same(none.complete(plain({ clusterIP: '10.0.0.1' })).problems, [])
})
