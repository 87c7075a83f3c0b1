/** What kube-proxy's nftables mode answers where it is easy to answer otherwise, from manifests as people write them. */
import t from 'tap'
import { atOnce } from '../../lib/netlink/turns.js'
import { Cluster, type ClusterOptions } from '../../lib/proxy/cluster.js'
import { addressOf, type Cidr, cidrOf, explain } from '../../lib/service/index.js'
import { parseManifest } from '../../lib/source/manifest.js'
import { Shelf } from '../../lib/source/shelf.js'

const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts.map(cidrOf).filter(cidr => cidr !== undefined)
const OPTIONS: ClusterOptions = {
  node: 'here',
  clusterCidrs: cidrs('10.244.0.0/16'),
  serviceCidrs: cidrs('10.96.0.0/16'),
  masqueradeAll: false,
  balancerPool: [],
  standalone: true,
}
/** Of the machine that is asked, which is none of the nodes. */
const MACHINE = ['172.16.0.5', '127.0.0.1']

const service = (spec: string, metadata = '', status = ''): string =>
  `kind: Service\nmetadata: {name: web, ${metadata}}\nspec: {clusterIP: 10.96.0.7, ${spec}}\nstatus: {${status}}\n`
const slice = (endpoints: string, ports = '{port: 8080}', metadata = ''): string =>
  `kind: EndpointSlice\nmetadata: {name: web-x, labels: {kubernetes.io/service-name: web, ${metadata}}}
addressType: IPv4\nports: [${ports}]\nendpoints: [${endpoints}]\n`
const NODE =
  'kind: Node\nmetadata: {name: here}\nstatus: {addresses: [{type: ExternalIP, address: 203.0.113.9}, {type: InternalIP, address: 192.168.1.1}, {type: InternalIP, address: 192.168.9.1}]}\n'
const PORTS = 'ports: [{port: 80, nodePort: 30080}]'
const LOCAL = '{addresses: [10.244.1.1], nodeName: here}'
const FAR = '{addresses: [10.244.2.2], nodeName: there}'
const BALANCED = 'loadBalancer: {ingress: [{ip: 198.51.100.1}, {ip: 198.51.100.2}]}'
const RANGES = 'type: LoadBalancer, loadBalancerSourceRanges: [192.168.1.0/24]'

interface Case {
  readonly name: string
  readonly documents: readonly string[]
  readonly from?: string
  /** Default: the cluster address. */
  readonly to?: string
  readonly options?: Partial<ClusterOptions>
  /** `accept 10.244.1.1:8080 masqueraded` */
  readonly answer: string
}

function answered({ documents, from = '10.244.9.9', to = '10.96.0.7 80', options = {} }: Case): string {
  const { objects } = parseManifest(documents.join('---\n'), 'test.yaml')
  const cluster = new Cluster({ ...OPTIONS, ...options }, MACHINE)
  atOnce(cluster.apply(new Shelf().put('test.yaml', objects)))
  const [address = '', port] = to.split(' ')
  const flow = { from, protocol: 'tcp', address: addressOf(address) ?? '', port: Number(port) } as const
  const { verdict, endpoints, masquerade } = explain(cluster.model.frontends, flow, cluster.surroundings)
  return [verdict, ...endpoints, ...(masquerade ? ['masqueraded'] : [])].join(' ')
}

const CASES: readonly Case[] = [
  {
    name: 'a port of a slice that has no name is that of a Service that has none',
    documents: [service(PORTS), slice(LOCAL)],
    answer: 'accept 10.244.1.1:8080',
  },
  {
    name: 'an empty name is none',
    documents: [service('ports: [{name: "", port: 80, protocol: ""}]'), slice(LOCAL, '{name: null, port: 8080, protocol: null}')],
    answer: 'accept 10.244.1.1:8080',
  },
  {
    name: 'an endpoint that terminates serves if it does not say otherwise',
    documents: [service(PORTS), slice('{addresses: [10.244.1.1], conditions: {ready: false, terminating: true}}')],
    answer: 'accept 10.244.1.1:8080',
  },
  ...['service.kubernetes.io/headless', 'service.kubernetes.io/service-proxy-name'].map(label => ({
    name: `a slice that is labelled ${label} is not for us`,
    documents: [service(PORTS), slice(LOCAL, undefined, `${label}: ""`)],
    answer: 'reject',
  })),
  {
    name: 'an address that does not fit leaves the others of its slice',
    documents: [service(PORTS), slice(`{addresses: ["fd00::1"]}, {addresses: [nowhere]}, {addresses: []}, ${LOCAL}`)],
    answer: 'accept 10.244.1.1:8080',
  },
  {
    name: 'slices count, and not the Endpoints that they were mirrored from',
    documents: [
      service(PORTS),
      'kind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: 10.244.8.8, nodeName: here}], ports: [{port: 1}]}]\n',
      slice(FAR),
    ],
    answer: 'accept 10.244.2.2:8080',
  },
  {
    name: 'fields that are null, or empty, are not there',
    documents: [
      service(
        'type: null, externalIPs: null, loadBalancerIP: "", sessionAffinity: "", ports: [{port: 80, protocol: null, targetPort: null}]',
        'namespace: "", labels: null, annotations: null, creationTimestamp: null, deletionTimestamp: null',
        'loadBalancer: null',
      ),
      slice('{addresses: [10.244.1.1], conditions: null, hints: null, nodeName: null, hostname: ""}'),
    ],
    answer: 'accept 10.244.1.1:8080',
  },
  ...['0', '""', 'null'].map(port => ({
    name: `a target port of ${port} is the port`,
    documents: [
      service(`selector: {app: web}, ports: [{port: 80, targetPort: ${port}}]`),
      'kind: Pod\nmetadata: {name: a, labels: {app: web}, deletionTimestamp: null}\nstatus: {podIP: 10.244.1.1, conditions: [{type: Ready, status: "True"}]}\n',
    ],
    answer: 'accept 10.244.1.1:80',
  })),
  {
    name: 'a port of a container that goes on beside the others',
    documents: [
      service('selector: {app: web}, ports: [{port: 80, targetPort: http}]'),
      'kind: Pod\nmetadata: {name: a, labels: {app: web}}\nspec: {initContainers: [{restartPolicy: Always, ports: [{name: http, containerPort: 81}]}]}\nstatus: {podIP: 10.244.1.1, conditions: [{type: Ready, status: "True"}]}\n',
    ],
    answer: 'accept 10.244.1.1:81',
  },
  ...(
    [
      ['192.168.1.1', 'accept 10.244.2.2:8080 masqueraded'],
      ['192.168.9.1', 'accept 10.244.2.2:8080 masqueraded'],
      ['127.0.0.1', 'accept 10.244.2.2:8080 masqueraded'],
      ['172.16.0.5', 'drop'],
    ] as const
  ).map(([from, answer]) => ({
    name: `${from} is ${answer === 'drop' ? 'no address' : 'an address'} of the node, by its Node object`,
    documents: [NODE, service(`type: NodePort, externalTrafficPolicy: Local, ${PORTS}`), slice(FAR)],
    from,
    to: '192.168.1.1 30080',
    answer,
  })),
  {
    name: 'node ports are on the external address of a node that has no internal one',
    documents: [NODE.replaceAll('InternalIP', 'Hostname'), service(`type: NodePort, ${PORTS}`), slice(FAR)],
    to: '203.0.113.9 30080',
    answer: 'accept 10.244.2.2:8080 masqueraded',
  },
  {
    name: 'pods of the other family are not known, and nobody is masqueraded',
    documents: [service(PORTS), slice(FAR)],
    from: '203.0.113.77',
    options: { clusterCidrs: cidrs('fd00:244::/56') },
    answer: 'accept 10.244.2.2:8080',
  },
  ...(
    [
      ['198.51.100.1', '198.51.100.2 80', 'accept 10.244.2.2:8080 masqueraded'],
      ['203.0.113.77', '198.51.100.2 80', 'drop'],
      ['203.0.113.77', '10.96.0.7 80', 'accept 10.244.2.2:8080 masqueraded'],
    ] as const
  ).map(([from, to, answer]) => ({
    name: `source ranges with the node's own address: from ${from} to ${to}`,
    documents: [NODE, service(`${RANGES}, ${PORTS}`, '', BALANCED), slice(FAR)],
    from,
    to,
    answer,
  })),
  {
    name: 'source ranges with another address of the node than its first let no address of the balancer through',
    documents: [NODE, service(`${RANGES.replace('192.168.1', '192.168.9')}, ${PORTS}`, '', BALANCED), slice(FAR)],
    from: '198.51.100.1',
    to: '198.51.100.1 80',
    answer: 'drop',
  },
  {
    name: "source ranges hold for the balancer's address where it is an external one, too",
    documents: [NODE, service(`${RANGES}, externalIPs: [198.51.100.1], ${PORTS}`, '', BALANCED), slice(FAR)],
    from: '203.0.113.77',
    to: '198.51.100.1 80',
    answer: 'drop',
  },
]

for (const one of CASES) t.test(one.name, async t => t.equal(answered(one), one.answer))
