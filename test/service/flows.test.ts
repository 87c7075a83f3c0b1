import t from 'tap'
import {
  type Cidr,
  cidrOf,
  type EndpointSlice,
  explain,
  type Protocol,
  type Service,
  ServiceModel,
  type ServiceSpec,
} from '../../lib/service/index.js'
import { expected, type Kind, type Policy, type Question, type Situation, type Who } from './reference.js'

const KINDS: readonly Kind[] = ['cluster-ip', 'external-ip', 'load-balancer', 'node-port']
const POLICIES: readonly Policy[] = ['Cluster', 'Local']
const CLIENTS: readonly Who[] = ['pod', 'node', 'remote', 'blocked']
const SITUATIONS: readonly Situation[] = [
  [],
  ['local'],
  ['elsewhere'],
  ['local', 'elsewhere', 'elsewhere'],
  ['local leaving'],
  ['elsewhere leaving'],
  ['local leaving', 'elsewhere'],
  ['local', 'local leaving', 'elsewhere leaving'],
  ['elsewhere leaving', 'local leaving'],
]
const FAMILIES = {
  ipv4: {
    cluster: '10.96.0.10',
    external: '192.0.2.10',
    balancer: '198.51.100.10',
    node: '192.168.1.1',
    ranges: ['203.0.113.0/24', '10.244.0.0/16', '192.168.1.1/32'],
    pods: '10.244.0.0/16',
    from: { pod: '10.244.9.9', node: '192.168.1.1', remote: '203.0.113.7', blocked: '203.0.114.7' },
    endpoint: (i: number) => `10.244.1.${i + 1}`,
  },
  ipv6: {
    cluster: 'fd00:96::10',
    external: '2001:db8:1::10',
    balancer: '2001:db8:2::10',
    node: 'fd00:1::1',
    ranges: ['2001:db8:3::/64', 'fd00:244::/48', 'fd00:1::1/128'],
    pods: 'fd00:244::/48',
    from: { pod: 'fd00:244::9:9', node: 'fd00:1::1', remote: '2001:db8:3::7', blocked: '2001:db8:4::7' },
    endpoint: (i: number) => `fd00:244::1:${i + 1}`,
  },
} as const
type Family = keyof typeof FAMILIES

const range = (text: string): Cidr => {
  const cidr = cidrOf(text)
  if (!cidr) throw new TypeError(text)
  return cidr
}

function modelFor(
  family: Family,
  protocol: Protocol,
  { internal, external, situation, podsKnown, masqueradeAll }: Question,
): ServiceModel {
  const facts = FAMILIES[family]
  const model = new ServiceModel({
    node: { name: 'here' },
    clusterCidrs: podsKnown ? [range(facts.pods)] : [],
    masqueradeAll,
    nodeAddresses: [facts.node],
  })
  const spec: ServiceSpec = {
    type: 'LoadBalancer',
    clusterIP: facts.cluster,
    clusterIPs: [facts.cluster],
    externalIPs: [facts.external],
    loadBalancerSourceRanges: facts.ranges,
    internalTrafficPolicy: internal,
    externalTrafficPolicy: external,
    ports: [{ port: 80, nodePort: 30080, protocol: protocol.toUpperCase() as 'TCP' }],
  }
  const service: Service = { metadata: { name: 'web' }, spec, status: { loadBalancer: { ingress: [{ ip: facts.balancer }] } } }
  const slice: EndpointSlice = {
    metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: family === 'ipv4' ? 'IPv4' : 'IPv6',
    ports: [{ name: '', port: 8080, protocol: protocol.toUpperCase() as 'TCP' }],
    endpoints: situation.map((where, i) => ({
      addresses: [facts.endpoint(i)],
      nodeName: where.startsWith('local') ? 'here' : 'there',
      conditions: where.endsWith('leaving') ? { ready: false, serving: true, terminating: true } : { ready: true },
    })),
  }
  model.setService(service)
  model.setSlice(slice)
  return model
}

function* questions(): Generator<Question> {
  for (const kind of KINDS)
    for (const internal of POLICIES)
      for (const external of POLICIES)
        for (const who of CLIENTS)
          for (const situation of SITUATIONS)
            for (const [podsKnown, masqueradeAll] of [
              [true, false],
              [false, false],
              [true, true],
            ] as const)
              yield { kind, internal, external, who, situation, podsKnown, masqueradeAll }
}

for (const family of ['ipv4', 'ipv6'] as const)
  for (const protocol of ['tcp', 'udp', 'sctp'] as const)
    t.test(`the model answers as the contract says, for ${protocol} over ${family}`, async t => {
      const facts = FAMILIES[family]
      const addresses: Record<Kind, string> = {
        'cluster-ip': facts.cluster,
        'external-ip': facts.external,
        'load-balancer': facts.balancer,
        'node-port': facts.node,
      }
      let asked = 0
      for (const question of questions()) {
        const model = modelFor(family, protocol, question)
        const { verdict, endpoints, masquerade } = explain(
          model.frontends,
          {
            from: facts.from[question.who],
            protocol,
            address: addresses[question.kind],
            port: question.kind === 'node-port' ? 30080 : 80,
          },
          {
            clusterCidrs: model.options.clusterCidrs,
            serviceCidrs: [],
            localAddresses: [facts.node],
            nodePortAddresses: [facts.node],
          },
        )
        const wanted = expected(question)
        const texts = wanted.endpoints.map(i => (family === 'ipv4' ? `${facts.endpoint(i)}:8080` : `[${facts.endpoint(i)}]:8080`))
        const found = JSON.stringify({ verdict, endpoints: endpoints.toSorted(), masquerade })
        const right = JSON.stringify({ verdict: wanted.verdict, endpoints: texts.toSorted(), masquerade: wanted.masquerade })
        asked++
        if (found !== right) t.fail(`${JSON.stringify(question)}: ${found} instead of ${right}`)
      }
      t.equal(asked, 4 * 2 * 2 * 4 * SITUATIONS.length * 3)
    })
