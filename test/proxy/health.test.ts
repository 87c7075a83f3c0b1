import { get } from 'node:http'
import { createServer } from 'node:net'
import t from 'tap'
import { healthCheckAnswer } from '../../lib/proxy/health-ports.js'
import { HealthPorts, ProxyHealth, type ServiceProxy, serve } from '../../lib/proxy/index.js'

/** What of a proxy its health is told from. */
const proxyOf = (fields: Partial<ServiceProxy>): ServiceProxy => fields as ServiceProxy

t.test('a proxy is healthy while what was to be synced was so in time', async t => {
  let now = 1_800_000_000_000
  const health = new ProxyHealth({ clock: () => now })
  health.opened(proxyOf({ nodeEligible: true }))
  const steps: readonly [seconds: number, event: 'told' | 'synced' | 'failed' | 'drifted' | undefined, healthy: boolean][] = [
    [0, undefined, true],
    [59, undefined, true],
    [2, undefined, false],
    [0, 'synced', true],
    [1000, undefined, true],
    [0, 'told', true],
    [50, 'told', true],
    [11, undefined, false],
    [0, 'synced', true],
    [5, 'failed', true],
    [40, 'failed', true],
    [21, undefined, false],
    [0, 'synced', true],
    [5, 'drifted', true],
    [61, undefined, false],
  ]
  for (const [seconds, event, healthy] of steps) {
    now += 1000 * seconds
    if (event) health[event]()
    t.equal(health.healthy, healthy, `${seconds} s later, ${event ?? 'nothing'}`)
    t.equal(health.answer('/livez')?.status, healthy ? 200 : 503)
    t.equal(health.answer('/healthz')?.status, healthy ? 200 : 503)
  }
})

t.test('healthz and livez answer as those of kube-proxy', async t => {
  const now = Date.parse('2026-01-02T03:04:05Z')
  const health = new ProxyHealth({ clock: () => now })
  const headers = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' }
  const times = { lastUpdated: '2026-01-02T03:04:05.000Z', currentTime: '2026-01-02T03:04:05.000Z' }
  for (const nodeEligible of [true, false]) {
    health.opened(proxyOf({ nodeEligible }))
    const body = JSON.stringify({ ...times, nodeEligible })
    t.strictSame(health.answer('/healthz'), { status: nodeEligible ? 200 : 503, headers, body })
    t.strictSame(health.answer('/livez'), { status: 200, headers, body: JSON.stringify(times) }, 'livez asks for the proxy alone')
  }
  t.equal(health.answer('/'), undefined)
})

t.test('a health-check node port answers as that of kube-proxy', async t => {
  const check = { service: 'shop/web', port: 30100, local: { ipv4: 2, ipv6: 0 } }
  const headers = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' }
  const body = (endpoints: number, healthy: boolean): string =>
    [
      '{',
      '\t"service": {',
      '\t\t"namespace": "shop",',
      '\t\t"name": "web"',
      '\t},',
      `\t"localEndpoints": ${endpoints},`,
      `\t"serviceProxyHealthy": ${healthy}`,
      '}',
    ].join('\n')
  const weight = (count: string) => ({ ...headers, 'x-load-balancing-endpoint-weight': count })
  t.strictSame(healthCheckAnswer(check, 'ipv4', true), { status: 200, headers: weight('2'), body: body(2, true) })
  t.strictSame(healthCheckAnswer(check, 'ipv6', true), { status: 503, headers: weight('0'), body: body(0, true) })
  t.strictSame(healthCheckAnswer(check, 'ipv4', false), { status: 503, headers: weight('2'), body: body(2, false) })
})

/** One that is free now. */
async function freePort(): Promise<number> {
  const { port, close } = await serve({ address: '127.0.0.1', port: 0 }, () => undefined)
  await close()
  return port
}

const statusAt = (port: number, host = '127.0.0.1'): Promise<number | string | undefined> =>
  new Promise(resolve => {
    get({ host, port, agent: false }, response => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })

t.test('health-check node ports follow Services, endpoints and addresses', async t => {
  const health = new ProxyHealth()
  await using ports = new HealthPorts(health)
  const port = await freePort()
  const see = async (fields: Partial<ServiceProxy>): Promise<void> => {
    ports.opened(proxyOf(fields))
    ports.synced()
    await ports.settled()
  }
  const check = (ipv4: number, at = port) => ({ service: 'default/web', port: at, local: { ipv4, ipv6: 0 } })
  await see({ healthChecks: [check(1)], nodePortAddresses: ['127.0.0.1', '127.0.0.2'] })
  t.equal(await statusAt(port), 200)
  t.equal(await statusAt(port, '127.0.0.2'), 200)
  await see({ healthChecks: [check(0)], nodePortAddresses: ['127.0.0.1'] })
  t.equal(await statusAt(port), 503)
  t.equal(await statusAt(port, '127.0.0.2'), 'ECONNREFUSED', 'node ports are not served there any more')
  const next = await freePort()
  await see({ healthChecks: [check(3, next)], nodePortAddresses: ['127.0.0.1'] })
  t.equal(await statusAt(port), 'ECONNREFUSED')
  t.equal(await statusAt(next), 200)
  await see({ healthChecks: [], nodePortAddresses: ['127.0.0.1'] })
  t.equal(await statusAt(next), 'ECONNREFUSED')
  t.same(ports.problems, [])
})

t.test('a port that is in use is a problem, until it is free', async t => {
  const log: string[] = []
  await using ports = new HealthPorts(new ProxyHealth(), (_, message) => log.push(message))
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  ports.opened(
    proxyOf({
      healthChecks: [{ service: 'default/web', port, local: { ipv4: 1, ipv6: 0 } }],
      nodePortAddresses: ['127.0.0.1'],
    }),
  )
  for (let i = 0; i < 2; i++) {
    ports.synced()
    await ports.settled()
    t.match(ports.problems, [
      {
        where: 'default/web',
        field: 'spec.healthCheckNodePort',
        message: new RegExp(`^127.0.0.1 can not be listened on at port ${port}: .*EADDRINUSE`),
      },
    ])
  }
  t.equal(log.length, 1, 'told once')
  await new Promise(resolve => other.close(resolve))
  ports.synced()
  await ports.settled()
  t.same(ports.problems, [])
  t.equal(await statusAt(port), 200)
})

t.test('of two Services with one health-check node port the first has it', async t => {
  await using ports = new HealthPorts(new ProxyHealth())
  const port = await freePort()
  const check = (service: string, ipv4: number) => ({ service, port, local: { ipv4, ipv6: 0 } })
  ports.opened(proxyOf({ healthChecks: [check('default/a', 1), check('default/b', 0)], nodePortAddresses: ['127.0.0.1'] }))
  ports.synced()
  await ports.settled()
  t.equal(await statusAt(port), 200)
  t.same(ports.problems, [{ where: 'default/b', field: 'spec.healthCheckNodePort', message: `${port} is default/a's already` }])
})
