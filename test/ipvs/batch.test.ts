import t, { type Test } from 'tap'
import { ipvs } from '../../lib/index.js'
import type { NetlinkError } from '../../lib/netlink/error.js'
import { type MemoryKernel, type MemoryKernelOptions, memoryKernel } from '../../lib/testing/index.js'

const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr' } as const

async function opened(t: Test, options?: MemoryKernelOptions): Promise<{ kernel: MemoryKernel; lvs: ipvs.IpvsClient }> {
  const kernel = memoryKernel(options)
  const lvs = await ipvs.open({ transport: kernel })
  t.teardown(() => lvs.close())
  return { kernel, lvs }
}

const problems = (results: readonly ipvs.Result[]): string[] =>
  results.map(result => (result.ok ? 'ok' : ((result.error as NetlinkError).problem ?? result.error.name)))

const adds = (count: number, change: object = {}): ipvs.Operation[] =>
  Array.from({ length: count }, (_, i) => ({ operation: 'addVirtualServer', virtualServer: { ...vs, port: 1 + i, ...change } }))

t.test('a failure in the first of many windows disturbs none of the others', async t => {
  const { lvs } = await opened(t)
  await lvs.addVirtualServer({ ...vs, port: 9999 })
  const gone = {
    operation: 'removeRealServer',
    virtualServer: { ...vs, port: 9999 },
    realServer: { address: '10.1.1.1', port: 1 },
  } as const
  const results = await lvs.run([gone, ...adds(4000)])
  t.strictSame(results[0], { ok: true, found: false, missing: 'real-server' })
  t.ok(results.every(result => result.ok))
  t.equal((await lvs.snapshot()).virtualServers.length, 4001)
})

t.test('a scheduler that is missing costs the kernel one search a batch', async t => {
  const { lvs, kernel } = await opened(t, { schedulers: ['rr'] })
  const sent: number[] = []
  const open = kernel.open.bind(kernel)
  kernel.open = options => {
    const socket = open(options)
    const exchange = socket.exchange.bind(socket)
    socket.exchange = (request, ...rest) => {
      sent.push(Buffer.from(request).toString('latin1').split('nosuch').length - 1)
      return exchange(request, ...rest)
    }
    return socket
  }
  const other = await ipvs.open({ transport: kernel })
  const results = await other.run([...adds(700), ...adds(700, { scheduler: 'nosuch', address: '10.0.0.2' })])
  t.strictSame(problems(results), [...Array(700).fill('ok'), ...Array(700).fill('no-such-scheduler')])
  t.equal(
    sent.reduce((sum, n) => sum + n, 0),
    1,
  )
  t.ok(lvs)
})

t.test('what depends on a virtual server that was not made says why it was not', async t => {
  const { lvs } = await opened(t, { schedulers: ['rr'] })
  const server = { address: '10.1.0.1', port: 80 }
  const results = await lvs.run([
    { operation: 'addVirtualServer', virtualServer: { ...vs, scheduler: 'nosuch' } },
    { operation: 'addRealServer', virtualServer: vs, realServer: server },
    { operation: 'addVirtualServer', virtualServer: { ...vs, address: '2001:DB8::1', port: -1 } },
    { operation: 'addVirtualServer', virtualServer: { ...vs, address: '2001:DB8::1', onePacket: true } },
    {
      operation: 'addRealServer',
      virtualServer: { ...vs, address: '2001:db8:0::1' },
      realServer: { ...server, address: 'fd00::1' },
    },
    { operation: 'addVirtualServer', virtualServer: vs },
    { operation: 'addRealServer', virtualServer: vs, realServer: server },
  ])
  t.strictSame(problems(results), [
    'no-such-scheduler',
    'no-such-virtual-server',
    'RangeError',
    'RangeError',
    'no-such-virtual-server',
    'ok',
    'ok',
  ])
  t.match(results[1], { error: { code: 'ESRCH', cause: { problem: 'no-such-scheduler' } } })
  t.match(results[4], { error: { code: 'ESRCH', cause: { name: 'RangeError', message: /one-packet/ } } })
})

t.test('ensure makes what is not there and changes what is', async t => {
  const { lvs } = await opened(t)
  const server = { address: '10.1.0.1', port: 80 }
  for (const weight of [1, 5]) {
    const results = await lvs.run([
      { operation: 'ensureVirtualServer', virtualServer: { ...vs, scheduler: weight === 1 ? 'rr' : 'wrr' } },
      { operation: 'ensureRealServer', virtualServer: vs, realServer: { ...server, weight } },
    ])
    t.strictSame(problems(results), ['ok', 'ok'])
    t.match(await lvs.getRealServer(vs, server), { weight })
  }
  t.match(await lvs.getVirtualServer(vs), { scheduler: 'wrr' })
  t.match(problems(await lvs.run([{ operation: 'ensureRealServer', virtualServer: { ...vs, port: 7 }, realServer: server }])), [
    'no-such-virtual-server',
  ])
})

t.test('what is no operation is a result, what is no list is an error, and the list is taken as it was', async t => {
  const { lvs } = await opened(t)
  const nonsense = [{ operation: 'explode' }, null, { operation: 'zero', virtualServer: null }] as unknown as ipvs.Operation[]
  t.strictSame(problems(await lvs.run(nonsense)), ['TypeError', 'TypeError', 'TypeError'])
  await t.rejects(lvs.run('nonsense' as unknown as ipvs.Operation[]), { name: 'TypeError', message: /give a list/ })
  const list = adds(50)
  const running = lvs.run(list)
  list.length = 0
  t.equal((await running).length, 50)
})

t.test('a module that goes away in the middle leaves what is known', async t => {
  const { lvs, kernel } = await opened(t)
  await lvs.addVirtualServer({ ...vs, port: 9999 })
  kernel.unloadModule()
  const results = await lvs.run(adds(3)).catch((error: NetlinkError) => error.problem)
  t.strictSame(Array.isArray(results) ? problems(results) : results, [
    'family-unavailable',
    'family-unavailable',
    'family-unavailable',
  ])
})
