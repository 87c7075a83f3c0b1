import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { memoryKernel } from '../../../lib/testing/index.js'
import { be16, flags, ipv4, u16, u32 } from '../../kernel/support/bytes.js'
import { KEY, SERVICE, SETTINGS } from '../../kernel/support/objects.js'
import { Random } from '../../kernel/support/random.js'
import { Raw } from '../../kernel/support/raw.js'
import { randomConfiguration } from '../random.js'
import { cli } from '../support.js'

t.setTimeout(300_000)

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-save.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
let states = 0
const apply = () => ['apply', '-f', '-', '--state', join(folder, `${states++}.json`)]

const FILE = `timeouts:
  tcp: 900
  tcpFin: 120
  udp: 300
syncDaemons:
  - role: backup
    interface: eth0
    syncId: 5
    maximumLength: 1472
    group: 224.0.0.81
    port: 8848
    ttl: 1
virtualServers:
  - protocol: tcp
    address: 9.0.0.1
    port: 80
    scheduler: sh
    schedulerFlags:
      - sh-port
    persistence:
      timeout: 360
      netmask: 255.255.255.0
    realServers:
      - { address: 10.1.0.2, port: 80, weight: 1, forwarding: masquerade }
      - { address: 10.1.0.10, port: 80, weight: 1, forwarding: masquerade, upperThreshold: 10, lowerThreshold: 5 }
      - { address: 10.1.0.10, port: 443, weight: 0, forwarding: masquerade }
  - protocol: tcp
    address: 10.0.0.1
    port: 80
    scheduler: wlc
    dormantPersistence:
      netmask: 255.0.0.0
    realServers: []
  - protocol: udp
    address: 2001:db8::1
    port: 53
    scheduler: rr
    onePacket: true
    realServers:
      - { address: fd00::1, port: 53, weight: 2, forwarding: tunnel, tunnel: { type: gue, port: 6080, checksum: checksum } }
      - { address: fd00::2, port: 53, weight: 1, forwarding: tunnel }
  - firewallMark: 7
    family: ipv4
    scheduler: rr
    realServers: []
`

t.test('everything that is configured is saved, sorted by numbers, a line for each real server', async t => {
  const { run } = await cli()
  t.equal((await run(apply(), { stdin: FILE })).status, 0)
  t.strictSame(await run(['save']), { status: 0, stdout: FILE, stderr: '' })
})

t.test('nothing that is counted is', async t => {
  const { run, kernel, lvs } = await cli()
  await run(apply(), { stdin: FILE })
  const web = { protocol: 'tcp', address: '9.0.0.1', port: 80 } as const
  kernel.setCounters({ activeConnections: 5, incomingBytes: 7n }, web, { address: '10.1.0.2', port: 80 })
  t.equal((await lvs.getRealServer(web, { address: '10.1.0.2', port: 80 }))?.activeConnections, 5)
  t.equal((await run(['save'])).stdout, FILE)
})

t.test('an empty kernel is saved, too', async t => {
  const { run } = await cli(memoryKernel())
  t.equal((await run(['save'])).stdout, 'timeouts:\n  tcp: 900\n  tcpFin: 120\n  udp: 300\nvirtualServers: []\n')
  const json = await run(['save', '--format', 'json'])
  t.strictSame(JSON.parse(json.stdout), { timeouts: { tcp: 900, tcpFin: 120, udp: 300 }, virtualServers: [] })
  t.strictSame(await run(['save', '--format', 'ipvsadm']), { status: 0, stdout: '--set 900 120 300\n', stderr: '' })
})

for (const format of ['yaml', 'json'])
  t.test(
    `what was saved as ${format}, applied to an empty kernel and saved again, is the same text, and diff finds nothing`,
    async t => {
      const random = new Random(7)
      for (let i = 0; i < 15; i++) {
        const one = await cli()
        t.match(await one.run(apply(), { stdin: JSON.stringify(randomConfiguration(random)) }), { status: 0, stderr: '' })
        const saved = await one.run(['save', '--format', format])
        t.strictSame([saved.status, saved.stderr], [0, ''])
        const other = await cli()
        t.match(await other.run(apply(), { stdin: saved.stdout }), { status: 0, stderr: '' })
        t.equal((await other.run(['save', '--format', format])).stdout, saved.stdout)
        for (const { run } of [one, other])
          t.match(await run(['diff', '-f', '-'], { stdin: saved.stdout }), { status: 0, stdout: 'nothing to do\n' })
      }
    },
  )

t.test('the commands for ipvsadm begin with time-outs and daemons', async t => {
  const { run, lvs } = await cli()
  await lvs.startSyncDaemon({ role: 'master', interface: 'eth0', syncId: 3, group: '239.0.0.1', ttl: 4 })
  await lvs.startSyncDaemon({ role: 'backup', interface: 'lo', maximumLength: 2000, port: 9000 })
  await lvs.setTimeouts({ tcpFin: 5 })
  await lvs.addVirtualServer({ protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr' })
  const { status, stdout } = await run(['save', '--format', 'ipvsadm'])
  t.equal(status, 0)
  t.match(
    stdout,
    [
      '--set 900 5 300',
      '--start-daemon master --mcast-interface eth0 --syncid 3 --sync-maxlen 1472 --mcast-group 239.0.0.1 --mcast-port 8848 --mcast-ttl 4',
      '--start-daemon backup --mcast-interface lo --syncid 0 --sync-maxlen 2000 --mcast-group 224.0.0.81 --mcast-port 9000 --mcast-ttl 1',
      '-A -t 10.0.0.1:80 -s rr',
    ].join('\n'),
  )
})

t.test('what has no words is told, left out, and makes the status 1; the rest can be applied', async t => {
  const { kernel, run, lvs } = await cli()
  const raw = new Raw(kernel)
  t.teardown(() => raw.close())
  const marked = { AF: KEY.AF, FWMARK: u32(5), ...SETTINGS }
  const dest = { ADDR: ipv4('10.1.0.1'), PORT: be16(81), FWD_METHOD: u32(3), WEIGHT: u32(1), U_THRESH: u32(0), L_THRESH: u32(0) }
  await raw.do('NEW_SERVICE', { service: { ...SERVICE, PROTOCOL: u16(50) } })
  await raw.do('NEW_SERVICE', { service: { ...marked, FLAGS: flags(0x100) } })
  await raw.do('NEW_SERVICE', { service: SERVICE })
  await raw.do('NEW_DEST', { service: KEY, dest })
  await lvs.addRealServer({ protocol: 'tcp', address: '10.0.0.1', port: 80 }, { address: '10.1.0.2', port: 80 })
  const saved = await run(['save'])
  t.equal(saved.status, 1)
  const lost = saved.stderr.trimEnd().split('\n')
  t.equal(lost.length, 3)
  t.match(lost[0], /^ts-ipvs: not saved: fwmark 5 ipv4: flags 0x100 have no name$/)
  t.match(lost[1], /^ts-ipvs: not saved: tcp 10\.0\.0\.1:80 → 10\.1\.0\.1:81: port: 81 can not be reached by 'direct-route'/)
  t.match(lost[2], /^ts-ipvs: not saved: 50 10\.0\.0\.1:80: protocol: IPVS balances tcp, udp and sctp/)
  const other = await cli()
  t.match(await other.run(apply(), { stdin: saved.stdout }), { status: 0, stderr: '' })
  const [web, mark, ...none] = (await other.lvs.snapshot()).virtualServers
  t.match([web, mark, none], [{ port: 80, realServers: [{ address: '10.1.0.2' }] }, { firewallMark: 5 }, []])
})

t.test('what ipvsadm -R would refuse or change is told, and makes the status 1; the rest can be restored', async t => {
  const { run, lvs } = await cli()
  await lvs.setTimeouts({ tcp: 2_678_401, udp: 2_678_400 })
  const web = { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr' } as const
  await lvs.addVirtualServer(web)
  await lvs.addVirtualServer({ ...web, port: 0, persistence: { timeout: 4_000_000 } })
  const { status, stdout, stderr } = await run(['save', '--format', 'ipvsadm'])
  t.equal(status, 1)
  t.equal(stdout, '--set 0 120 2678400\n-A -t 10.0.0.1:80 -s rr\n')
  t.strictSame(stderr.trimEnd().split('\n'), [
    'ts-ipvs: not saved: --set: the time-out tcp 2678401, for ipvsadm takes at most 2678400 seconds',
    'ts-ipvs: not saved: -t 10.0.0.1:0: the persistence time-out 4000000, for ipvsadm takes 1 to 2678400 seconds',
  ])
  const other = await cli()
  t.match(await other.run(['-R'], { stdin: stdout }), { status: 0, stderr: '' })
  t.match(await other.lvs.snapshot(), { timeouts: { tcp: 900, udp: 2_678_400 }, virtualServers: [web] })
})
