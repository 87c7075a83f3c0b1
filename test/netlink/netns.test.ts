import { execFile } from 'node:child_process'
import { closeSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ipvs } from '../../lib/index.js'
import type { Netns } from '../../lib/netlink/netns.js'
import { root } from '../native/support.js'

const run = promisify(execFile)

t.test('a namespace that can not be is refused with a remedy', async t => {
  const table: [unknown, { name: string; message: RegExp; problem?: string }][] = [
    [
      { name: 'no-such-namespace' },
      { name: 'NetlinkError', problem: 'no-such-namespace', message: /network namespace no-such-namespace: .*`ip netns list`/ },
    ],
    [
      { path: '/no/such/file' },
      { name: 'NetlinkError', problem: 'no-such-namespace', message: /give the path of a namespace file/ },
    ],
    [{ pid: 0x3fffffff }, { name: 'NetlinkError', problem: 'no-such-namespace', message: /the process may have ended/ }],
    [
      { path: '/etc/hostname' },
      { name: 'NetlinkError', problem: 'no-such-namespace', message: /this is not a network namespace/ },
    ],
    [
      { path: '/proc/self/ns/uts' },
      { name: 'NetlinkError', problem: 'no-such-namespace', message: /this is not a network namespace/ },
    ],
    [{ name: '../etc' }, { name: 'TypeError', message: /netns\.name/ }],
    [{ name: '' }, { name: 'TypeError', message: /netns\.name/ }],
    [{ path: '' }, { name: 'TypeError', message: /netns\.path/ }],
    [{ pid: -1 }, { name: 'RangeError', message: /netns\.pid/ }],
    [{ fd: 1.5 }, { name: 'RangeError', message: /netns\.fd/ }],
    ['blue', { name: 'TypeError', message: /give one of \{ path \}, \{ name \}, \{ pid \}, \{ fd \}/ }],
    [{}, { name: 'TypeError', message: /give one of/ }],
  ]
  for (const [netns, error] of table) await t.rejects(ipvs.open({ netns: netns as Netns }), error, JSON.stringify(netns))
})

t.test('the namespace of a process, a file and a descriptor can be opened', async t => {
  const fd = openSync('/proc/self/ns/net', 'r')
  t.teardown(() => closeSync(fd))
  for (const netns of [{ pid: process.pid }, { path: '/proc/self/ns/net' }, { fd }]) {
    const lvs = await ipvs.open({ netns })
    await lvs.close()
  }
  t.ok(openSync('/proc/self/ns/net', 'r') > fd, 'the descriptor is still ours')
})

t.test('unknown options are refused', async t => {
  await t.rejects(ipvs.open({ nets: { name: 'blue' } } as ipvs.OpenOptions), {
    name: 'TypeError',
    message: /options\.nets: there is no such field: did you mean netns/,
  })
  await t.rejects(ipvs.open({ deadline: 0 }), { name: 'RangeError', message: /deadline/ })
})

t.test('a socket tells its namespace by the cookie, on old kernels by the file, and else not at all', async t => {
  const script = `
    import { nativeTransport, NETLINK_GENERIC } from '${new URL('../../lib/netlink/index.js', import.meta.url)}'
    const transport = nativeTransport()
    const socket = transport.open({ protocol: NETLINK_GENERIC })
    console.log(socket.namespace)
    await socket.close()
    await transport.close()`
  const told = async (env: Record<string, string>): Promise<string> => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, ...env } })
    return stdout.trim()
  }
  const without = { TS_IPVS_ADDON: join(root, 'test/native/without-cookie.cjs') }
  const { dev, ino } = statSync('/proc/self/ns/net')
  t.match(await told({}), /^cookie-[1-9]\d*$/)
  t.equal(await told(without), `inode-${dev}-${ino}`)
  t.equal(await told({ ...without, NOTHING: '1' }), 'undefined')
})
