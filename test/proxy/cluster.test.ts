import t from 'tap'
import { atOnce } from '../../lib/netlink/turns.js'
import { Cluster, type ClusterOptions } from '../../lib/proxy/cluster.js'
import { type Cidr, cidrOf, explain } from '../../lib/service/index.js'
import { parseManifest } from '../../lib/source/manifest.js'
import type { ObjectChange } from '../../lib/source/source.js'

const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts.map(cidrOf).filter(cidr => cidr !== undefined)
const OPTIONS: ClusterOptions = {
  node: 'here',
  clusterCidrs: cidrs('10.244.0.0/16'),
  serviceCidrs: cidrs('10.96.0.0/24'),
  masqueradeAll: false,
  balancerPool: [],
  standalone: true,
}
const LOCAL = ['127.0.0.1', '192.168.1.1', '192.168.2.1', 'fd00:1::1', 'fe80::1']

function told(content: string): readonly ObjectChange[] {
  const { objects, problems } = parseManifest(content, 'test.yaml')
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return objects.map(object => ({
    kind: object.kind,
    name: object.kind === 'Node' ? object.metadata.name : `${object.metadata.namespace ?? 'default'}/${object.metadata.name}`,
    object,
  }))
}
const SERVICE =
  'kind: Service\nmetadata: {name: web}\nspec: {type: NodePort, selector: {app: web}, clusterIP: 10.96.0.7, ports: [{port: 80, nodePort: 30080, targetPort: http}]}\n'
const pod = (name: string, address: string, node: string): string =>
  `---\nkind: Pod\nmetadata: {name: ${name}, labels: {app: web}}\nspec: {nodeName: ${node}, containers: [{ports: [{name: http, containerPort: 8080}]}]}\nstatus: {podIP: ${address}, conditions: [{type: Ready, status: "True"}]}\n`
const SLICE =
  '---\nkind: EndpointSlice\nmetadata: {name: web-x, labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [{name: "", port: 9090}]\nendpoints: [{addresses: [10.244.7.7]}]\n'
const ENDPOINTS =
  '---\nkind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: 10.244.8.8}], ports: [{port: 7070}]}]\n'

const apply = (cluster: Cluster, changes: readonly ObjectChange[]): boolean => atOnce(cluster.apply(changes))

const ask = (cluster: Cluster, address = '10.96.0.7', port = 80) =>
  explain(cluster.model.frontends, { from: '10.244.9.9', protocol: 'tcp', address, port }, cluster.surroundings).endpoints

t.test('pods are endpoints where nobody tells slices', async t => {
  const cluster = new Cluster(OPTIONS, LOCAL)
  apply(cluster, told(SERVICE + pod('a', '10.244.1.1', 'here') + pod('b', '10.244.2.1', 'there')))
  t.same(ask(cluster), ['10.244.1.1:8080', '10.244.2.1:8080'])
  apply(cluster, told(SLICE.slice(4)))
  t.same(ask(cluster), ['10.244.7.7:9090'], 'slices that are told take their place')
  apply(cluster, told(pod('c', '10.244.3.1', 'there').slice(4)))
  t.same(ask(cluster), ['10.244.7.7:9090'])
  apply(cluster, [{ kind: 'EndpointSlice', name: 'default/web-x', object: undefined }])
  t.same(ask(cluster), ['10.244.1.1:8080', '10.244.2.1:8080', '10.244.3.1:8080'], 'and give it back')
  apply(cluster, [{ kind: 'Pod', name: 'default/a', object: undefined }])
  t.same(ask(cluster), ['10.244.2.1:8080', '10.244.3.1:8080'])
})

t.test('with an API server only what it tells counts', async t => {
  const cluster = new Cluster({ ...OPTIONS, standalone: false }, LOCAL)
  apply(cluster, told(SERVICE + pod('a', '10.244.1.1', 'here')))
  t.same(ask(cluster), [])
  apply(cluster, told(ENDPOINTS.slice(4)))
  t.same(ask(cluster), ['10.244.8.8:7070'])
  apply(cluster, [{ kind: 'Endpoints', name: 'default/web', object: undefined }])
  t.same(ask(cluster), [])
  apply(cluster, [{ kind: 'Service', name: 'default/web', object: undefined }])
  t.equal(cluster.model.frontends.size, 0)
})

t.test('node ports are served on the primary address of each family, or where they are asked for', async t => {
  const node =
    'kind: Node\nmetadata: {name: here}\nstatus: {addresses: [{type: ExternalIP, address: 192.0.2.1}, {type: InternalIP, address: 192.168.2.1}]}\n'
  const cluster = new Cluster(OPTIONS, LOCAL)
  t.same(cluster.nodePortAddresses, ['192.168.1.1', 'fd00:1::1'], 'those of the machine')
  t.same(new Cluster(OPTIONS, ['127.0.0.1', 'fe80::1']).nodePortAddresses, [], 'never on loopback or link-local addresses')
  t.equal(apply(cluster, told(node)), true)
  t.same(cluster.nodePortAddresses, ['192.168.2.1'], 'those of the Node object')
  t.equal(apply(cluster, told(node)), false)
  apply(cluster, told(SERVICE + pod('a', '10.244.1.1', 'here')))
  t.same(ask(cluster, '192.168.2.1', 30080), ['10.244.1.1:8080'])
  t.same(ask(cluster, '192.168.1.1', 30080), [])
  const wide = new Cluster({ ...OPTIONS, nodePortCidrs: cidrs('192.168.0.0/16', '127.0.0.0/8') }, LOCAL)
  t.same(wide.nodePortAddresses, ['192.168.1.1', '192.168.2.1'], 'never on loopback')
  t.equal(wide.setLocalAddresses(['192.168.1.1']), true)
  t.same(wide.nodePortAddresses, ['192.168.1.1'])
  t.equal(wide.setLocalAddresses(['192.168.1.1', 'fd00::9']), false)
})

t.test('what Services can not have is told, and who has it', async t => {
  const cluster = new Cluster(OPTIONS, LOCAL)
  apply(cluster, told(`${SERVICE}---\n${SERVICE.replace('web', 'two')}`))
  t.same(cluster.problems, [{ where: 'default/two', message: "spec.clusterIP: 10.96.0.7 is default/web's already" }])
  t.equal(cluster.model.serviceNamed('default/two'), undefined)
  apply(cluster, told(SERVICE.replace('web', 'two').replace('10.96.0.7', '10.96.0.8').replace(', nodePort: 30080', '')))
  t.same(cluster.problems, [])
  const external = (name: string) =>
    `kind: Service\nmetadata: {name: ${name}}\nspec: {externalIPs: [192.0.2.9], ports: [{port: 81}]}\n`
  apply(cluster, told(`${external('a')}---\n${external('b')}`))
  t.same(cluster.problems, [{ where: 'default/b', message: 'ipv4 tcp 192.0.2.9 81: default/a has it, which is older' }])
  const again = new Cluster({ ...OPTIONS, allocations: cluster.allocations }, LOCAL)
  apply(again, told(external('a')))
  t.equal(again.model.serviceNamed('default/a')?.spec.clusterIP, cluster.model.serviceNamed('default/a')?.spec.clusterIP)
})

t.test('of Services that want one address the oldest has it, and those that wait get it when it is free', async t => {
  const at = (name: string, year: number): string =>
    `---\nkind: Service\nmetadata: {name: ${name}, creationTimestamp: "${year}-01-01T00:00:00Z"}\nspec: {clusterIP: 10.96.0.7, ports: [{port: 80}]}\n`
  const cluster = new Cluster(OPTIONS, LOCAL)
  const holder = (): string | undefined => cluster.model.frontends.get('ipv4 tcp 10.96.0.7 80')?.service
  apply(cluster, told(at('a', 2026) + at('b', 2024) + at('c', 2025)))
  t.equal(holder(), 'default/b')
  t.same(
    cluster.problems.map(({ where }) => where),
    ['default/c', 'default/a'],
  )
  apply(cluster, [{ kind: 'Service', name: 'default/b', object: undefined }])
  t.equal(holder(), 'default/c')
  apply(cluster, told(at('c', 2025).replace('10.96.0.7', '10.96.0.8')))
  t.equal(holder(), 'default/a')
  t.same(cluster.problems, [])
})

t.test('a port that leads nowhere is told, with those that there are', async t => {
  const cluster = new Cluster(OPTIONS, LOCAL)
  apply(cluster, told(SERVICE.replace('{port: 80,', '{name: http, port: 80,') + SLICE))
  const message = 'its endpoints have no port "http" of TCP, but tcp ""'
  t.same(cluster.problems, [{ where: 'default/web', field: 'spec.ports[0]', message }])
  apply(cluster, told(SERVICE))
  t.same(cluster.problems, [])
})

t.test('who asks for one address or port gets it before those that take any', async t => {
  // Of two addresses and one port that are left one is asked for: by chance the others would have them first.
  const options = { ...OPTIONS, serviceCidrs: cidrs('10.96.0.4/30'), balancerPool: cidrs('198.51.100.4/31') }
  const any = '---\nkind: Service\nmetadata: {name: any}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n'
  for (const [wanted, other] of [
    [5, 6],
    [6, 5],
  ] as const) {
    const one = `---\nkind: Service\nmetadata: {name: one}\nspec: {type: LoadBalancer, clusterIP: 10.96.0.${wanted}, ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: 198.51.100.${wanted - 1}}]}}\n`
    const cluster = new Cluster(options, LOCAL)
    apply(cluster, told(any + one))
    t.same(cluster.problems, [])
    const { spec, status } = cluster.model.serviceNamed('default/any') ?? {}
    t.equal(spec?.clusterIP, `10.96.0.${other}`)
    t.same(status?.loadBalancer?.ingress, [{ ip: `198.51.100.${other - 1}` }])
  }
  const port = (name: string, nodePort: string): string =>
    `---\nkind: Service\nmetadata: {name: ${name}}\nspec: {type: NodePort, ports: [{port: 80${nodePort}}]}\n`
  const free = new Cluster(options, LOCAL)
  apply(free, told(port('any', '')))
  const chosen = free.model.serviceNamed('default/any')?.spec.ports?.[0]?.nodePort
  const taken = new Cluster(options, LOCAL)
  apply(taken, told(port('any', '') + port('one', `, nodePort: ${chosen}`)))
  t.same(taken.problems, [])
})
