import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { kubernetesSource } from '../../../lib/source/api-server/source.js'
import { type Reading, reading } from '../support.js'
import { authority } from '../tls.js'
import { FakeApiServer, type FakeObject, type FakeOptions } from './fake.js'

const service = (name: string, port = 80, metadata: object = {}): FakeObject => ({
  kind: 'Service',
  metadata: { name, namespace: 'default', ...metadata },
  spec: { clusterIP: '10.96.0.1', ports: [{ port }] },
})
const slice = (name: string, ...addresses: readonly string[]): FakeObject => ({
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true, serving: null } })),
  ports: [{ port: 80 }],
})
const node = (name: string): FakeObject => ({
  kind: 'Node',
  metadata: { name },
  status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }], images: [{ names: ['a'] }] },
})

interface Role {
  readonly kind: string
  readonly rules?: readonly { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] }[]
}

interface Kubeconfig {
  readonly server?: string
  readonly cluster?: object
  readonly user?: object
}

/** A kubeconfig, in JSON, which is YAML. */
async function kubeconfig(t: Test, { server, cluster = { 'insecure-skip-tls-verify': true }, user = {} }: Kubeconfig) {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'config')
  const config = {
    clusters: [{ name: 'here', cluster: { server, ...cluster } }],
    users: [{ name: 'me', user }],
    contexts: [
      { name: 'me@here', context: { cluster: 'here', user: 'me' } },
      { name: 'nobody@here', context: { cluster: 'here', user: 'nobody' } },
      { name: 'me@nowhere', context: { cluster: 'nowhere', user: 'me' } },
    ],
    'current-context': 'me@here',
  }
  await writeFile(file, JSON.stringify(config))
  return file
}

interface Served {
  readonly server: FakeApiServer
  readonly source: Reading
}

/** A server with objects, and a source that has read them. */
async function served(
  t: Test,
  objects: readonly FakeObject[],
  options: FakeOptions = {},
  user: object = {},
  silence?: number,
): Promise<Served> {
  const server = await FakeApiServer.start(options)
  t.teardown(() => server.stop())
  for (const object of objects) server.put(object)
  const source = reading(
    t,
    kubernetesSource({ kubeconfig: await kubeconfig(t, { server: server.url, user }), node: 'one', silence }),
  )
  await source.until('everything', source.complete)
  while (server.watching < 3) await pause(5)
  return { server, source }
}

const port = (source: Reading, name: string): unknown => {
  const object = source.objects.get(`Service default/${name}`)
  return object?.kind === 'Service' ? object.spec.ports?.[0]?.port : undefined
}

t.test('Services, their slices and the own Node are listed, then watched', async t => {
  const { server, source } = await served(t, [service('web'), slice('web-1', '10.0.0.1'), node('one'), node('two')])
  t.same([...source.objects.keys()].sort(), ['EndpointSlice default/web-1', 'Node one', 'Service default/web'])
  t.same(source.problems(), [])
  server.put(service('web', 81))
  await source.until('a change', () => port(source, 'web') === 81)
  server.put(service('new'))
  await source.until('an addition', () => source.objects.has('Service default/new'))
  server.remove(service('web'))
  await source.until('a removal', () => !source.objects.has('Service default/web'))
  t.match(server.asked.filter(({ query }) => query.watch === 'true')[0]?.query, {
    allowWatchBookmarks: 'true',
    timeoutSeconds: /^[345]\d\d$/,
  })
})

t.test('what is asked for is what the ClusterRole of examples/ allows', async t => {
  const { server } = await served(t, [])
  const file = await readFile(new URL('../../../../../examples/kubernetes-rbac.yaml', import.meta.url), 'utf8')
  const role = parseAllDocuments(file)
    .map(document => document.toJS() as Role)
    .find(({ kind }) => kind === 'ClusterRole')
  const allowed = (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap(group => resources.flatMap(resource => verbs.map(verb => `${verb} ${group} ${resource}`))),
  )
  const asked = new Set(
    server.asked.map(({ path, query }) => {
      const [, group = '', resource] = /^\/(?:api|apis\/([^/]+))\/v1\/(\w+)$/.exec(path) ?? []
      return `${query.watch ? 'watch' : 'list'} ${group} ${resource}`
    }),
  )
  t.same([...asked].sort(), allowed.filter(one => !one.startsWith('get')).sort())
})

t.test('only fields that are read are kept', async t => {
  const applied = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'ts-ipvs.dev/scheduler': 'mh' }
  const { source } = await served(t, [service('web', 80, { annotations: applied }), node('one'), slice('s', '10.0.0.1')])
  t.same(source.objects.get('Service default/web'), {
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', annotations: { 'ts-ipvs.dev/scheduler': 'mh' } },
    spec: { clusterIP: '10.96.0.1', ports: [{ port: 80 }] },
  })
  t.same(source.objects.get('Node one'), {
    kind: 'Node',
    metadata: { name: 'one' },
    status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
  })
  t.match(source.objects.get('EndpointSlice default/s'), {
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
  })
})

t.test('what is for another proxy, and headless, is left out; what becomes so goes', async t => {
  const other = { labels: { 'service.kubernetes.io/service-proxy-name': '' } }
  const headless = { labels: { 'service.kubernetes.io/headless': '' } }
  const { server, source } = await served(t, [service('web'), service('other', 80, other), service('headless', 80, headless)])
  t.same([...source.objects.keys()], ['Service default/web'])
  server.put(service('web', 80, other))
  await source.until('a label', () => source.objects.size === 0)
  server.put(service('other'))
  await source.until('no label', () => source.objects.has('Service default/other'))
})

t.test('lists are read in pages, and at once where the rest of the pages is forgotten', async t => {
  for (const forgotten of [false, true]) {
    const server = await FakeApiServer.start()
    t.teardown(() => server.stop())
    server.limitsCachedLists = true
    for (let i = 0; i < 1200; i++) server.put(service(`s${i}`))
    let pages = 0
    server.afterPage = () => {
      pages++
      server.put(service('late'))
      if (forgotten) server.forget()
    }
    const source = reading(t, kubernetesSource({ kubeconfig: await kubeconfig(t, { server: server.url }) }))
    await source.until('everything', () => source.complete() && source.objects.has('Service default/late'))
    t.equal(source.objects.size, 1201)
    t.equal(pages, forgotten ? 1 : 2)
    const lists = server.asked.filter(({ path, query }) => path === '/api/v1/services' && !query.watch).map(({ query }) => query)
    t.match(lists[0], { limit: '500', resourceVersion: '0', resourceVersionMatch: 'NotOlderThan' })
    t.equal(lists[1]?.resourceVersion, undefined)
    t.equal(lists.at(-1)?.limit, forgotten ? undefined : '500')
  }
})

t.test('what changes between a list and its watch is told', async t => {
  const server = await FakeApiServer.start()
  t.teardown(() => server.stop())
  server.put(service('web'))
  server.put(service('old'))
  server.afterList = path => {
    server.afterList = () => {}
    t.equal(path, '/api/v1/nodes')
    server.afterList = () => {
      server.afterList = () => {}
      server.put(service('web', 81))
      server.remove(service('old'))
    }
  }
  const source = reading(t, kubernetesSource({ kubeconfig: await kubeconfig(t, { server: server.url }) }))
  await source.until('the change', () => port(source, 'web') === 81 && !source.objects.has('Service default/old'))
})

for (const expiredAs of ['event', 'status'] as const)
  t.test(
    `where what happened is forgotten (410 as ${expiredAs}) it is listed again, and what went meanwhile is told`,
    async t => {
      const { server, source } = await served(t, [service('stays'), service('changes'), service('goes')])
      server.expiredAs = expiredAs
      server.refusals.set('/api/v1/services', { status: 503 })
      server.cut()
      await source.until('the loss', () => source.problems().length > 0)
      server.put(service('changes', 81))
      server.remove(service('goes'))
      server.put(service('new'))
      server.forget()
      source.changes.length = 0
      server.refusals.clear()
      await source.until('the rest', () => source.problems().length === 0 && source.changes.length >= 3)
      t.same([...source.changes].sort(), ['+ Service default/changes', '+ Service default/new', '- Service default/goes'])
      t.same(server.asked.findLast(({ query }) => query.limit)?.query.resourceVersion, undefined, 'the most recent list')
    },
  )

t.test('a watch goes on from a bookmark, after its end and after a cut', async t => {
  const { server, source } = await served(t, [service('web')])
  const watched = () => server.asked.filter(({ path, query }) => path === '/api/v1/services' && query.watch)
  for (const [way, end] of [
    ['end', () => server.endWatches()],
    ['cut', () => server.cut()],
  ] as const) {
    server.bookmark()
    const before = watched().length
    await pause(50)
    end()
    server.put(service(way))
    await source.until(way, () => source.objects.has(`Service default/${way}`))
    t.equal(watched().length, before + 1)
    t.ok(Number(watched().at(-1)?.query.resourceVersion) > Number(watched().at(-2)?.query.resourceVersion))
  }
  t.equal(server.asked.filter(({ query }) => query.limit).length, 3, 'nothing is listed again')
})

t.test('a connection that is half open is given up, and what happened meanwhile is told', async t => {
  const { server, source } = await served(t, [service('web')], {}, {}, 300)
  server.silent = true
  server.put(service('web', 81))
  await source.until('the loss', () => source.problems().some(problem => problem.includes('nothing came for 0.3 s')))
  t.match(source.problems()[0], /^http:.*\/\w+: can not be read: nothing came for 0\.3 s: what was read before is served on$/)
  t.equal(port(source, 'web'), 80)
  server.silent = false
  // Of other kinds nothing happens: only that keeps their connections from being given up again.
  const beat = setInterval(() => server.bookmark(), 50)
  t.teardown(() => clearInterval(beat))
  await source.until('the change', () => port(source, 'web') === 81 && source.problems().length === 0)
})

t.test('a server that goes away is told, what was read stays, and it is read again when it is back', async t => {
  const { server, source } = await served(t, [service('web'), service('goes')])
  const { port: number } = server
  await server.stop()
  await source.until('the loss', () => {
    const refused = /can not be read: connect ECONNREFUSED .*: what was read before is served on$/
    return source.problems().filter(problem => refused.test(problem)).length === 3
  })
  t.equal(source.complete(), true)
  t.equal(source.objects.size, 2)
  server.remove(service('goes'))
  await server.listen(number)
  await source.until('the rest', () => source.problems().length === 0 && source.objects.size === 1)
})

t.test('refusals are told with what to do, and tried again', async t => {
  const cases = [
    [{ status: 401, message: 'Unauthorized' }, /401 Unauthorized: the server does not know these credentials$/],
    [{ status: 403, message: 'services is forbidden' }, /403 services is forbidden: give the account a ClusterRole/],
    [{ status: 404, message: 'not found' }, /404 not found: Kubernetes has had it since 1\.21/],
    [{ status: 429, message: 'too many requests', retryAfter: 1 }, /429 too many requests$/],
    [{ status: 500, message: 'etcdserver: leader changed' }, /500 etcdserver: leader changed$/],
    [{ status: 502, body: '<html>' }, /502 Bad Gateway$/],
    [{ status: 200, body: '{"kind":"ServiceList","items":[' }, /answered with something that is no JSON/],
    [{ status: 200, body: '{}' }, /answered with something that is no list of objects$/],
    [
      { status: 200, body: '{"metadata":{"resourceVersion":"1"},"items":[{"a":1}]}' },
      /answered with something that is no object$/,
    ],
  ] as const
  await Promise.all(
    cases.map(async ([refusal, problem]) => {
      const server = await FakeApiServer.start()
      t.teardown(() => server.stop())
      server.put(service('web'))
      server.refusals.set('/api/v1/services', refusal)
      const source = reading(t, kubernetesSource({ kubeconfig: await kubeconfig(t, { server: server.url }) }))
      await source.until('the refusal', () => source.problems().length > 0)
      t.match(source.problems()[0], problem)
      t.equal(source.complete(), false)
      if ('retryAfter' in refusal) {
        const lists = () => server.asked.filter(({ path }) => path === '/api/v1/services').length
        const before = lists()
        await pause(700)
        t.equal(lists(), before, 'it waits as long as it is asked to')
      }
      server.refusals.clear()
      await source.until('everything', source.complete)
      t.same(source.problems(), [])
      t.same([...source.objects.keys()], ['Service default/web'])
    }),
  )
})

t.test('an object that can not be read is told with its field, and the rest is served', async t => {
  const { server, source } = await served(t, [service('web'), { ...service('bad'), spec: { ports: [{ port: 0 }] } }])
  t.same(source.problems(), ['Service default/bad: spec.ports[0].port: 0: give a whole number from 1 to 65535'])
  t.same([...source.objects.keys()], ['Service default/web'])
  server.put(service('bad'))
  await source.until('the repair', () => source.problems().length === 0 && source.objects.size === 2)
  server.put({ ...service('web'), spec: { type: 'Other' } })
  await source.until('another', () => source.problems().length === 1)
  t.same([...source.objects.keys()], ['Service default/bad'])
  server.remove(service('web'))
  await source.until('its removal', () => source.problems().length === 0)
})

t.test('events that make no sense begin the watch anew', async t => {
  const { server, source } = await served(t, [service('web')])
  for (const line of ['{', '{"type":"ADDED"}', '{"type":"ERROR","object":{"kind":"Status","code":500,"message":"internal"}}']) {
    const before = server.asked.length
    server.raw(line)
    server.put(service('web', server.asked.length))
    await source.until(line, () => port(source, 'web') === before)
  }
})

t.test('TLS: certificates of clients, tokens, and an authority', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const { ca, other, server: own, client: pair } = authority(folder)
  const [authorities, cert, key] = await Promise.all([ca, own.cert, own.key].map(file => readFile(file)))
  const tls = { ca: authorities ?? '', cert: cert ?? '', key: key ?? '', requestCert: true, rejectUnauthorized: true }
  const server = await FakeApiServer.start({ tls, token: 'secret' })
  t.teardown(() => server.stop())
  server.put(service('web'))
  const client = { 'client-certificate': pair.cert, 'client-key': pair.key }
  const cases = [
    ['all is well', ca, { ...client, token: 'secret' }, undefined],
    ['another token', ca, { ...client, token: 'other' }, /401 Unauthorized/],
    ['no certificate', ca, { token: 'secret' }, /can not be read: .*(certificate|ECONNRESET|socket hang up)/i],
    ['another authority', other, { ...client, token: 'secret' }, /can not be read: .*certificate/],
  ] as const
  for (const [name, trusted, user, problem] of cases) {
    const config = await kubeconfig(t, { server: server.url, cluster: { 'certificate-authority': trusted }, user })
    const source = reading(t, kubernetesSource({ kubeconfig: config }))
    await source.until(name, () => source.complete() || source.problems().length > 0)
    if (problem) t.match(source.problems()[0], problem, name)
    else t.same([...source.objects.keys()], ['Service default/web'], name)
  }
})

t.test('where nothing says which server, or what says it is wrong, it says what to do', async t => {
  const server = 'https://127.0.0.1:1'
  const file = await kubeconfig(t, { server })
  const broken = join(file, '../broken')
  await writeFile(broken, '{')
  const cases = [
    ['no file', { kubeconfig: '/nonexistent' }, /^the kubeconfig \/nonexistent can not be read: ENOENT/],
    ['no kubeconfig', { kubeconfig: broken }, /^the kubeconfig .*broken can not be read: /],
    [
      'no such context',
      { kubeconfig: file, context: 'x' },
      /^the kubeconfig has no context "x": give me@here or nobody@here or me@nowhere$/,
    ],
    [
      'no such cluster',
      { kubeconfig: file, context: 'me@nowhere' },
      /no cluster with an address of a server, as https:\/\/…, for the context "me@nowhere"$/,
    ],
    ['no such user', { kubeconfig: file, context: 'nobody@here' }, /no user for the context "nobody@here"$/],
    ['no server', { kubeconfig: await kubeconfig(t, {}) }, /can not be read: clusters\[0\]\.cluster\.server is missing$/],
    ['no address', { kubeconfig: await kubeconfig(t, { server: '127.0.0.1:1' }) }, /no cluster with an address of a server/],
    ['no TLS', { kubeconfig: await kubeconfig(t, { server: 'http://a', cluster: {} }) }, /^http:\/\/a is not encrypted: /],
  ] as const
  for (const [name, options, message] of cases)
    await t.rejects(
      kubernetesSource(options).updates(new AbortController().signal)[Symbol.asyncIterator]().next(),
      { message },
      name,
    )
  const { HOME, KUBECONFIG } = process.env
  t.teardown(() => Object.assign(process.env, HOME === undefined ? {} : { HOME }, KUBECONFIG === undefined ? {} : { KUBECONFIG }))
  delete process.env.KUBECONFIG
  process.env.HOME = '/nonexistent'
  const next = () => kubernetesSource().updates(new AbortController().signal)[Symbol.asyncIterator]().next()
  await t.rejects(next(), { message: /^nothing says where the API server is: give --kubeconfig FILE, or set KUBECONFIG/ })
  process.env.KUBECONFIG = '/nonexistent/a:/nonexistent/b'
  await t.rejects(next(), { message: /^the kubeconfig \/nonexistent\/a:\/nonexistent\/b can not be read: / })
})
