import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { FakeApiServer } from '../../source/api-server/fake.js'
import { EtcdServer, skip } from '../../source/etcd/server.js'
import { cli } from '../support.js'

const FLOW = ['--from', '10.9.0.1', 'tcp', '10.96.0.10:80']
const web = {
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }] },
}
const slice = {
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.244.0.5'] }],
  ports: [{ name: '', port: 8080 }],
}
const folder = await mkdtemp(join(tmpdir(), 'proxy-source-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const state = ['--state', join(folder, 'state.json')]

t.test('options of sources that are wrong are refused with what to give, and nothing is done', async t => {
  const { run } = await cli()
  const etcd = ['--source', 'etcd', '--etcd-endpoints', 'https://a']
  const cases = [
    [
      ['--source', 'kubernetes', '--manifests', 'x'],
      '--manifests is an option of --source directory, and the source is kubernetes',
    ],
    [['--kubeconfig', 'x'], '--kubeconfig is an option of --source kubernetes, and the source is directory'],
    [['--etcd-password-file', 'x'], '--etcd-password-file is an option of --source etcd, and the source is directory'],
    [['--source', 'etcd'], '--etcd-endpoints is missing: give members as https://10.0.0.1:2379'],
    [['--source', 'etcd', '--etcd-endpoints', 'a'], '--etcd-endpoints: "a": give members as https://10.0.0.1:2379'],
    [[...etcd, '--etcd-prefix', ''], '--etcd-prefix is empty: give what the keys begin with'],
    [[...etcd, '--etcd-cert', 'x'], '--etcd-key is missing: it goes with cert'],
    [[...etcd, '--etcd-user', 'x'], '--etcd-password-file is missing: it goes with user'],
    [[...etcd, '--etcd-password-file', '/nonexistent'], /^--etcd-password-file can not be read: ENOENT/],
    [['--source', 'x'], /argument 'x' is invalid\. Allowed choices are directory, kubernetes, etcd/],
  ] as const
  for (const [options, message] of cases) {
    const { status, stderr } = await run(['proxy', 'explain', ...options, ...FLOW])
    t.match(stderr.replace(/^(ts-ipvs|error): /, ''), message, options.join(' '))
    t.equal(status, 2)
  }
})

t.test('an API server is a source: nothing is given and no endpoints are made here', async t => {
  const { run } = await cli()
  const server = await FakeApiServer.start()
  t.teardown(() => server.stop())
  for (const object of [web, slice]) server.put(object)
  server.put({ ...web, metadata: { name: 'pending', namespace: 'default' }, spec: { ports: [{ port: 81 }] } })
  const kubeconfig = join(folder, 'kubeconfig')
  const cluster = { server: server.url, 'insecure-skip-tls-verify': true }
  const config = {
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  }
  await writeFile(kubeconfig, JSON.stringify(config))
  const source = ['--source', 'kubernetes', '--kubeconfig', kubeconfig, '--context', 'x', '--service-cidr', '10.96.0.0/24']
  const { status, stdout, stderr } = await run(['proxy', 'explain', ...source, ...state, '--node', 'one', '--json', ...FLOW])
  t.equal(stderr, '')
  t.equal(status, 0)
  t.match(JSON.parse(stdout), { verdict: 'accept', service: 'default/web', endpoints: ['10.244.0.5:8080'] })
  t.ok(server.asked.some(({ query }) => query.fieldSelector === 'metadata.name=one'))
  for (const address of ['10.96.0.0', '10.96.0.1', '10.96.0.2']) {
    const { stdout } = await run([
      'proxy',
      'explain',
      ...source,
      ...state,
      '--json',
      '--from',
      '10.9.0.1',
      'tcp',
      `${address}:81`,
    ])
    t.not(JSON.parse(stdout).service, 'default/pending', address)
  }
})

t.test('etcd is a source: what an API server would do is done here', { skip }, async t => {
  const { run } = await cli()
  const server = await EtcdServer.start(t)
  await server.put('/lb/web', JSON.stringify({ ...web, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }))
  const pod = {
    kind: 'Pod',
    metadata: { name: 'p', labels: { app: 'web' } },
    spec: { nodeName: 'one' },
    status: { podIP: '10.244.0.7', phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  }
  await server.put('/lb/pod', JSON.stringify(pod))
  const password = join(folder, 'password')
  await writeFile(password, 'secret\n')
  for (const args of [
    ['user', 'add', 'root:secret'],
    ['user', 'grant-role', 'root', 'root'],
    ['auth', 'enable'],
  ])
    await server.ctl(...args)
  const source = ['--source', 'etcd', '--etcd-endpoints', `http://127.0.0.1:1,${server.endpoint}`, '--etcd-prefix', '/lb/']
  const user = ['--etcd-user', 'root', '--etcd-password-file', password]
  const options = [...source, ...user, ...state, '--service-cidr', '10.96.0.10/32', '--json']
  const { status, stdout, stderr } = await run(['proxy', 'explain', ...options, ...FLOW])
  t.equal(stderr, '')
  t.equal(status, 0)
  t.match(JSON.parse(stdout), { verdict: 'accept', service: 'default/web', endpoints: ['10.244.0.7:80'] })
})
