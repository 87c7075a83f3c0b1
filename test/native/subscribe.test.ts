import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import {
  addon,
  barrier,
  errno,
  messages,
  NETLINK_ROUTE,
  namespace,
  open,
  root,
  type Socket,
  unlessRoot,
  addLink as wordsToAdd,
} from './support.js'

const RTNLGRP_LINK = 1
const RTM_NEWLINK = 16

/** Names of the links that the messages tell of. */
const linksIn = (data: Buffer) =>
  messages(data)
    .filter(({ type }) => type === RTM_NEWLINK)
    .map(({ payload }) => nameOf(payload))

/** IFLA_IFNAME is 3; the attributes follow a struct ifinfomsg of 16 bytes. */
function nameOf(payload: Buffer): string {
  for (let at = 16; at < payload.length; at += (payload.readUInt16LE(at) + 3) & ~3)
    if (payload.readUInt16LE(at + 2) === 3) return payload.toString('utf8', at + 4, at + payload.readUInt16LE(at) - 1)
  return ''
}

/** Everything that arrives, to be waited for. */
function watch(socket: Socket) {
  const links: string[] = []
  const errors: number[] = []
  let look = () => {}
  addon.subscribe(socket, (data, errno) => {
    links.push(...linksIn(data))
    if (errno !== 0) errors.push(errno)
    look()
  })
  const until = (condition: () => boolean) =>
    new Promise<void>(resolve => {
      look = () => condition() && resolve()
      look()
    })
  return { links, errors, until }
}

t.test('what the kernel tells a group arrives', unlessRoot, async t => {
  const { fd, addLink } = namespace(t)
  const socket = open({ protocol: NETLINK_ROUTE, netns: fd, groups: [RTNLGRP_LINK] })
  const { links, until } = watch(socket)
  await addLink('red')
  await until(() => links.includes('red') && links.includes('red-peer'))
  await addon.close(socket)
})

t.test('groups are joined and left', unlessRoot, async t => {
  const { fd, addLink } = namespace(t)
  const socket = open({ protocol: NETLINK_ROUTE, netns: fd })
  const { links, until } = watch(socket)
  await addLink('before')
  t.equal(addon.join(socket, RTNLGRP_LINK), 0)
  await addLink('joined')
  t.equal(addon.leave(socket, RTNLGRP_LINK), 0)
  await addLink('left')
  t.equal(addon.join(socket, RTNLGRP_LINK), 0)
  await addLink('again')
  await until(() => links.includes('again'))
  t.same([...new Set(links)].sort(), ['again', 'again-peer', 'joined', 'joined-peer'])
  t.equal(addon.join(socket, 9999), errno.EINVAL)
  await addon.close(socket)
})

t.test('an overrun is told, and watching goes on', unlessRoot, async t => {
  const { name, fd, addLink } = namespace(t)
  const socket = open({ protocol: NETLINK_ROUTE, netns: fd, groups: [RTNLGRP_LINK], receiveBuffer: 1 })
  const { links, errors, until } = watch(socket)
  for (const n of [1, 2, 3, 4]) execFileSync('ip', ['-n', name, ...wordsToAdd(`link${n}`)]) // the event loop stands still
  await until(() => errors.length > 0)
  t.same([...new Set(errors)], [errno.ENOBUFS])
  // The buffer has room for one message: what comes next may be lost again, but not for ever.
  for (let n = 0; !links.some(link => link.startsWith('after')); n++) await addLink(`after${n}`)
  await addon.close(socket)
})

t.test('the callback may close the socket: then no more comes', unlessRoot, async t => {
  const { fd, addLink } = namespace(t)
  const socket = open({ protocol: NETLINK_ROUTE, netns: fd, groups: [RTNLGRP_LINK] })
  let calls = 0
  const closed = new Promise<void>((resolve, reject) => {
    addon.subscribe(socket, () => {
      calls++
      addon.close(socket).then(resolve, reject)
    })
  })
  await addLink('red')
  await closed
  await addLink('blue')
  t.equal(calls, 1)
})

t.test('a callback that throws is an uncaught exception, and watching goes on', unlessRoot, async t => {
  const { name, fd } = namespace(t)
  // In a Worker, because tap takes every uncaught exception of its own process for a failure.
  const worker = new Worker(join(root, 'test/native/throwing.cjs'), {
    workerData: { fd, name, protocol: NETLINK_ROUTE, group: RTNLGRP_LINK },
  })
  const [caught] = await once(worker, 'message')
  t.same(caught, ['thrown 1', 'thrown 2'])
  await worker.terminate()
})

t.test('a socket is either for requests or for watching', async t => {
  const watching = open()
  addon.subscribe(watching, () => {})
  const inUse = { code: 'ERR_SOCKET_IN_USE' }
  t.throws(() => addon.exchange(watching, barrier(1), 1, 1), inUse)
  t.throws(() => addon.page(watching, null, 1, 1, 1), inUse)
  t.throws(() => addon.dumpMany(watching, barrier(1), 1), inUse)
  t.throws(() => addon.subscribe(watching, () => {}), inUse)

  const asking = open()
  const reply = addon.exchange(asking, barrier(1), 1, 1000)
  t.throws(() => addon.subscribe(asking, () => {}), inUse)
  await reply
  addon.subscribe(asking, () => {})
  addon.unref(asking)
  addon.ref(asking)
  await Promise.all([addon.close(asking), addon.close(watching)])
})
