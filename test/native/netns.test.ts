import { execFileSync } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { addon, errno, namespace, open, opened, unlessRoot } from './support.js'

const { O_RDONLY, O_WRONLY } = constants

t.test('a file is opened as another namespace sees it', unlessRoot, async t => {
  const { fd: netns, addLink } = namespace(t)
  await addLink('red')
  const { fd, entered } = addon.openIn(netns, '/proc/thread-self/net/dev', O_RDONLY)
  t.ok(entered)
  t.match(readFileSync(fd, 'utf8'), /\bred:/)
  closeSync(fd)
  t.notMatch(readFileSync('/proc/thread-self/net/dev', 'utf8'), /\bred:/, 'and this thread has stayed where it was')
})

t.test('a sysctl is written there and nowhere else', unlessRoot, t => {
  const { fd: netns } = namespace(t)
  const path = '/proc/sys/net/ipv4/ip_default_ttl'
  const here = readFileSync(path, 'utf8')
  const file = addon.openIn(netns, path, O_WRONLY)
  writeFileSync(file.fd, '77')
  closeSync(file.fd)
  const again = addon.openIn(netns, path, O_RDONLY)
  t.equal(readFileSync(again.fd, 'utf8').trim(), '77')
  closeSync(again.fd)
  t.equal(readFileSync(path, 'utf8'), here)
  t.end()
})

t.test('what cannot be opened or entered says why', t => {
  t.match(addon.openIn(9999, '/proc/self/net/dev', O_RDONLY), { fd: -errno.EBADF, entered: false })
  t.end()
})

t.test('a file that is not there', unlessRoot, t => {
  const { fd } = namespace(t)
  t.match(addon.openIn(fd, '/proc/sys/net/nothing', O_RDONLY), { fd: -errno.ENOENT, entered: true })
  t.end()
})

t.test('a socket lives in the namespace that it was opened in', unlessRoot, async t => {
  const { fd, name } = namespace(t)
  const [there, here] = [open({ netns: fd }), open()]
  for (const [socket, path] of [
    [there, `/run/netns/${name}`],
    [here, '/proc/self/ns/net'],
  ] as const) {
    const netns = addon.namespaceOf(socket)
    t.equal(fstatSync(netns).ino, statSync(path).ino)
    closeSync(netns)
    await addon.close(socket)
  }
})

t.test(
  'a socket knows the cookie of its namespace, which no other namespace has, not even a later one with the same name',
  unlessRoot,
  async t => {
    const [one, two] = [namespace(t), namespace(t)]
    const cookieOf = async (options: { netns?: number }): Promise<bigint> => {
      const { socket, netnsCookie } = opened(options)
      await addon.close(socket)
      return netnsCookie
    }
    const cookies = [await cookieOf({}), await cookieOf({ netns: one.fd }), await cookieOf({ netns: two.fd })]
    execFileSync('ip', ['netns', 'delete', one.name])
    execFileSync('ip', ['netns', 'add', one.name])
    const fd = openSync(`/run/netns/${one.name}`, 'r')
    cookies.push(await cookieOf({ netns: fd }))
    closeSync(fd)
    t.equal(new Set(cookies).size, 4)
    for (const cookie of cookies) t.ok(cookie > 0n)
    t.equal(await cookieOf({ netns: two.fd }), cookies[2], 'it stays the same')
  },
)
