import t from 'tap'
import {
  addon,
  answer,
  barrier,
  dumpFamilies,
  errno,
  getFamily,
  message,
  messages,
  NETLINK_GENERIC,
  NLM_F_ACK,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  namespace,
  open,
  opened,
  openWithPeer,
  silent,
  tell,
  unlessRoot,
} from './support.js'

const second = 1000
const nothing = Buffer.alloc(0)

t.test('a request is answered', async t => {
  const reply = await addon.exchange(open(), getFamily(7), 7, second)
  t.match(reply, { errno: 0, syscall: '', sent: getFamily(7).length, datagrams: 1, lost: false, complete: true })
  t.match(messages(reply.data), [{ type: 16, seq: 7 }])
})

t.test('many requests go in one buffer, and only the last one closes the exchange', async t => {
  const socket = open()
  const request = Buffer.concat([getFamily(1), barrier(2), silent(3), dumpFamilies(4), barrier(5)])
  const reply = await addon.exchange(socket, request, 5, second)
  t.match(reply, { errno: 0, sent: request.length, complete: true })
  const sequence = messages(reply.data).map(({ seq }) => seq)
  t.same([...new Set(sequence)].sort(), [1, 2, 4, 5], 'the barrier that asked for no acknowledgement is silent')
  await addon.close(socket)
})

t.test('an acknowledgement, a single message and the end of a dump each close an exchange', async t => {
  const socket = open()
  const cases = [
    { request: barrier(1), closing: { type: NLMSG_ERROR } },
    { request: getFamily(2), closing: { type: 16, flags: 0 } },
    { request: dumpFamilies(3), closing: { type: NLMSG_DONE } },
    { request: message({ type: 9999, flags: 1, seq: 4, payload: nothing }), closing: { type: NLMSG_ERROR } },
  ]
  for (const [i, { request, closing }] of cases.entries()) {
    const reply = await addon.exchange(socket, request, i + 1, second)
    t.match(messages(reply.data).at(-1), closing)
    t.ok(reply.complete)
  }
  await addon.close(socket)
})

t.test('where an acknowledgement was asked for, what answers comes before it', async t => {
  const request = getFamily(5)
  request.writeUInt16LE(request.readUInt16LE(6) | NLM_F_ACK, 6)
  const reply = await addon.exchange(open(), Buffer.concat([getFamily(4), request]), 5, second)
  t.ok(reply.complete)
  t.match(messages(reply.data), [
    { type: 16, seq: 4 },
    { type: 16, seq: 5 },
    { type: NLMSG_ERROR, seq: 5 },
  ])
})

t.test('a request may be any Uint8Array, at any offset', async t => {
  const socket = open()
  const whole = new Uint8Array(100)
  whole.set(barrier(3), 7)
  t.ok((await addon.exchange(socket, whole.subarray(7, 7 + 16), 3, second)).complete)
  await addon.close(socket)
})

t.test('calls on one socket run in call order', async t => {
  const socket = open()
  const order: number[] = []
  const calls = Array.from({ length: 50 }, (_, seq) =>
    addon.exchange(socket, barrier(seq), seq, second).then(() => order.push(seq)),
  )
  await Promise.all(calls)
  t.same(
    order,
    [...order].sort((a, b) => a - b),
  )
  await addon.close(socket)
})

t.test('a request that is malformed is answered by nothing: the timeout ends it', async t => {
  const request = barrier(1)
  request.writeUInt32LE(99, 0)
  const reply = await addon.exchange(open(), request, 1, 20)
  t.match(reply, { errno: errno.ETIMEDOUT, syscall: 'poll', sent: 16, datagrams: 0, lost: false, complete: false })
  t.equal(reply.data.length, 0)
})

t.test('a request too large for the send buffer fails in sendmsg', async t => {
  const reply = await addon.exchange(open({ sendBuffer: 4096 }), Buffer.alloc(1 << 20), 1, second)
  t.match(reply, { errno: errno.EMSGSIZE, syscall: 'sendmsg', sent: 0, complete: false })
})

t.test('a dump comes in pages, and continues where the last one stopped', async t => {
  const socket = open()
  const whole = await addon.exchange(socket, dumpFamilies(1), 1, second)
  const pages = [await addon.page(socket, dumpFamilies(2), 2, 1, second)]
  while (pages.at(-1)?.complete === false) pages.push(await addon.page(socket, null, 2, 1, second))
  const of = (data: Buffer) => messages(data).map(({ type, flags, payload }) => ({ type, flags, payload }))
  t.same(of(Buffer.concat(pages.map(({ data }) => data))), of(whole.data))
  t.ok(pages.every(({ errno, datagrams }) => errno === 0 && datagrams === 1))
  await addon.close(socket)
})

t.test('a page without a request waits for as long as it is told', unlessRoot, async t => {
  const { client, peer } = await openWithPeer(namespace(t).fd)
  t.match(await addon.page(client, null, 1, 1, 20), { errno: errno.ETIMEDOUT, syscall: 'poll', sent: 0 })
  const page = addon.page(client, null, 1, 1, second)
  await tell(peer, answer(1))
  t.ok((await page).complete)
  await Promise.all([addon.close(client), addon.close(peer)])
})

t.test('many dumps in one call', async t => {
  const socket = open()
  const requests = Buffer.concat([dumpFamilies(1), dumpFamilies(2), getFamily(3), barrier(4)])
  const reply = await addon.dumpMany(socket, requests, second)
  t.match(reply, { errno: 0, sent: requests.length, lost: false, complete: true })
  t.same([...new Set(messages(reply.data).map(({ seq }) => seq))], [1, 2, 3, 4])
  t.same(messages(reply.data).filter(({ type }) => type === NLMSG_DONE).length, 2)

  t.match(await addon.dumpMany(socket, nothing, second), { errno: 0, sent: 0, complete: true }, 'none is none')
  const stuck = await addon.dumpMany(socket, Buffer.concat([barrier(1), silent(2), barrier(3)]), 20)
  t.match(stuck, { errno: errno.ETIMEDOUT, sent: 32, complete: false }, 'it ends at the first that is not answered')
  await addon.close(socket)
})

t.test('many dumps are refused when a length is wrong', async t => {
  const socket = open()
  const tooLong = Buffer.concat([barrier(1), barrier(2)])
  tooLong.writeUInt32LE(17, 16)
  const tooShort = barrier(1)
  tooShort.writeUInt32LE(15, 0)
  for (const requests of [
    tooLong,
    tooShort,
    barrier(1).subarray(0, 15),
    Buffer.alloc(16),
    Buffer.concat([barrier(1), Buffer.alloc(3)]),
  ])
    t.throws(() => addon.dumpMany(socket, requests, second), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' })
  const { data } = await addon.exchange(socket, barrier(9), 9, second)
  t.match(messages(data), [{ seq: 9 }], 'nothing was sent')
  await addon.close(socket)
})

t.test('replies that find no room are lost, and it says so', async t => {
  const { socket, receiveBuffer } = opened({ receiveBuffer: 1 })
  t.ok(receiveBuffer < 10_000)
  const many = Buffer.concat(Array.from({ length: 200 }, (_, seq) => barrier(seq)))
  const reply = await addon.exchange(socket, many, 199, second)
  t.match(reply, { errno: 0, sent: many.length, lost: true, complete: false })
  t.ok(reply.datagrams > 0 && reply.datagrams < 200, 'the others were received')
  t.match(
    await addon.exchange(socket, barrier(500), 500, second),
    { lost: false, complete: true, datagrams: 1 },
    'the next is whole',
  )
  await addon.close(socket)
})

t.test('buffers are as large as the kernel grants', t => {
  const { receiveBuffer, sendBuffer } = opened({ receiveBuffer: 100_000, sendBuffer: 50_000 })
  t.match({ receiveBuffer, sendBuffer }, { receiveBuffer: 200_000, sendBuffer: 100_000 })
  t.end()
})

t.test('a socket that cannot be had says why', t => {
  t.match(addon.open({ protocol: 31 }), { socket: undefined, errno: errno.EPROTONOSUPPORT, syscall: 'socket' })
  t.match(addon.open({ protocol: 999 }), { errno: errno.EPROTONOSUPPORT, syscall: 'socket' })
  t.match(addon.open({ protocol: NETLINK_GENERIC, groups: [100_000] }), { errno: errno.EINVAL, syscall: 'setsockopt' })
  t.match(addon.open({ protocol: NETLINK_GENERIC, netns: 9999 }), { errno: errno.EBADF, syscall: 'setns' })
  t.end()
})

t.test('with another process in the place of the kernel', unlessRoot, async t => {
  t.test('it is asked and answers', async t => {
    const { client, peer } = await openWithPeer(namespace(t).fd)
    const reply = addon.exchange(client, silent(1), 1, 0)
    const request = await addon.page(peer, null, 0, 1, 0)
    t.match(messages(request.data), [{ type: 1, seq: 1 }])
    await tell(peer, message({ ...part, seq: 1 }))
    await tell(peer, answer(2, 'not the one'))
    await tell(peer, answer(1, 'the end'))
    const { complete, datagrams, data } = await reply
    t.match({ complete, datagrams }, { complete: true, datagrams: 3 })
    t.same(
      messages(data).map(({ payload }) => payload.toString()),
      ['odd', 'not the one', 'the end'],
      'each message is whole where lengths are not multiples of 4',
    )
    await Promise.all([addon.close(client), addon.close(peer)])
  })

  t.test('what others send is not for us', async t => {
    const { fd } = namespace(t)
    const { client, clientPort, peer } = await openWithPeer(fd)
    const stranger = open({ netns: fd, destination: clientPort })
    const reply = addon.exchange(client, silent(1), 1, 0)
    await tell(stranger, answer(1, 'forged'))
    await tell(peer, answer(1, 'true'))
    t.match(messages((await reply).data), [{ payload: Buffer.from('true') }])
    for (const socket of [client, peer, stranger]) await addon.close(socket)
  })

  t.test('bytes that are no messages end it', async t => {
    const { client, peer } = await openWithPeer(namespace(t).fd)
    const reply = addon.exchange(client, silent(1), 1, 0)
    await tell(peer, Buffer.concat([answer(2), Buffer.from('hello')]))
    const { errno: number, syscall, data, complete } = await reply
    t.match({ number, syscall, complete }, { number: errno.EBADMSG, syscall: 'recvmsg', complete: false })
    t.match(messages(data), [{ seq: 2 }])
    await Promise.all([addon.close(client), addon.close(peer)])
  })

  t.test('one that reads nothing does not hold the sender up for ever', async t => {
    const { client, peer } = await openWithPeer(namespace(t).fd)
    const full = Buffer.concat([silent(1), Buffer.alloc(100_000)])
    const replies = [await addon.page(client, full, 1, 1, 1)]
    while (replies.at(-1)?.syscall === 'poll') replies.push(await addon.page(client, full, 1, 1, 1))
    t.match(replies.at(-1), { errno: errno.ETIMEDOUT, syscall: 'sendmsg', sent: 0 })
    await Promise.all([addon.close(client), addon.close(peer)])
  })

  t.test('a socket that waits does not hold the others up', async t => {
    const { client, peer } = await openWithPeer(namespace(t).fd)
    const waiting = addon.exchange(client, silent(1), 1, 0)
    const other = open()
    t.ok((await addon.exchange(other, barrier(1), 1, second)).complete)
    await tell(peer, answer(1))
    t.ok((await waiting).complete)
    for (const socket of [client, peer, other]) await addon.close(socket)
  })

  t.test('closing waits for what is in flight, and cancels what has not begun', async t => {
    const { client, peer } = await openWithPeer(namespace(t).fd)
    const events: string[] = []
    const inFlight = addon.exchange(client, silent(1), 1, 0).then(reply => {
      events.push('reply')
      return reply
    })
    await addon.page(peer, null, 0, 1, 0)
    const waiting = addon.exchange(client, silent(2), 2, 0)
    const closed = addon.close(client).then(() => events.push('closed'))
    const closedAgain = addon.close(client).then(() => events.push('closed again'))
    t.match(await waiting, { errno: errno.ECANCELED, sent: 0, complete: false })
    t.throws(() => addon.exchange(client, silent(3), 3, 0), { code: 'ERR_SOCKET_CLOSED' })
    t.same(events, [])
    await tell(peer, answer(1))
    t.ok((await inFlight).complete)
    await Promise.all([closed, closedAgain])
    t.same(events, ['reply', 'closed', 'closed again'])
    await addon.close(peer)
  })
})

const part = { type: 0x20, flags: NLM_F_MULTI, payload: Buffer.from('odd') }

t.test('a closed socket is refused, and may be closed again', async t => {
  const socket = open()
  await addon.close(socket)
  await addon.close(socket)
  const calls: readonly (() => unknown)[] = [
    () => addon.exchange(socket, barrier(1), 1, 1),
    () => addon.page(socket, null, 1, 1, 1),
    () => addon.dumpMany(socket, barrier(1), 1),
    () => addon.subscribe(socket, () => {}),
    () => addon.ref(socket),
    () => addon.unref(socket),
    () => addon.join(socket, 1),
    () => addon.leave(socket, 1),
    () => addon.namespaceOf(socket),
  ]
  for (const call of calls) t.throws(call, { name: 'Error', code: 'ERR_SOCKET_CLOSED' })
})
