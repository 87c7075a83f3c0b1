import t, { type Test } from 'tap'
import { ipvs } from '../../lib/index.js'
import type { NetlinkError } from '../../lib/netlink/error.js'
import { type MemoryKernel, memoryKernel } from '../../lib/testing/index.js'

const vs = { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr' } as const

async function opened(t: Test, deadline?: number): Promise<{ kernel: MemoryKernel; lvs: ipvs.IpvsClient }> {
  const kernel = memoryKernel()
  const lvs = await ipvs.open({ transport: kernel, deadline })
  t.teardown(() => lvs.close())
  await lvs.info() // the family is known from here on
  return { kernel, lvs }
}

async function failure(promise: Promise<unknown>): Promise<NetlinkError> {
  try {
    await promise
  } catch (error) {
    return error as NetlinkError
  }
  throw new Error('it should have failed')
}

t.test('a call that was aborted before it was sent changed nothing', async t => {
  const { lvs } = await opened(t)
  const error = await failure(lvs.addVirtualServer(vs, { signal: AbortSignal.abort(new Error('enough')) }))
  t.match(error, {
    code: 'ABORT_ERR',
    problem: 'interrupted',
    applied: 'no',
    operation: 'addVirtualServer',
    cause: { message: 'enough' },
  })
  t.strictSame(await lvs.listVirtualServers().toArray(), [])
})

t.test('a call that is aborted while the kernel works is unknown at once, and the next one works', async t => {
  const { kernel, lvs } = await opened(t)
  const hang = kernel.inject({ fault: 'hang' })
  const controller = new AbortController()
  const stuck = failure(lvs.addVirtualServer(vs, { signal: controller.signal }))
  setImmediate(() => controller.abort())
  t.match(await stuck, { code: 'ABORT_ERR', problem: 'interrupted', applied: 'unknown' })
  await lvs.addVirtualServer({ ...vs, port: 81 })
  t.equal((await lvs.listVirtualServers().toArray()).length, 1)
  hang.release()
})

t.test('a deadline ends a call that the kernel does not come back from', async t => {
  const { kernel, lvs } = await opened(t)
  const hang = kernel.inject({ fault: 'hang' })
  t.match(await failure(lvs.addVirtualServer(vs, { deadline: 0.02 })), {
    code: 'ERR_DEADLINE',
    applied: 'unknown',
    message: /0\.02 s/,
  })
  hang.release()
  for (const deadline of [0, -1, Number.NaN])
    t.match(await failure(lvs.info({ deadline })), { name: 'RangeError', message: /deadline/ })
})

t.test('calls that wait behind a stuck one are interrupted without having been sent', async t => {
  const { kernel, lvs } = await opened(t)
  const hang = kernel.inject({ fault: 'hang' })
  const stuck = failure(lvs.addVirtualServer(vs, { deadline: 0.1 }))
  const behind = failure(lvs.addVirtualServer({ ...vs, port: 81 }, { deadline: 0.02 }))
  t.match(await behind, { code: 'ERR_DEADLINE', applied: 'no' })
  t.match(await stuck, { applied: 'unknown' })
  hang.release()
})

t.test('an interrupted batch says of every operation what became of it', async t => {
  const { kernel, lvs } = await opened(t)
  await lvs.addVirtualServer(vs) // the scheduler has served: windows are full from here on
  const operations = Array.from(
    { length: 3000 },
    (_, i) => ({ operation: 'addVirtualServer', virtualServer: { ...vs, port: 1000 + i } }) as const,
  )
  const hang = kernel.inject({ fault: 'hang', on: 'exchange', skip: 1 })
  const results = await lvs.run(operations, { deadline: 1 })
  hang.release()
  const outcomes = results.map(result => (result.ok ? 'done' : (result.error as NetlinkError).applied))
  const done = outcomes.lastIndexOf('done') + 1
  const unknown = outcomes.lastIndexOf('unknown') + 1
  t.ok(done > 0 && unknown > done && unknown < 3000, 'the first window is done, the second unknown, the rest was not sent')
  t.strictSame(outcomes, [
    ...Array(done).fill('done'),
    ...Array(unknown - done).fill('unknown'),
    ...Array(3000 - unknown).fill('no'),
  ])
})

t.test('answers that were dropped make what may have failed unknown, and nothing else', async t => {
  const { kernel, lvs } = await opened(t)
  kernel.inject({ fault: 'lost-replies', on: 'exchange' })
  t.match(await failure(lvs.addVirtualServer(vs)), { problem: 'reply-lost', applied: 'unknown', code: 'ENOBUFS' })
  t.equal((await lvs.listVirtualServers().toArray()).length, 1, 'it had been carried out')
})

t.test('late and foreign answers belong to nobody', async t => {
  const { kernel, lvs } = await opened(t)
  await lvs.addVirtualServer(vs)
  await failure(lvs.addVirtualServer(vs))
  kernel.inject({ fault: 'late-reply', on: 'exchange' })
  await lvs.addVirtualServer({ ...vs, port: 81 })
  kernel.inject({ fault: 'foreign-reply', on: 'exchange' })
  await lvs.addVirtualServer({ ...vs, port: 82 })
  t.equal((await lvs.listVirtualServers().toArray()).length, 3)
})

t.test('a kernel that does not answer is told from one that refuses', async t => {
  const { kernel, lvs } = await opened(t)
  kernel.inject({ fault: 'no-reply', on: 'exchange' })
  t.match(await failure(lvs.addVirtualServer(vs, { deadline: 0.05 })), { applied: 'unknown' })
  kernel.inject({ fault: { errno: 105, syscall: 'sendmsg' }, on: 'exchange' })
  t.match(await failure(lvs.addVirtualServer({ ...vs, port: 81 })), { problem: 'no-memory', applied: 'no' })
  t.equal(await lvs.getVirtualServer({ ...vs, port: 81 }), undefined)
})

t.test('after a module was loaded again the client finds it by itself', async t => {
  const { kernel, lvs } = await opened(t)
  await lvs.addVirtualServer(vs)
  kernel.reloadModule()
  t.strictSame(await lvs.listVirtualServers().toArray(), [], 'dumps')
  kernel.reloadModule()
  await lvs.addVirtualServer(vs)
  t.ok(await lvs.getVirtualServer(vs), 'requests')
  kernel.reloadModule()
  const operations = Array.from(
    { length: 2000 },
    (_, i) => ({ operation: 'addVirtualServer', virtualServer: { ...vs, port: 1 + i } }) as const,
  )
  t.ok(
    (await lvs.run(operations)).every(result => result.ok),
    'batches',
  )
  t.equal((await lvs.snapshot()).virtualServers.length, 2000)
  kernel.unloadModule()
  t.match(await failure(lvs.info()), { problem: 'family-unavailable', applied: 'no', message: /modprobe ip_vs/ })
})

t.test('calls run in the order in which they were made, lists among them', async t => {
  const { lvs } = await opened(t)
  const adding = lvs.run(
    Array.from({ length: 500 }, (_, i) => ({ operation: 'addVirtualServer', virtualServer: { ...vs, port: 1 + i } }) as const),
  )
  const listing = lvs.listVirtualServers().toArray()
  const flushing = lvs.flush()
  t.equal((await listing).length, 500)
  await Promise.all([adding, flushing])
  t.strictSame(await lvs.listVirtualServers().toArray(), [])
})

t.test('removing in the middle of a list skips nothing', async t => {
  const { lvs } = await opened(t)
  await lvs.run(
    Array.from({ length: 3000 }, (_, i) => ({ operation: 'addVirtualServer', virtualServer: { ...vs, port: 1 + i } }) as const),
  )
  let seen = 0
  for await (const virtualServer of lvs.listVirtualServers()) {
    seen++
    await lvs.removeVirtualServer(virtualServer)
  }
  t.equal(seen, 3000)
  t.strictSame((await lvs.snapshot()).virtualServers, [])
})

t.test('a reader that stops in the middle leaves a client that works', async t => {
  const { lvs } = await opened(t)
  await lvs.run(
    Array.from({ length: 3000 }, (_, i) => ({ operation: 'addVirtualServer', virtualServer: { ...vs, port: 1 + i } }) as const),
  )
  for await (const _ of lvs.listVirtualServers()) break
  t.equal((await lvs.snapshot()).virtualServers.length, 3000)
})

t.test('close waits for what is in flight, and ends what comes later', async t => {
  const { lvs } = await opened(t)
  const adding = lvs.addVirtualServer(vs)
  await Promise.all([adding, lvs.close(), lvs.close()])
  t.match(await failure(lvs.info()), { code: 'ERR_CLOSED', problem: 'interrupted', applied: 'no' })
})

t.test('a list ends with an error when its client is closed, and when its signal is aborted', async t => {
  for (const end of ['close', 'abort'] as const) {
    const { lvs } = await opened(t)
    await lvs.run(
      Array.from({ length: 3000 }, (_, i) => ({ operation: 'addVirtualServer', virtualServer: { ...vs, port: 1 + i } }) as const),
    )
    const controller = new AbortController()
    const reading = (async () => {
      let seen = 0
      for await (const _ of lvs.listVirtualServers({ signal: controller.signal })) {
        if (seen++ > 0) continue
        if (end === 'close') await lvs.close()
        else controller.abort()
      }
    })()
    t.match(await failure(reading), { problem: 'interrupted', operation: 'listVirtualServers' }, end)
  }
})

t.test('a drain that is aborted says that the weight is 0', async t => {
  const { lvs, kernel } = await opened(t)
  const rs = { address: '10.1.0.1', port: 80, weight: 7 }
  await lvs.addVirtualServer(vs)
  await lvs.addRealServer(vs, rs)
  const client = { address: '10.9.9.9', port: 1234 }
  const connection = { protocol: 'tcp', client, virtual: vs, destination: rs, state: 'ESTABLISHED', expires: 900 }
  const held = kernel.addConnection(connection)
  const controller = new AbortController()
  const draining = lvs.drain(vs, rs, { interval: 0.01, signal: controller.signal, onProgress: () => controller.abort() })
  t.match(await failure(draining), { problem: 'interrupted', operation: 'drain', applied: 'yes', message: /weight back to 7/ })
  t.match(await lvs.getRealServer(vs, rs), { weight: 0, activeConnections: 1 })
  held.end()
  t.match(
    await lvs.drain(vs, rs),
    { outcome: 'drained', removed: true, remaining: 0, weight: 0 },
    'and goes on when it is called again',
  )
  t.match(await lvs.drain(vs, rs), { outcome: 'not-found', removed: false })
})

t.test('after close nothing is read either', async t => {
  const { lvs } = await opened(t)
  await lvs.close()
  for (const call of [() => lvs.sysctls(), () => lvs.globalStatistics(), () => lvs.connections().next()]) {
    t.match(await failure((async () => call())()), { code: 'ERR_CLOSED' })
  }
})
