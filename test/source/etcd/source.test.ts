import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type EtcdOptions, etcdSource } from '../../../lib/source/etcd/source.js'
import { type Reading, reading } from '../support.js'
import { authority } from '../tls.js'
import { EtcdServer, skip } from './server.js'

const service = (name: string, port = 80): string =>
  `kind: Service\nmetadata: {name: ${name}}\nspec: {clusterIP: 10.96.0.1, ports: [{port: ${port}}]}\n`
const json = (name: string, port = 80): string =>
  JSON.stringify({ kind: 'Service', metadata: { name }, spec: { clusterIP: '10.96.0.1', ports: [{ port }] } })

interface Served {
  readonly server: EtcdServer
  readonly source: Reading
}

/** A server with keys, and a source that has read them. */
async function served(t: Test, values: Readonly<Record<string, string>>, options: Partial<EtcdOptions> = {}): Promise<Served> {
  const server = await EtcdServer.start(t)
  for (const [key, value] of Object.entries(values)) await server.put(key, value)
  const source = reading(t, etcdSource({ endpoints: [server.endpoint], ...options }))
  await source.until('everything', source.complete)
  return { server, source }
}

const port = (source: Reading, name: string): unknown => {
  const object = source.objects.get(`Service default/${name}`)
  return object?.kind === 'Service' ? object.spec.ports?.[0]?.port : undefined
}
const names = (source: Reading): readonly string[] => [...source.objects.values()].map(({ metadata }) => metadata.name).sort()

t.test('options that are wrong are refused, with what to give', async t => {
  const endpoints = ['https://10.0.0.1:2379']
  const cases = [
    [{ endpoints: [] }, 'endpoints is missing: give members as https://10.0.0.1:2379'],
    [{ endpoints: ['10.0.0.1:2379'] }, 'endpoints: "10.0.0.1:2379": give members as https://10.0.0.1:2379'],
    [{ endpoints: ['https://a/b'] }, 'endpoints: "https://a/b": give members as https://10.0.0.1:2379'],
    [{ endpoints, prefix: '' }, 'prefix is empty: give what the keys begin with'],
    [{ endpoints: ['http://a'], ca: 'f' }, 'ca is of no use without encryption: give endpoints as https://…'],
    [{ endpoints, cert: 'f' }, 'key is missing: it goes with cert'],
    [{ endpoints, key: 'f' }, 'cert is missing: it goes with key'],
    [{ endpoints, user: 'u' }, 'password is missing: it goes with user'],
    [{ endpoints, password: 'p' }, 'user is missing: it goes with password'],
  ] as const
  for (const [options, message] of cases) t.throws(() => etcdSource(options), { name: 'TypeError', message }, message)
})

t.test('the keys below a prefix are listed, then watched', { skip }, async t => {
  const { server, source } = await served(t, {
    '/ts-ipvs/web': service('web'),
    '/ts-ipvs/deep/er/json': json('json'),
    '/ts-ipvs/deployment': 'kind: Deployment\n',
    '/ts-ipvs': service('beside'),
    '/ts-ipvs0': service('behind'),
  })
  t.same(names(source), ['json', 'web'])
  t.same(source.problems(), [])
  await server.put('/ts-ipvs/web', service('web', 81))
  await source.until('a change', () => port(source, 'web') === 81)
  await server.put('/ts-ipvs/new', service('new'))
  await source.until('an addition', () => source.objects.has('Service default/new'))
  await server.remove('/ts-ipvs/web')
  await source.until('a removal', () => !source.objects.has('Service default/web'))
})

t.test('a list has several pages, and a prefix of its own', { skip }, async t => {
  const server = await EtcdServer.start(t)
  const commands = Array.from({ length: 250 }, (_, i) => `put s/${i} ${JSON.stringify(json(`s${i}`))}\n`)
  for (let i = 0; i < commands.length; i += 100) await server.transaction(commands.slice(i, i + 100))
  const source = reading(t, etcdSource({ endpoints: [server.endpoint], prefix: 's/' }))
  await source.until('everything', source.complete)
  t.equal(source.objects.size, 250)
})

t.test('values that can not be read are told, with line and field, and the rest is served', { skip }, async t => {
  const bad = {
    '/ts-ipvs/empty': '',
    '/ts-ipvs/field': service('field', 0),
    '/ts-ipvs/json': '{"kind":"Service",',
    '/ts-ipvs/several': `${service('a')}---\n${service('b')}`,
    '/ts-ipvs/text': 'nothing',
  }
  const { server, source } = await served(t, { ...bad, '/ts-ipvs/web': service('web') })
  t.same(names(source), ['web'])
  t.match(source.problems(), [
    '/ts-ipvs/empty: is empty: give the manifest of an object, in YAML or JSON',
    '/ts-ipvs/field: spec.ports[0].port: 0: give a whole number from 1 to 65535',
    /^\/ts-ipvs\/json: is no YAML: /,
    '/ts-ipvs/several: has 2 objects: give each a key of its own',
    '/ts-ipvs/text: is no object of Kubernetes: give apiVersion, kind, metadata',
  ])
  for (const key of Object.keys(bad)) await server.remove(key)
  await source.until('nothing wrong', () => source.problems().length === 0)
  await server.put('/ts-ipvs/web', service('web', 0))
  await source.until('something wrong', () => source.problems().length === 1)
  t.same(names(source), [])
})

t.test('of an object at several keys the one counts whose name comes first', { skip }, async t => {
  const { server, source } = await served(t, { '/ts-ipvs/b': service('web', 82), '/ts-ipvs/c': service('web', 83) })
  t.equal(port(source, 'web'), 82)
  t.same(source.problems(), ['/ts-ipvs/c: Service default/web is in /ts-ipvs/b already: that one is served'])
  await server.put('/ts-ipvs/a', service('web', 81))
  await source.until('the first', () => port(source, 'web') === 81)
  await server.remove('/ts-ipvs/b')
  await server.remove('/ts-ipvs/a')
  await source.until('the last', () => port(source, 'web') === 83 && source.problems().length === 0)
  t.notMatch(source.changes, ['- Service default/web'])
})

t.test('etcd that is killed is told, what was read stays, and it is read on when it is back', { skip }, async t => {
  const { server, source } = await served(t, { '/ts-ipvs/web': service('web') })
  await server.kill()
  const refused = /^etcd http:.*: can not be read: .*ECONNREFUSED.*: what was read before is served on$/
  await source.until('the loss', () => source.problems().some(problem => refused.test(problem)))
  t.same(names(source), ['web'])
  t.equal(source.complete(), true)
  await server.run()
  await server.put('/ts-ipvs/new', service('new'))
  await source.until('the rest', () => source.objects.has('Service default/new') && source.problems().length === 0)
})

t.test('what was compacted while the source was away is listed again, and what went meanwhile is told', { skip }, async t => {
  const { server, source } = await served(
    t,
    { '/ts-ipvs/stays': service('stays'), '/ts-ipvs/goes': service('goes') },
    { heartbeat: 500 },
  )
  // Through another port, so that the source stays away while things change.
  await server.kill()
  await source.until('the loss', () => source.problems().length > 0)
  await server.elsewhere(async other => {
    await other.put('/ts-ipvs/new', service('new'))
    await other.remove('/ts-ipvs/goes')
    await other.compact()
  })
  source.changes.length = 0
  await server.run()
  await source.until('the rest', () => source.problems().length === 0 && source.changes.length >= 2)
  t.same([...source.changes].sort(), ['+ Service default/new', '- Service default/goes'])
})

t.test('etcd that was made anew has lower revisions, and is listed', { skip }, async t => {
  const { server, source } = await served(t, {
    '/ts-ipvs/a': service('a'),
    '/ts-ipvs/b': service('b'),
    '/ts-ipvs/c': service('c'),
  })
  await server.forget()
  await server.run()
  await server.put('/ts-ipvs/d', service('d'))
  await source.until('the new state', () => names(source).join() === 'd')
})

t.test('etcd that hangs with its connections open is told', { skip }, async t => {
  const { server, source } = await served(t, { '/ts-ipvs/web': service('web') }, { heartbeat: 500 })
  server.stop()
  t.teardown(() => server.goOn())
  await source.until('the loss', () => source.problems().length > 0)
  t.match(
    source.problems()[0],
    /can not be read: .*(DEADLINE_EXCEEDED|deadline|UNAVAILABLE).*: what was read before is served on$/i,
  )
  server.goOn()
  await server.put('/ts-ipvs/web', service('web', 81))
  await source.until('the rest', () => port(source, 'web') === 81 && source.problems().length === 0)
})

t.test('where one member does not answer the next one is asked, and nothing is wrong', { skip }, async t => {
  const server = await EtcdServer.start(t)
  await server.put('/ts-ipvs/web', service('web'))
  const source = reading(t, etcdSource({ endpoints: ['http://127.0.0.1:1', server.endpoint] }))
  await source.until('everything', source.complete)
  t.same(names(source), ['web'])
  t.same(source.problems(), [])
})

t.test('users and passwords: those who may not read are told', { skip }, async t => {
  const server = await EtcdServer.start(t)
  await server.put('/ts-ipvs/web', service('web'))
  await server.put('/other/b', service('b'))
  for (const user of ['root:secret', 'proxy:open']) await server.ctl('user', 'add', user)
  await server.ctl('role', 'add', 'reader')
  await server.ctl('role', 'grant-permission', 'reader', '--prefix=true', 'read', '/ts-ipvs/')
  await server.ctl('user', 'grant-role', 'proxy', 'reader')
  await server.ctl('user', 'grant-role', 'root', 'root')
  await server.ctl('auth', 'enable')
  const cases = [
    ['all is well', { user: 'proxy', password: 'open' }, undefined],
    ['another password', { user: 'proxy', password: 'x' }, /authentication failed, invalid user ID or password$/],
    ['nobody', {}, /user name is empty$/],
    ['another prefix', { user: 'proxy', password: 'open', prefix: '/other/' }, /permission denied$/],
  ] as const
  for (const [name, options, problem] of cases) {
    const source = reading(t, etcdSource({ endpoints: [server.endpoint], ...options }))
    await source.until(name, () => source.complete() || source.problems().length > 0)
    if (problem) t.match(source.problems()[0], problem, name)
    else t.same(names(source), ['web'], name)
  }
})

t.test('TLS: certificates of clients, and an authority', { skip }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'etcd-tls-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const { ca, other, server: own, client } = authority(folder)
  const options = ['--cert-file', own.cert, '--key-file', own.key, '--client-cert-auth', '--trusted-ca-file', ca]
  const server = await EtcdServer.start(t, { secure: true, options })
  const secret = ['--cacert', ca, '--cert', client.cert, '--key', client.key]
  await server.ctl(...secret, 'put', '/ts-ipvs/web', service('web'))
  await writeFile(join(folder, 'none'), '')
  const cases = [
    ['all is well', { ca, ...client }, undefined],
    ['no certificate', { ca }, /can not be read: /],
    ['another authority', { ca: other, ...client }, /can not be read: .*certificate/],
    ['no such file', { ca: '/nonexistent' }, /can not be read: ENOENT: .*\/nonexistent/],
  ] as const
  for (const [name, access, problem] of cases) {
    const source = reading(t, etcdSource({ endpoints: [server.endpoint], ...access }))
    await source.until(name, () => source.complete() || source.problems().length > 0)
    if (problem) t.match(source.problems()[0], problem, name)
    else t.same(names(source), ['web'], name)
  }
})
