import { createServer } from 'node:net'
import t from 'tap'
import { addon, barrier, open } from './support.js'

const { exchange, page, dumpMany, subscribe, ref, unref, join, leave, close, namespaceOf, openIn } = addon as unknown as Record<
  string,
  (...values: unknown[]) => unknown
>

t.test('what is no socket of ours is refused', async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  // An External that node made: it too points to memory, but not to ours.
  const foreign = (server as unknown as { _handle: { _externalStream: unknown } })._handle._externalStream
  t.equal(Object.prototype.toString.call(foreign), '[object Object]')
  for (const value of [undefined, null, 1, 'socket', {}, [], () => {}, foreign, Object.create(open()), new Proxy(open(), {})]) {
    for (const call of [exchange, page, dumpMany, subscribe, ref, unref, join, leave, close, namespaceOf])
      t.throws(() => call?.(value, barrier(1), 1, 1, 1), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  }
  server.close()
})

t.test('arguments of a wrong type are refused, and the socket is as it was', async t => {
  const socket = open()
  const calls: readonly (() => unknown)[] = [
    () => addon.open(undefined as never),
    () => addon.open({} as never),
    () => addon.open({ protocol: 16, groups: ['1'] } as never),
    () => exchange?.(socket, 'bytes', 1, 1),
    () => exchange?.(socket, null, 1, 1),
    () => exchange?.(socket, barrier(1), '1', 1),
    () => exchange?.(socket, barrier(1), 1),
    () => page?.(socket, undefined, 1, 1, 1),
    () => page?.(socket, null, 1, 1n, 1),
    () => dumpMany?.(socket, null, 1),
    () => subscribe?.(socket),
    () => join?.(socket, '1'),
    () => openIn?.(1, 2, 3),
  ]
  for (const call of calls) t.throws(call, { name: 'TypeError' })
  t.ok((await addon.exchange(socket, barrier(1), 1, 1000)).complete)
  await addon.close(socket)
})

t.test('what a getter throws comes through, be it an error or not', t => {
  for (const thrown of [new Error('mine'), null, undefined, 1]) {
    const options = {
      get protocol(): number {
        throw thrown
      },
    }
    try {
      addon.open(options)
      t.fail('it did not throw')
    } catch (caught) {
      t.equal(caught, thrown)
    }
  }
  t.end()
})
