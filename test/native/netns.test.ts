import { closeSync, constants, fstatSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { addon, errno, namespace, open, unlessRoot } from './support.js'

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
