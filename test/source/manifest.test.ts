import t from 'tap'
import { parseManifest } from '../../lib/source/manifest.js'

const read = (content: string) => parseManifest(content, 'web.yaml')
const problems = (content: string) =>
  read(content).problems.map(({ line, field, message }) => `${line} ${field ?? '-'}: ${message}`)

const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  clusterIP: 10.96.0.1
  ports:
    - port: 80
`

t.test('manifests of several documents, lists, and JSON are read', async t => {
  const kinds = (content: string) => read(content).objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  t.same(kinds(SERVICE), ['Service web'])
  t.same(kinds(`---\n${SERVICE}---\n---\n${SERVICE.replace('web', 'two')}...\n`), ['Service web', 'Service two'])
  t.same(kinds('{"kind": "Pod", "metadata": {"name": "p"}}'), ['Pod p'])
  t.same(
    kinds(
      `kind: List\nitems:\n- {kind: Node, metadata: {name: n}}\n- ${JSON.stringify({ kind: 'Endpoints', metadata: { name: 'e' } })}`,
    ),
    ['Node n', 'Endpoints e'],
  )
  t.same(kinds('kind: PodList\nitems: [{metadata: {name: p}}]'), ['Pod p'])
  t.same(kinds(''), [])
  t.same(kinds('# nothing\n'), [])
  t.same(
    [...read('kind: Deployment\n---\nkind: Deployment\n---\nkind: ConfigMap\n').ignored],
    [
      ['Deployment', 2],
      ['ConfigMap', 1],
    ],
  )
})

t.test('what is wrong is told with its line and its field, and the rest is there', async t => {
  const cases: readonly [name: string, content: string, problems: readonly string[]][] = [
    [
      'no YAML',
      `${SERVICE}---\na: [`,
      ['9 -: is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['no object', '- 1', ['1 -: is no object of Kubernetes: give apiVersion, kind, metadata']],
    ['no kind', 'metadata: {name: a}', ['1 kind: is missing: give Service, EndpointSlice, Pod, …']],
    ['another version', SERVICE.replace('v1', 'v2'), ['1 apiVersion: "v2": Service is read of v1']],
    ['a port that is none', SERVICE.replace('80', '80000'), ['7 spec.ports[0].port: 80000: give a whole number from 1 to 65535']],
    ['a port that is text', SERVICE.replace('80', 'http'), ['7 spec.ports[0].port: "http": give a whole number from 1 to 65535']],
    ['a port that is missing', SERVICE.replace('port: 80', 'name: a'), ['7 spec.ports[0].port: is missing']],
    ['an address that is none', SERVICE.replace('10.96.0.1', '10.96'), ['5 spec.clusterIP: 10.96: give a text']],
    [
      'an address in quotes that is none',
      SERVICE.replace('10.96.0.1', '"10.96"'),
      ['5 spec.clusterIP: "10.96": give an IP address or None'],
    ],
    [
      'a type that there is not',
      `${SERVICE}  type: Balancer\n`,
      ['8 spec.type: "Balancer": give ClusterIP, NodePort, LoadBalancer, ExternalName'],
    ],
    [
      'a name that is none',
      SERVICE.replace('web', 'Web'),
      ['3 metadata.name: "Web": give lower-case letters, digits, dashes and dots, a letter or digit first and last'],
    ],
    [
      'several ports without names',
      `${SERVICE}    - port: 81\n`,
      [
        '7 spec.ports[0].name: is missing: with several ports each needs one',
        '8 spec.ports[1].name: is missing: with several ports each needs one',
      ],
    ],
    [
      'two ports of one name',
      SERVICE.replace('- port: 80', '- {name: a, port: 80}\n    - {name: a, port: 81}'),
      ['8 spec.ports[1].name: "a": spec.ports[0] has it already'],
    ],
    [
      'a port twice',
      SERVICE.replace('- port: 80', '- {name: a, port: 80}\n    - {name: b, port: 80}\n    - {name: c, port: 80, protocol: UDP}'),
      ['8 spec.ports[1].port: 80: spec.ports[0] has it already, for TCP'],
    ],
    ['no ports', SERVICE.replace('- port: 80', '[]'), ['6 spec.ports: is missing: give at least one']],
    [
      'a range that is none',
      `${SERVICE}  loadBalancerSourceRanges: [10.0.0.0/8, 10.0.0.0/40]\n`,
      ['8 spec.loadBalancerSourceRanges[1]: "10.0.0.0/40": give a range of addresses as 10.0.0.0/8'],
    ],
    [
      'a time-out out of range',
      `${SERVICE}  sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } }\n`,
      ['8 spec.sessionAffinityConfig.clientIP.timeoutSeconds: 0: give a whole number from 1 to 86400'],
    ],
    [
      'no external name',
      'kind: Service\nmetadata: {name: a}\nspec: {type: ExternalName}',
      ['3 spec.externalName: is missing: a Service of type ExternalName needs it'],
    ],
    [
      'an address of the other family',
      'kind: EndpointSlice\nmetadata: {name: a}\naddressType: IPv4\nendpoints:\n- addresses: [10.0.0.1]\n- addresses: ["fd00::1"]',
      ['6 endpoints[1].addresses[0]: "fd00::1": give an address of IPv4, which addressType says'],
    ],
    [
      'a quotation mark that is not closed, before other documents',
      `a: "b\n---\n${SERVICE}`,
      ['2 -: is no YAML: Missing closing "quote'],
    ],
    [
      'a node port of no node',
      `${SERVICE}      nodePort: 30080\n`,
      ['8 spec.ports[0].nodePort: 30080: is for Services of type NodePort and LoadBalancer: give spec.type'],
    ],
    [
      'an external address of a family that the Service has not got',
      `${SERVICE}  externalIPs: [192.0.2.1, "2001:db8::1"]\n`,
      ['8 spec.externalIPs[1]: "2001:db8::1": the Service has no cluster address of IPv6'],
    ],
    [
      'external addresses that are of each machine',
      `${SERVICE}  externalIPs: [127.0.0.1, "0.0.0.0", "fe80::1", 192.0.2.1]\n`,
      ['127.0.0.1', '0.0.0.0', 'fe80::1'].map(
        (address, i) => `8 spec.externalIPs[${i}]: "${address}": give an address that others reach: none of loopback or a link`,
      ),
    ],
    ['a name that is needed and empty', SERVICE.replace('web', '""'), ['3 metadata.name: is missing']],
    [
      'an item of a list',
      `kind: List\nitems:\n- {kind: Node, metadata: {name: n}}\n- {kind: Pod, metadata: {}}`,
      ['4 metadata.name: is missing'],
    ],
  ]
  for (const [name, content, told] of cases) t.same(problems(content), told, name)
  t.equal(read(`${SERVICE}---\na: [`).objects.length, 1)
  t.equal(read(`${SERVICE}---\nkind: Pod\n`).objects.length, 1)
  t.equal(read(`a: "b\n---\n${SERVICE}`).objects.length, 1)
  t.equal(read(`${SERVICE}      nodePort: 30080\n`).objects.length, 1, 'what can be served without it is')
})

t.test('aliases that repeat without end are refused', async t => {
  const bomb = [
    'kind: &a Pod',
    ...Array.from(
      { length: 20 },
      (_, i) =>
        `x${i}: &x${i} [${Array(10)
          .fill(i === 0 ? '*a' : `*x${i - 1}`)
          .join(', ')}]`,
    ),
  ].join('\n')
  t.match(problems(bomb), [/its aliases repeat too much/])
})
