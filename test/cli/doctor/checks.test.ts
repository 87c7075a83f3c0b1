import t from 'tap'
import { type Check, examine, usable } from '../../../lib/cli/doctor/checks.js'
import type { Facts } from '../../../lib/cli/doctor/facts.js'
import { NetlinkError, type Problem, type RealServer, type VirtualServerWithRealServers } from '../../../lib/ipvs/index.js'
import { realServer, virtualServer } from '../top/support.js'
import { ALL, facts } from './support.js'

const check = (name: string, from: Facts): Check | undefined => examine(from).find(found => found.name === name)

const serving = (...realServers: Partial<RealServer>[]): { virtualServers: VirtualServerWithRealServers[] } => ({
  virtualServers: [
    virtualServer(
      '10.0.0.1',
      realServers.map((options, i) => realServer(`10.1.0.${i + 1}`, options)),
    ),
  ],
})

const refusal = (problem: Problem, reason: string): NetlinkError => new NetlinkError({ errno: 0, problem, reason })
const unavailable = (problem: Problem, reason: string): Partial<Facts> => ({
  capabilities: { ...ALL, available: false, reason: refusal(problem, reason) },
})
const PERSISTENT = { virtualServers: [{ ...virtualServer('10.0.0.1'), persistence: { timeout: 300 } }] }
const IPV6 = { virtualServers: [virtualServer('2001:db8::1', [realServer('2001:db8::9')])] }

t.test('where all is well there is nothing to mend', async t => {
  const checks = examine(facts())
  t.strictSame(
    checks.filter(({ status, remedy }) => status !== 'ok' || remedy !== undefined),
    [],
  )
  t.equal(usable(facts()), true)
})

// What is found, what is said, and the command that mends it. An undefined status: nothing is said.
const table: [
  check: string,
  change: Partial<Facts>,
  sysctls: Record<string, number | undefined>,
  expected: Partial<Check> | undefined,
][] = [
  [
    'Node.js',
    { host: { ...facts().host, node: 'v18.0.0', nodeServes: false } },
    {},
    { status: 'warning', text: 'v18.0.0 is too old' },
  ],
  [
    'addon',
    { refused: refusal('unsupported-platform', 'ts-ipvs has no native addon.\nTo compile it: npx node-gyp rebuild -C x') },
    {},
    { status: 'missing', text: 'ts-ipvs has no native addon.', remedy: 'npx node-gyp rebuild -C x' },
  ],
  [
    'addon',
    { refused: refusal('unsupported-platform', 'on darwin only types work.') },
    {},
    { status: 'missing', text: 'on darwin only' },
  ],
  ['namespace', {}, {}, undefined],
  ['namespace', { netns: 'blue' }, {}, { status: 'ok', text: 'blue can be entered' }],
  [
    'namespace',
    { netns: 'blue', refused: refusal('no-such-namespace', 'there is none') },
    {},
    { status: 'missing', text: 'blue: there is none', remedy: 'ip netns add blue' },
  ],
  [
    'namespace',
    { netns: '4711', refused: refusal('no-such-namespace', 'there is none') },
    {},
    { status: 'missing', remedy: undefined },
  ],
  [
    'namespace',
    { netns: 'blue', refused: refusal('not-permitted', 'run as root') },
    {},
    { status: 'missing', text: 'blue: run as root', remedy: undefined },
  ],
  [
    'privileges',
    { userNamespace: true },
    {},
    { status: 'missing', text: 'user namespace', remedy: 'docker run --userns=host --cap-add NET_ADMIN' },
  ],
  ['privileges', { netAdmin: false }, {}, { status: 'missing', text: 'container', remedy: 'docker run --cap-add NET_ADMIN' }],
  [
    'privileges',
    { netAdmin: false, host: { ...facts().host, root: false } },
    {},
    { status: 'missing', remedy: 'sudo ts-ipvs doctor' },
  ],
  ['module', { modules: { ip_vs: 'built-in' } }, {}, { status: 'ok', text: 'built into the kernel' }],
  ['module', { modules: { ip_vs: 'unknown' } }, {}, { status: 'ok', text: 'the kernel has ip_vs' }],
  [
    'module',
    { modules: { ip_vs: 'loadable' }, capabilities: undefined },
    {},
    { status: 'missing', text: 'there and not loaded', remedy: 'modprobe ip_vs' },
  ],
  [
    'module',
    { modules: { ip_vs: 'forbidden' }, capabilities: undefined },
    {},
    { status: 'missing', text: '/etc/modprobe.d', remedy: 'modprobe --ignore-install ip_vs' },
  ],
  [
    'module',
    { modules: { ip_vs: 'absent' }, capabilities: undefined, kernelPackage: 'linux-image-amd64' },
    {},
    { status: 'missing', text: 'Linux 6.12.1 was built without ip_vs', remedy: 'apt-get install linux-image-amd64' },
  ],
  [
    'module',
    { modules: { ip_vs: 'absent' }, capabilities: undefined, installed: false },
    {},
    { status: 'missing', text: '/lib/modules/6.12.1 is not here', remedy: 'modprobe ip_vs' },
  ],
  [
    'module',
    { modules: { ip_vs: 'unknown' }, capabilities: undefined, modular: false, kernelPackage: 'linux-image-arm64' },
    {},
    { status: 'missing', text: 'can not load modules', remedy: 'apt-get install linux-image-arm64' },
  ],
  [
    'module',
    { modules: { ip_vs: 'absent' }, capabilities: undefined },
    {},
    { status: 'missing', text: 'boot another kernel, one with CONFIG_IP_VS', remedy: undefined },
  ],
  [
    'module',
    { modules: { ip_vs: 'absent' }, capabilities: undefined, container: true },
    {},
    { status: 'missing', text: "boot this container's host with another kernel", remedy: undefined },
  ],
  ['autoload', { helper: '' }, {}, { status: 'warning', remedy: 'sysctl -w kernel.modprobe=/sbin/modprobe' }],
  ['autoload', { modular: false }, {}, undefined],
  [
    'IPVS',
    { modules: { ip_vs: 'loadable' }, ...unavailable('family-unavailable', 'no family') },
    {},
    { status: 'missing', text: 'can not be used: no family', remedy: 'modprobe ip_vs' },
  ],
  [
    'IPVS',
    unavailable('not-permitted', 'CAP_NET_ADMIN is needed'),
    {},
    { status: 'missing', text: 'CAP_NET_ADMIN is needed', remedy: undefined },
  ],
  [
    'IPVS',
    { capabilities: undefined, refused: refusal('no-such-namespace', 'there is none') },
    {},
    { status: 'missing', text: 'there is none' },
  ],
  [
    'schedulers',
    { capabilities: { ...ALL, schedulers: ['rr', 'wlc'] }, modules: { ip_vs_sh: 'loadable', ip_vs_mh: 'loadable' } },
    {},
    { status: 'warning', text: 'rr, wlc; not loaded: wrr, lc,', remedy: 'modprobe -a ip_vs_sh ip_vs_mh' },
  ],
  [
    'schedulers',
    { capabilities: { ...ALL, schedulers: ALL.schedulers.filter(name => name !== 'twos') }, modules: { ip_vs_twos: 'absent' } },
    {},
    { status: 'ok', text: 'built without twos (twos is in Linux 6.2 and newer)', remedy: undefined },
  ],
  ['schedulers', unavailable('other', 'x'), {}, undefined],
  [
    'persistence engines',
    { capabilities: { ...ALL, persistenceEngines: [] }, modules: { ip_vs_pe_sip: 'loadable' } },
    {},
    { status: 'warning', remedy: 'modprobe ip_vs_pe_sip' },
  ],
  ['persistence engines', { capabilities: { ...ALL, persistenceEngines: [] }, modules: {} }, {}, { status: 'ok', text: 'none' }],
  ['IPv6', { capabilities: { ...ALL, ipv6: false } }, {}, { status: 'warning', text: 'ipv6.disable=1' }],
  ['loopback', { loopback: 'down' }, {}, { status: 'warning', remedy: 'ip link set lo up' }],
  ['loopback', { loopback: 'never-up' }, {}, { status: 'missing', remedy: 'ip link set lo up' }],
  ['loopback', { loopback: undefined }, {}, undefined],
  ['forwarding', {}, { 'ipv4.ip_forward': 0 }, { status: 'warning', remedy: 'sysctl -w net.ipv4.ip_forward=1' }],
  ['forwarding', serving({ forwarding: 'direct-route' }), { 'ipv4.ip_forward': 0 }, { status: 'ok' }],
  ['forwarding', serving({ forwarding: 'direct-route' }, {}), { 'ipv4.ip_forward': 0 }, { status: 'warning' }],
  ['forwarding', {}, { 'ipv4.ip_forward': undefined }, undefined],
  ['IPv6 forwarding', {}, {}, undefined],
  ['IPv6 forwarding', IPV6, {}, { status: 'warning', remedy: 'sysctl -w net.ipv6.conf.all.forwarding=1' }],
  ['IPv6 forwarding', IPV6, { 'ipv6.conf.all.forwarding': 1 }, { status: 'ok' }],
  ['conntrack', {}, { 'netfilter.nf_conntrack_max': 65536 }, { status: 'ok' }],
  ['conntrack', serving({}), {}, { status: 'ok', text: 'no nf_conntrack' }],
  [
    'conntrack',
    serving({}),
    { 'netfilter.nf_conntrack_max': 65536 },
    { status: 'warning', remedy: 'sysctl -w net.ipv4.vs.conntrack=1' },
  ],
  ['conntrack', serving({}), { 'netfilter.nf_conntrack_max': 65536, 'ipv4.vs.conntrack': 1 }, { status: 'ok' }],
  ['rp_filter', serving({}), { 'ipv4.conf.all.rp_filter': 1 }, undefined],
  [
    'rp_filter',
    serving({ forwarding: 'direct-route' }),
    { 'ipv4.conf.all.rp_filter': 1 },
    { status: 'warning', remedy: 'sysctl -w net.ipv4.conf.all.rp_filter=2' },
  ],
  ['rp_filter', serving({ forwarding: 'tunnel' }), { 'ipv4.conf.all.rp_filter': 2 }, { status: 'ok' }],
  [
    'rp_filter',
    { ...serving({ forwarding: 'tunnel' }), reversePath: { eth0: 1, eth1: 2, eth2: 1 } },
    {},
    { status: 'warning', text: 'rp_filter of eth0, eth2 is 1', remedy: 'sysctl -w net.ipv4.conf.all.rp_filter=2' },
  ],
  ['ARP', serving({}), {}, undefined],
  [
    'ARP',
    serving({ forwarding: 'direct-route' }),
    {},
    { status: 'ok', text: 'arp_ignore=1 net.ipv4.conf.all.arp_announce=2 (here 0 and 0)' },
  ],
  [
    'conn_reuse_mode',
    {},
    { 'ipv4.vs.conn_reuse_mode': 0 },
    { status: 'warning', remedy: 'sysctl -w net.ipv4.vs.conn_reuse_mode=1' },
  ],
  ['expire_nodest_conn', serving({}), {}, { status: 'warning', remedy: 'sysctl -w net.ipv4.vs.expire_nodest_conn=1' }],
  ['expire_nodest_conn', serving({}), { 'ipv4.vs.expire_nodest_conn': 1 }, { status: 'ok' }],
  ['expire_quiescent_template', serving({}), {}, { status: 'ok' }],
  [
    'expire_quiescent_template',
    PERSISTENT,
    {},
    { status: 'warning', remedy: 'sysctl -w net.ipv4.vs.expire_quiescent_template=1' },
  ],
  ['nf_tables', { modules: { nf_tables: 'loadable' } }, {}, { status: 'ok' }],
  ['nf_tables', { modules: { nf_tables: 'absent' } }, {}, { status: 'warning', remedy: undefined }],
]

t.test('what is found, what is said, and the command that mends it', async t => {
  for (const [i, [name, change, sysctls, expected]] of table.entries()) {
    const found = check(name, facts(change, sysctls))
    if (expected === undefined) t.equal(found, undefined, `${i}: ${name} says nothing`)
    else t.match(found, expected, `${i}: ${name}: ${expected.text ?? expected.status}`)
  }
})

t.test('a command works in the namespace that was asked about', async t => {
  for (const [netns, prefix] of [
    ['blue', 'ip netns exec blue'],
    ['4711', 'nsenter --net=/proc/4711/ns/net'],
    ['/run/netns/blue', 'nsenter --net=/run/netns/blue'],
    ["/run/it's mine", "nsenter --net='/run/it'\\''s mine'"],
  ] as const) {
    t.equal(check('forwarding', facts({ netns }, { 'ipv4.ip_forward': 0 }))?.remedy, `${prefix} sysctl -w net.ipv4.ip_forward=1`)
    t.equal(check('loopback', facts({ netns, loopback: 'never-up' }))?.remedy, `${prefix} ip link set lo up`)
  }
  t.equal(
    check('autoload', facts({ netns: 'blue', helper: '' }))?.remedy,
    'sysctl -w kernel.modprobe=/sbin/modprobe',
    'but for the kernel',
  )
})
