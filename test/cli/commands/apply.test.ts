import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { main } from '../../../lib/cli/main.js'
import { open } from '../../../lib/ipvs/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'
import { between } from '../../kernel/support/between.js'
import { cli } from '../support.js'

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-apply.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
/** A new file with this text. */
function file(text: string): string {
  const name = join(folder, `${files++}`)
  writeFileSync(name, text)
  return name
}
const state = (): readonly string[] => ['--state', join(folder, `state-${files++}.json`)]

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const WEB = `
virtualServers:
  - protocol: tcp
    address: 10.0.0.1
    port: 80
    scheduler: wrr
    realServers: [{ address: 10.1.0.2, port: 80, weight: 3 }, { address: 10.1.0.3, port: 80 }]
  - { firewallMark: 7, family: ipv6, scheduler: rr, realServers: [] }
timeouts: { tcp: 600, udp: 300 }
syncDaemons: [{ role: master, interface: eth0, syncId: 3 }]
`
/** From a state that differs in everything. */
async function begun() {
  const it = await cli()
  await it.lvs.addVirtualServer({ ...web, scheduler: 'rr' })
  await it.lvs.addRealServer(web, { address: '10.1.0.1', port: 80 })
  await it.lvs.addRealServer(web, { address: '10.1.0.2', port: 80 })
  await it.lvs.startSyncDaemon({ role: 'master', interface: 'lo', port: 9000 })
  return it
}
const LINES = [
  '~ timeouts  tcp 900 → 600',
  '+ fwmark 7 ipv6  rr',
  '+ tcp 10.0.0.1:80 → 10.1.0.3:80  weight 1 masquerade',
  '~ tcp 10.0.0.1:80  scheduler rr → wrr',
  '~ tcp 10.0.0.1:80 → 10.1.0.2:80  weight 1 → 3',
  '- tcp 10.0.0.1:80 → 10.1.0.1:80',
  '- sync daemon master lo  syncId 0 maximumLength 1472 group 224.0.0.81 port 9000 ttl 1',
  '+ sync daemon master eth0  syncId 3',
]

t.test('it says what it did, in the order in which it did it; the second time there is nothing to do', async t => {
  const { run, lvs } = await begun()
  const args = ['apply', '-f', file(WEB), ...state()]
  const { status, stdout, stderr } = await run(args)
  t.strictSame([status, stderr], [0, ''])
  const lines = stdout.trimEnd().split('\n')
  t.equal(lines.pop(), '8 applied')
  t.strictSame(lines.toSorted(), LINES.toSorted())
  t.equal(lines[0], LINES[0])
  t.strictSame(lines.slice(6), LINES.slice(6))
  t.match(await lvs.timeouts(), { tcp: 600, udp: 300 })
  t.match(await lvs.syncDaemons(), [{ role: 'master', interface: 'eth0', syncId: 3, port: 8848 }])
  t.strictSame(await run(args), { status: 0, stdout: 'nothing to do\n', stderr: '' })
})

t.test('diff and --dry-run say the same and do nothing; diff ends with status 1 when there is something', async t => {
  const { run, lvs } = await begun()
  const before = await lvs.snapshot()
  const name = file(WEB)
  const dry = await run(['apply', '-f', name, '--dry-run'])
  const diff = await run(['diff', '-f', name])
  t.strictSame([dry.status, diff.status], [0, 1])
  t.equal(dry.stdout, diff.stdout)
  t.strictSame(dry.stdout.trimEnd().split('\n').toSorted(), LINES.toSorted())
  t.strictSame(await lvs.snapshot(), before)
  await run(['apply', '-f', name, ...state()])
  t.strictSame(await run(['diff', '-f', name]), { status: 0, stdout: 'nothing to do\n', stderr: '' })
})

t.test('what the kernel refuses is told with its reason, and the rest is applied', async t => {
  const { run, lvs } = await cli()
  const text = `virtualServers:
- { protocol: tcp, address: 10.0.0.1, port: 80, scheduler: nonesuch, realServers: [] }
- { protocol: tcp, address: 10.0.0.1, port: 81, scheduler: rr, realServers: [{ address: 224.0.0.1, port: 80 }] }
syncDaemons: [{ role: backup, interface: eth9 }]`
  const { status, stdout, stderr } = await run(['apply', '-f', file(text), ...state()])
  t.equal(status, 1)
  t.equal(stdout, '+ tcp 10.0.0.1:81  rr\n1 applied, 3 not applied\n')
  const [scheduler, unicast, daemon, ...more] = stderr.trimEnd().split('\n')
  t.match(
    scheduler,
    /^ts-ipvs: \+ tcp 10\.0\.0\.1:80 {2}nonesuch: the kernel has no scheduler nonesuch.* \(ENOENT\); applied: no$/,
  )
  t.match(unicast, /^ts-ipvs: \+ tcp 10\.0\.0\.1:81 → 224\.0\.0\.1:80 .*no unicast address.* \(EINVAL\); applied: no$/)
  t.match(daemon, /^ts-ipvs: \+ sync daemon backup eth9: there is no interface eth9.* \(ENODEV\); applied: no$/)
  t.strictSame(more, [])
  t.equal((await lvs.snapshot()).virtualServers.length, 1)
})

t.test('--json gives operations, how many were applied, and failures', async t => {
  const { run } = await cli()
  const text = `virtualServers:
- { protocol: tcp, address: 10.0.0.1, port: 80, scheduler: nonesuch }
- { protocol: tcp, address: 10.0.0.1, port: 81, scheduler: rr }
timeouts: { udp: 7 }`
  const operations = [
    { operation: 'setTimeouts', timeouts: { udp: 7 } },
    { operation: 'addVirtualServer', virtualServer: { ...web, scheduler: 'nonesuch' } },
    { operation: 'addVirtualServer', virtualServer: { ...web, port: 81, scheduler: 'rr' } },
  ]
  const diff = await run(['diff', '-f', file(text), '--json'])
  t.strictSame([diff.status, JSON.parse(diff.stdout)], [1, { operations, applied: 0, failed: [] }])
  const { status, stdout } = await run(['apply', '-f', file(text), '--json', ...state()])
  const { failed, ...others } = JSON.parse(stdout)
  t.strictSame([status, others], [1, { operations, applied: 2 }])
  t.match(failed, [{ operation: operations[1], applied: 'no', problem: 'no-such-scheduler', code: 'ENOENT', reason: /nonesuch/ }])
})

t.test('additions are green, changes yellow and removals red, on a terminal where nobody said no', async t => {
  const kernel = memoryKernel()
  await using lvs = await open({ transport: kernel })
  await lvs.addVirtualServer({ ...web, scheduler: 'rr' })
  await lvs.addRealServer(web, { address: '10.1.0.1', port: 80 })
  const name = file(
    'virtualServers:\n- { protocol: tcp, address: 10.0.0.1, port: 80, realServers: [{ address: 10.1.0.9, port: 80 }] }',
  )
  const printed = async (env: Record<string, string>, isTTY: boolean): Promise<string> => {
    const stdout = Object.assign(new PassThrough(), { isTTY })
    const { signal } = new AbortController()
    const io = { program: 'ts-ipvs', stdin: process.stdin, stdout, stderr: stdout, env, signal, suspend() {} }
    const openNft = () => Promise.reject(new Error('nothing is opened'))
    await main(['diff', '-f', name], { ...io, open: () => open({ transport: kernel }), openNft })
    return String(stdout.read())
  }
  t.equal(
    await printed({}, true),
    [
      '\x1b[32m+ tcp 10.0.0.1:80 → 10.1.0.9:80  weight 1 masquerade\x1b[39m',
      '\x1b[33m~ tcp 10.0.0.1:80  scheduler rr → wlc\x1b[39m',
      '\x1b[31m- tcp 10.0.0.1:80 → 10.1.0.1:80\x1b[39m\n',
    ].join('\n'),
  )
  t.notMatch(await printed({ NO_COLOR: '1' }, true), '\x1b')
  t.notMatch(await printed({}, false), '\x1b')
})

t.test('interrupted, it says what was applied, what was not, and what is unknown; run again it does the rest', async t => {
  const { kernel, lvs, run } = await cli()
  const list = Array.from({ length: 3000 }, (_, i) => `- { firewallMark: ${i + 1}, family: ipv4, scheduler: rr }`)
  const args = ['apply', '-f', file(`virtualServers:\n${list.join('\n')}`), ...state()]
  const interrupt = new AbortController()
  // The exchanges: the family, the window that tries the scheduler, and one of many.
  const transport = between(kernel, {
    after: ({ kind, index }) => {
      if (kind === 'exchange' && index === 3) interrupt.abort()
    },
  })
  const { status, stdout, stderr } = await run(args, { signal: interrupt.signal, open: () => open({ transport }) })
  t.equal(status, 1)
  const count = /^(?<applied>\d+) applied, (?<not>\d+) not applied, (?<unknown>\d+) unknown$/m.exec(stdout)?.groups ?? {}
  const told = (word: string): number => stderr.split('\n').filter(line => line.endsWith(`; applied: ${word}`)).length
  t.equal(stdout.match(/^\+ /gm)?.length, Number(count.applied))
  t.strictSame([told('no'), told('unknown')], [Number(count.not), Number(count.unknown)])
  t.equal(Number(count.applied) + Number(count.not) + Number(count.unknown), 3000)
  t.ok(Number(count.applied) > 0 && Number(count.not) > 0 && Number(count.unknown) > 0)
  const there = (await lvs.snapshot()).virtualServers.length
  t.equal(there, Number(count.applied) + Number(count.unknown), 'the unknown ones had arrived')
  const again = await run(args)
  t.match(again.stdout, new RegExp(`^${3000 - there} applied$`, 'm'))
})

t.test('interrupted before it began, nothing was sent', async t => {
  const { run, lvs } = await cli()
  const { status, stdout, stderr } = await run(['apply', '-f', file(WEB), ...state()], { signal: AbortSignal.abort() })
  t.strictSame([status, stdout], [1, ''])
  t.match(stderr, /nothing was sent/)
  t.strictSame((await lvs.snapshot()).virtualServers, [])
})

t.test('a role of synchronisation daemons that the file does not name is left alone, and so are time-outs', async t => {
  const { run, lvs } = await begun()
  await lvs.setTimeouts({ udp: 5 })
  await lvs.startSyncDaemon({ role: 'backup', interface: 'lo' })
  const before = await lvs.snapshot()
  const text = 'virtualServers: []\ntimeouts: { tcp: 900 }\nsyncDaemons: [{ role: master, interface: lo, port: 9000 }]'
  t.strictSame(await run(['apply', '-f', file(text), ...state()]), { status: 0, stdout: 'nothing to do\n', stderr: '' })
  t.strictSame(await lvs.snapshot(), before)
})

t.test('where the kernel is out of reach, diff ends with status 2 and apply with 1', async t => {
  const { run } = await cli(memoryKernel({ permitted: 'no' }))
  for (const [command, expected] of [
    ['diff', 2],
    ['apply', 1],
  ] as const) {
    const { status, stdout, stderr } = await run([command, '-f', file(WEB), ...state()])
    t.strictSame([status, stdout], [expected, ''])
    t.match(stderr, /CAP_NET_ADMIN/)
  }
})

t.test('a file on the standard input, in JSON, with the schema for editors', async t => {
  const { run, lvs } = await cli()
  const stdin = JSON.stringify({
    $schema: 'https://unpkg.com/…',
    virtualServers: [{ ...web, realServers: [{ address: '10.1.0.1', port: 1 }] }],
  })
  const { status } = await run(['apply', '-f', '-', ...state()], { stdin })
  t.equal(status, 0)
  t.match((await lvs.snapshot()).virtualServers, [{ ...web, scheduler: 'wlc', realServers: [{ address: '10.1.0.1', port: 1 }] }])
})
