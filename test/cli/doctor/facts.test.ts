import t from 'tap'
import { type Facts, gather, type Host, thisHost } from '../../../lib/cli/doctor/facts.js'
import { NetlinkError, open } from '../../../lib/ipvs/index.js'
import { type MemoryKernelOptions, memoryKernel } from '../../../lib/testing/index.js'
import { machine } from './support.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const

/** What is found on a machine with a kernel. */
async function found(host: Host, options: MemoryKernelOptions = {}, netns?: string): Promise<Facts> {
  const kernel = memoryKernel(options)
  return gather(host, netns, () => open({ transport: kernel }))
}

t.test('the machine and the process', async t => {
  const status = (mask: string): Record<string, string> => ({ '/proc/self/status': `CapEff:\t${mask}\n` })
  const table: [words: string, host: Host, expected: Partial<Facts>][] = [
    ['root', machine(), { netAdmin: true, userNamespace: false, modular: true, helper: '/sbin/modprobe', installed: true }],
    ['nobody', machine(status('0000000000000000')), { netAdmin: false }],
    ['only CAP_NET_ADMIN', machine(status('0000000000001000')), { netAdmin: true }],
    ['everything but CAP_NET_ADMIN', machine(status('000001ffffffefff')), { netAdmin: false }],
    ['a user namespace', machine({ '/proc/self/uid_map': '0 1000 1\n' }), { userNamespace: true }],
    ['no modules any more', machine({ '/proc/sys/kernel/modules_disabled': '1\n' }), { helper: '' }],
    ['no helper', machine({ '/proc/sys/kernel/modprobe': '\n' }), { helper: '' }],
    [
      'a machine without /proc',
      { ...machine(), read: () => undefined },
      { modular: false, helper: '', installed: false, netAdmin: false },
    ],
  ]
  for (const [words, host, expected] of table) t.match(await found(host), expected, words)
})

t.test('a kernel to install is advised on Debian, outside of containers', async t => {
  const debian = { '/etc/os-release': 'NAME="Debian GNU/Linux"\nID=debian\n' }
  const table: [words: string, host: Host, expected: Partial<Facts>][] = [
    ['Debian', machine(debian), { container: false, kernelPackage: 'linux-image-amd64' }],
    ['on ARM', { ...machine(debian), arch: 'arm64' }, { kernelPackage: 'linux-image-arm64' }],
    ['on what has other names there', { ...machine(debian), arch: 'ppc64' }, { kernelPackage: undefined }],
    ['another system', machine({ '/etc/os-release': 'ID=ubuntu\nID_LIKE=debian\n' }), { kernelPackage: undefined }],
    ...['/run/systemd/container', '/.dockerenv', '/run/.containerenv'].map((path): [string, Host, Partial<Facts>] => [
      path,
      machine({ ...debian, [path]: '' }),
      { container: true, kernelPackage: undefined },
    ]),
  ]
  for (const [words, host, expected] of table) t.match(await found(host), expected, words)
})

t.test('of rp_filter the larger value counts, that of all or that of the interface', async t => {
  const filters = (all: number): Host =>
    machine({
      '/proc/net/dev': 'Inter-|   Receive\n face |bytes\n    lo: 0 0\n  eth0: 0 0\neth0.100: 0 0\n',
      '/proc/sys/net/ipv4/conf/all/rp_filter': `${all}\n`,
      '/proc/sys/net/ipv4/conf/eth0/rp_filter': '0\n',
      '/proc/sys/net/ipv4/conf/eth0.100/rp_filter': '1\n',
    })
  const refuse = async (): Promise<never> => {
    throw new NetlinkError({ errno: 0, problem: 'unsupported-platform', reason: 'no addon' })
  }
  t.strictSame((await gather(filters(0), undefined, refuse)).reversePath, { eth0: 0, 'eth0.100': 1 })
  t.strictSame((await gather(filters(2), undefined, refuse)).reversePath, { eth0: 2, 'eth0.100': 2 })
})

t.test('where a module is', async t => {
  const symbols = (text: string): Host => {
    const host = machine({ '/proc/kallsyms': text })
    return { ...host, read: path => (path.startsWith('/lib/modules') ? undefined : host.read(path)) }
  }
  const table: [words: string, host: Host, expected: Facts['modules']][] = [
    ['loaded, and in the list of the built-in ones', machine(), { ip_vs: 'loaded', nf_tables: 'built-in' }],
    ['to be loaded', machine({ '/proc/modules': '' }, { ip_vs: 'loadable' }), { ip_vs: 'loadable' }],
    ['forbidden', machine({ '/proc/modules': '' }, { ip_vs: 'forbidden' }), { ip_vs: 'forbidden' }],
    ['another one of a longer name', machine({ '/proc/modules': 'ip_vs_rr 1 0 - Live 0x0\n' }), { ip_vs: 'absent' }],
    ['among the symbols of the kernel', symbols('ffff T nf_tables_bind_set\nffff t other\n'), { nf_tables: 'built-in' }],
    ["not where the symbols are a module's", symbols('ffff T nf_tables_bind_set\t[nf_tables]\n'), { nf_tables: 'absent' }],
  ]
  for (const [words, host, expected] of table) t.match((await found(host)).modules, expected, words)
})

t.test('schedulers and engines that do not work are looked for among the modules', async t => {
  const host = machine({}, { ip_vs_sh: 'loadable', ip_vs_pe_sip: 'loadable' })
  const { modules, capabilities } = await found(host, { schedulers: ['rr', 'wlc'], persistenceEngines: [] })
  t.match(modules, { ip_vs_sh: 'loadable', ip_vs_mh: 'absent', ip_vs_pe_sip: 'loadable', ip_vs: 'loaded' })
  t.notOk('ip_vs_rr' in modules)
  t.strictSame(capabilities?.schedulers, ['rr', 'wlc'])
})

t.test('the namespace, by the client', async t => {
  const kernel = memoryKernel()
  const lvs = await open({ transport: kernel })
  await lvs.setSysctl('conntrack', 1)
  await lvs.addVirtualServer(web)
  const host = machine({ '/proc/sys/net/ipv4/ip_forward': '1\n' })
  const { sysctl, virtualServers, loopback, refused } = await gather(host, 'blue', () => open({ transport: kernel }))
  t.equal(sysctl('ipv4.vs.conntrack'), 1)
  t.equal(sysctl('ipv4.ip_forward'), undefined, 'that of this process is another')
  t.match(virtualServers, [web])
  t.equal(virtualServers.length, 1, 'and nothing is left of what was tried')
  t.equal(loopback, 'up')
  t.equal(refused, undefined)
  t.equal((await found(machine(), { loopbackUp: false })).loopback, 'never-up')
})

t.test('without a client only the namespace of this process can be seen', async t => {
  const refused = new NetlinkError({ errno: 0, problem: 'unsupported-platform', reason: 'no addon' })
  const refuse = async (): Promise<never> => {
    throw refused
  }
  const host = machine({ '/proc/sys/net/ipv4/ip_forward': '1\n', '/proc/net/fib_trie': '  |-- 10.0.0.1\n' })
  const here = await gather(host, undefined, refuse)
  t.equal(here.sysctl('ipv4.ip_forward'), 1)
  t.equal(here.loopback, 'down')
  t.equal(here.capabilities, undefined)
  t.equal(here.refused, refused)
  const there = await gather(host, 'blue', refuse)
  t.equal(there.sysctl('ipv4.ip_forward'), undefined)
  t.equal(there.loopback, undefined)
})

t.test('a mistake of ours is no finding', async t => {
  const mistake = new TypeError('netns')
  await t.rejects(
    gather(machine(), '', async () => {
      throw mistake
    }),
    mistake,
  )
})

t.test('a kernel that may not be asked', async t => {
  const { capabilities, virtualServers } = await found(machine(), { permitted: 'no' })
  t.match(capabilities, { available: false, reason: { code: 'EPERM' } })
  t.strictSame(virtualServers, [])
})

t.test('this machine', async t => {
  const host = thisHost()
  t.equal(host.node, process.version)
  t.ok(host.nodeServes)
  t.match(host.read('/proc/self/status'), /CapEff/)
  t.equal(host.read('/proc/none'), undefined)
  t.ok(['absent', 'unknown'].includes(await host.modprobe('there_is_no_such_module')))
})
