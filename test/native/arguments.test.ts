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

t.test('arguments of a wrong type are refused', async t => {
  const socket = open()
  const options = (values: object) => () => addon.open({ protocol: 16, ...values } as never)
  const calls: readonly (() => unknown)[] = [
    () => addon.open({} as never),
    options({ protocol: '16' }),
    options({ netns: 'red' }),
    options({ groups: 1 }),
    options({ groups: ['1'] }),
    options({ receiveBuffer: 1n }),
    options({ destination: null }),
    () => exchange?.(socket, 'bytes', 1, 1),
    () => exchange?.(socket, new Uint16Array(8), 1, 1),
    () => exchange?.(socket, new ArrayBuffer(8), 1, 1),
    () => exchange?.(socket, barrier(1), '1', 1),
    () => exchange?.(socket, barrier(1), 1),
    () => exchange?.(socket, null, 1, 1),
    () => page?.(socket, undefined, 1, 1, 1),
    () => page?.(socket, null, 1, 1n, 1),
    () => dumpMany?.(socket, null, 1),
    () => subscribe?.(socket),
    () => join?.(socket, '1'),
    () => openIn?.(1, 2, 3),
    () => openIn?.('1', '/', 0),
    () => exchange?.(),
  ]
  for (const call of calls) t.throws(call, { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(
    options({
      get groups() {
        throw new Error('mine')
      },
    }),
    { message: 'mine' },
  )
  t.throws(() => addon.open(undefined as never), { name: 'TypeError' })
  await addon.close(socket)
})
