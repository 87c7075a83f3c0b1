import t from 'tap'
import { checkConfiguration, open, sameSyncDaemon } from '../../lib/ipvs/index.js'
import { memoryKernel } from '../../lib/testing/index.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 }
const one = { address: '10.1.0.1', port: 80 }

t.test('a configuration is checked whole: of each object the first mistake, with its field', async t => {
  const mistakes = checkConfiguration({
    virtualServers: [
      { ...web, port: 70000, realServers: [{ ...one, weight: -1 }, one, { ...one, 'odd: "name"': 1 }] },
      { ...web, realServers: [one, { address: '10.1.0.2', port: 80 }, one] },
      { ...web, scheduler: 'rr' },
      null,
      { firewallMark: 1, family: 'ipv4', realServers: 7 },
    ],
    timeouts: { tcp: 0, udp: 0 },
    syncDaemons: [{ role: 'master', interface: 'eth0' }, { role: 'slave' }, { role: 'master', interface: 'eth1' }],
    virtualServer: [],
  })
  t.strictSame(
    mistakes.map(({ field, first }) => [field, first]),
    [
      ['virtualServer', undefined],
      ['virtualServers[0].port', undefined],
      ['virtualServers[0].realServers[0].weight', undefined],
      ['virtualServers[0].realServers[2]["odd: \\"name\\""]', undefined],
      ['virtualServers[1].realServers[2]', 'virtualServers[1].realServers[0]'],
      ['virtualServers[2]', 'virtualServers[1]'],
      ['virtualServers[3]', undefined],
      ['virtualServers[4].realServers', undefined],
      ['timeouts.tcp', undefined],
      ['syncDaemons[1].role', undefined],
      ['syncDaemons[2]', 'syncDaemons[0]'],
    ],
  )
  for (const { field, message } of mistakes) t.ok(message.startsWith(`${field}: `), message)
})

t.test('each mistake says what to give instead', async t => {
  const v6 = { ...web, address: '2001:db8::1' }
  const table: [unknown, RegExp][] = [
    [undefined, /^it is no configuration: give an object with the fields virtualServers, timeouts, syncDaemons$/],
    [[], /^it is no configuration/],
    [{}, /^virtualServers: it is missing: give a list$/],
    [{ virtualServers: {} }, /^virtualServers: an object is no list: give a list$/],
    [{ virtualServers: [], timeout: {} }, /^timeout: there is no such field: did you mean timeouts\?$/],
    [{ virtualServers: [[web]] }, /^virtualServers\[0\]: a list is no object$/],
    [{ virtualServers: [{ ...web, prot: 80 }] }, /^virtualServers\[0\]\.prot: there is no such field: did you mean port\?$/],
    [
      { virtualServers: [{ protocol: 'tcp', address: '10.0.0.1' }] },
      /\.port: it is missing: give a whole number from 0 to 65535$/,
    ],
    [{ virtualServers: [{ ...v6, realServers: [one] }] }, /it is IPv4, and the virtual server is IPv6: give an IPv6 address, or/],
    [
      { virtualServers: [{ firewallMark: 1, family: 'ipv4', realServers: [{ address: '::1', port: 0 }] }] },
      /^virtualServers\[0\]\.realServers\[0\]\.address: it is IPv6, and the virtual server is IPv4: give an IPv4 address, or forwarding 'tunnel'$/,
    ],
    [{ virtualServers: [{ ...v6, persistence: { netmask: '255.255.255.0' } }] }, /netmask: "255\.255\.255\.0" is no number/],
    [{ virtualServers: [{ ...web, persistence: { netmask: 64 } }] }, /netmask: 64 is out of range/],
    [
      { virtualServers: [{ ...web, realServers: [{ ...one, port: 81, forwarding: 'direct-route' }] }] },
      /realServers\[0\]\.port: 81 can not be reached by 'direct-route', which leaves ports as they are: give 80/,
    ],
    [{ virtualServers: [web, web] }, /^virtualServers\[1\]: tcp 10\.0\.0\.1:80 is there twice, virtualServers\[0\] is the first/],
    [{ virtualServers: [], timeouts: { tpc: 1 } }, /^timeouts\.tpc: there is no such field: did you mean tcp\?$/],
    [
      { virtualServers: [], syncDaemons: [{ role: 'master', interface: 'e'.repeat(16) }] },
      /interface: .* is no name: give 1 to 15/,
    ],
  ]
  for (const [value, message] of table) t.match(checkConfiguration(value)[0]?.message, message)
})

t.test('what a value holds is not told: it may be of any size', async t => {
  let bomb: unknown = 'x'
  for (let i = 0; i < 60; i++) bomb = [bomb, bomb]
  t.match(checkConfiguration({ virtualServers: [{ ...web, port: bomb }] })[0]?.message, /port: a list is no number/)
  t.match(
    checkConfiguration({ virtualServers: [{ ...web, persistence: { netmask: bomb } }] })[0]?.message,
    /netmask: a list is no IPv4 mask/,
  )
})

t.test('a real server of another family goes through a tunnel, with a plan as here', async t => {
  const tunnelled = { address: '2001:db8::9', port: 80, forwarding: 'tunnel' } as const
  const virtualServers = [{ ...web, protocol: 'tcp', realServers: [tunnelled] } as const]
  t.strictSame(checkConfiguration({ virtualServers }), [])
  await using lvs = await open({ transport: memoryKernel() })
  await lvs.apply(await lvs.plan(virtualServers))
  await t.rejects(lvs.plan([{ ...web, protocol: 'tcp', realServers: [{ ...tunnelled, forwarding: 'masquerade' }] }]), {
    message: /^desired\[0\]\.realServers\[0\]\.address: it is IPv6/,
  })
})

t.test('a daemon is the same when all that it was told is so, with the defaults and limits of the kernel', async t => {
  const running = {
    role: 'backup',
    interface: 'eth0',
    syncId: 0,
    maximumLength: 1472,
    group: '224.0.0.81',
    port: 8848,
    ttl: 1,
  } as const
  const wished = { role: 'backup', interface: 'eth0' } as const
  const table: [change: object, same: boolean, running?: object][] = [
    [{}, true],
    [{ syncId: 0, maximumLength: 1472, group: '224.0.0.81', port: 8848, ttl: 1 }, true],
    [{ interface: 'eth1' }, false],
    [{ syncId: 1 }, false],
    [{ maximumLength: 1400 }, false],
    [{ maximumLength: 5 }, true, { maximumLength: 1024 }],
    [{ role: 'master', maximumLength: 5 }, true, { role: 'master', maximumLength: 5 }],
    [{ group: 'ff02::1:0', maximumLength: 65507 }, true, { group: 'ff02::1:0', maximumLength: 65487 }],
    [{ group: 'FF02:0::1:0' }, true, { group: 'ff02::1:0' }],
    [{ group: '224.0.0.82' }, false],
    [{ port: 8849 }, false],
    [{ ttl: 2 }, false],
    [{}, true, { group: '', port: 0, ttl: 0, maximumLength: 0 }], // before Linux 4.3
  ]
  for (const [change, same, other = {}] of table)
    t.equal(sameSyncDaemon({ ...wished, ...change }, { ...running, ...other }), same, JSON.stringify([change, other]))
})
