/** What a memory kernel can be told to do wrong, as a client sees it. */
import t from 'tap'
import type { Reply } from '../../lib/netlink/transport.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { addService, type Booted, boot, bootAfter, dest, full, key, limit } from './support.js'
import { messages } from './wire.js'

const error = (promise: Promise<unknown>): Promise<unknown> => promise.catch((reason: unknown) => reason)
const isThere = async (booted: Booted): Promise<boolean> => (await booted.do('getService', { service: key })).code === 'OK'

/** A kernel whose client knows the number of the family, so that the next call is the one that a test is about. */
async function ready(): Promise<Booted> {
  const booted = boot()
  await booted.family.resolve(limit())
  return booted
}

t.test('lost replies: the request was carried out, and the client asks what became of it', async t => {
  const booted = await ready()
  const { kernel } = booted
  const injected = kernel.inject({ fault: 'lost-replies' })
  t.match(await error(booted.do(...addService)), { problem: 'reply-lost', applied: 'unknown' })
  t.ok(await isThere(booted))
  t.equal(injected.struck, 1)
})

t.test('lost replies of a dump end it', async t => {
  const booted = await bootAfter([addService])
  booted.kernel.inject({ on: 'page', fault: 'lost-replies' })
  t.match(await error(booted.dump('getService')), { problem: 'reply-lost' })
  t.equal((await booted.dump('getService')).records.length, 1)
})

t.test('late and foreign replies belong to nobody', async t => {
  for (const fault of ['late-reply', 'foreign-reply'] as const) {
    const booted = await bootAfter([addService])
    t.equal((await booted.do('delService', {})).code, 'EINVAL')
    booted.kernel.inject({ fault })
    t.equal((await booted.do('newDest', { service: key, dest })).code, 'OK', fault)
    booted.kernel.inject({ on: 'page', fault })
    t.equal((await booted.dump('getDest', { service: key })).records.length, 1, fault)
  }
})

t.test('they come first, on the socket itself', async t => {
  const kernel = memoryKernel()
  const socket = kernel.open({ protocol: 16 })
  const sequences = (reply: Reply): number[] => messages(reply).map(({ sequence }) => sequence)
  const noop = (sequence: number): Uint8Array => new Uint8Array(Uint32Array.of(16, 0x0005_0001, sequence, 0).buffer)
  await socket.exchange(noop(1), 1, 1000)
  kernel.inject({ fault: 'late-reply' })
  const late = await socket.exchange(noop(2), 2, 1000)
  t.match(late, { datagrams: 2, complete: true })
  t.strictSame(sequences(late), [1, 2])
  kernel.inject({ fault: 'foreign-reply' })
  const foreign = await socket.exchange(noop(3), 3, 1000)
  t.strictSame(sequences(foreign), [0xfffffff0, 3])
})

t.test('a kernel that does not come back does nothing until it is let go', async t => {
  const booted = await ready()
  const hanging = booted.kernel.inject({ on: 'exchange', fault: 'hang' })
  t.match(await error(booted.family.request(1, 4, undefined, limit(0.01))), { code: 'ERR_DEADLINE', applied: 'unknown' })
  t.notOk(await isThere(booted), 'on a new socket')
  let closed = false
  const closing = booted.family.channel.close().then(() => {
    closed = true
  })
  await new Promise(resolve => setImmediate(resolve))
  t.notOk(closed, 'the old one is still in the kernel')
  hanging.release()
  await closing
})

t.test('what hangs is carried out when it is let go', async t => {
  const booted = await ready()
  const hanging = booted.kernel.inject({ fault: 'hang' })
  const answer = booted.do(...addService)
  await new Promise(resolve => setImmediate(resolve))
  hanging.release()
  t.equal((await answer).code, 'OK')
})

t.test('no reply at all ends with the time', async t => {
  const kernel = memoryKernel()
  const socket = kernel.open({ protocol: 16 })
  kernel.inject({ fault: 'no-reply' })
  const noop = new Uint8Array(Uint32Array.of(16, 0x0005_0001, 1, 0).buffer)
  t.match(await socket.exchange(noop, 1, 5), { errno: 110, syscall: 'poll', sent: 16, complete: false, data: { length: 0 } })
  t.match(await socket.exchange(noop, 1, 5), { errno: 0, complete: true })
})

t.test('a system call fails before the request is carried out, or after', async t => {
  for (const [syscall, errno, there, applied] of [
    ['sendmsg', 105, false, 'no'],
    ['recvmsg', 4, true, 'unknown'],
    ['poll', 12, true, 'unknown'],
  ] as const) {
    const booted = await ready()
    booted.kernel.inject({ on: 'exchange', fault: { errno, syscall } })
    t.match(await error(booted.do(...addService)), { errno: -errno, syscall, applied })
    t.equal(await isThere(booted), there, syscall)
  }
})

t.test('malformed replies are whole messages with nothing in them', async t => {
  const booted = await bootAfter([addService])
  booted.kernel.inject({ fault: 'malformed-reply' })
  t.strictSame((await booted.do('getService', { service: key })).records[0]?.service, undefined)
  t.equal((await booted.do('getService', { service: key })).records[0]?.service?.scheduler, 'rr')
})

t.test('a fault strikes the calls that it is meant for, as often as it is told, and can be withdrawn', async t => {
  const booted = await ready()
  const fault = { errno: 5, syscall: 'recvmsg' } as const
  const injected = booted.kernel.inject({ on: 'exchange', fault, skip: 1, times: 2 })
  const outcomes: unknown[] = []
  for (let i = 0; i < 4; i++) outcomes.push(await error(booted.family.request(17, 4, undefined, limit())))
  t.strictSame(
    outcomes.map(outcome => outcome instanceof Error),
    [false, true, true, false],
  )
  t.equal(injected.struck, 2)

  booted.kernel.inject({ on: 'dumpMany', fault })
  t.equal((await booted.do('newService', { service: full })).code, 'OK', 'this one is not for it')
  t.ok((await error(booted.family.dumpMany(4, [() => {}], limit()))) instanceof Error)

  booted.kernel.inject({ fault }).release()
  t.ok(await isThere(booted))
})
