import ansiEscapes from 'ansi-escapes'
import t from 'tap'
import { main } from '../../../lib/cli/main.js'
import { type Connection, open, type RealServerConfig } from '../../../lib/ipvs/index.js'
import { cli, ioFor } from '../support.js'
import { FakeTerminal } from './terminal.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const server = { address: '10.1.0.1', port: 8080 } as const
const WORDS = ['drain', 'tcp:10.0.0.1:80', '10.1.0.1:8080', '--interval', '10ms']

const connection = (port: number): Connection => ({
  protocol: 'tcp',
  client: { address: '192.0.2.9', port },
  virtual: { address: web.address, port: web.port },
  destination: server,
  state: 'ESTABLISHED',
  expires: 900,
})

/** A kernel with a real server that has connections. */
async function world(count: number, realServer: Partial<RealServerConfig> = {}) {
  const made = await cli()
  await made.lvs.addVirtualServer({ ...web, scheduler: 'rr' })
  await made.lvs.addRealServer(web, { ...server, weight: 3, ...realServer })
  return { ...made, connections: Array.from({ length: count }, (_, i) => made.kernel.addConnection(connection(40_000 + i))) }
}

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

t.test('a line when the number changes, and the outcome in the last', async t => {
  const { kernel, connections, lvs } = await world(2)
  const io = ioFor({ open: () => open({ transport: kernel }) })
  const running = main(WORDS, io)
  for (const [i, { end }] of connections.entries()) {
    while (io.stdout.text.split('\n').length < i + 2) await pause(5)
    end()
  }
  const status = await running
  const { stdout, stderr } = { stdout: io.stdout.text, stderr: io.stderr.text }
  t.strictSame(stdout.replaceAll(/\b[\d.]+ s(?=:| of)/g, 'N s').split('\n'), [
    '2 connections left, N s of 300 s',
    '1 connection left, N s of 300 s',
    '0 connections left, N s of 300 s',
    'drained in N s: 10.1.0.1:8080 is removed from tcp 10.0.0.1:80',
    '',
  ])
  t.strictSame([status, stderr], [0, ''])
  t.equal(await lvs.getRealServer(web, server), undefined)
})

t.test('on a terminal one line is written over', async t => {
  const { lvs, kernel } = await world(0)
  const { end } = kernel.addConnection(connection(40_000))
  const terminal = new FakeTerminal()
  const running = terminal.run(WORDS, kernel)
  await terminal.until(({ written }) => written.includes('1 connection left'))
  end()
  t.equal(await running, 0)
  const [first, ...more] = terminal.written.split(ansiEscapes.cursorLeft + ansiEscapes.eraseLine)
  t.equal(first, '', 'every text stands on an empty line')
  t.match(more[0], /^1 connection left, 0 s of 300 s$/)
  t.match(more.at(-1), /^drained in \S+ s: .*\n$/)
  t.equal(terminal.written.split('\n').length, 2, 'and it is one line')
  t.equal(await lvs.getRealServer(web, server), undefined)
})

t.test('--json is an object a look, and at last the result', async t => {
  const { kernel, connections } = await world(1)
  const io = ioFor({ open: () => open({ transport: kernel }) })
  const running = main([...WORDS, '--json'], io)
  while (!io.stdout.text.includes('\n')) await pause(5)
  connections[0]?.end()
  t.equal(await running, 0)
  const lines = io.stdout.text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(lines[0], { remaining: 1, elapsed: Number, timeout: 300 })
  t.match(lines.at(-1), { outcome: 'drained', removed: true, remaining: 0, weight: 3, warnings: [], elapsed: Number })
})

t.test('when the time is up', async t => {
  const table: [words: string[], text: RegExp, weight: number | undefined][] = [
    [
      [],
      /^timed out after \S+ s with 2 connections left, which are cut: 10\.1\.0\.1:8080 is removed from tcp 10\.0\.0\.1:80$/,
      undefined,
    ],
    [['--keep'], /^timed out after \S+ s with 2 connections left: 10\.1\.0\.1:8080 stays, with weight 0$/, 0],
  ]
  for (const [words, text, weight] of table) {
    const { run, lvs } = await world(2)
    const { status, stdout } = await run([...WORDS, '--timeout', '50ms', ...words])
    t.equal(status, 1)
    t.match(stdout.trimEnd().split('\n').at(-1), text)
    t.equal((await lvs.getRealServer(web, server))?.weight, weight)
  }
})

t.test('what is not there is named', async t => {
  const { run } = await world(0)
  const table: [words: string[], status: number, stderr: string][] = [
    [
      ['tcp:10.0.0.1:80', '10.1.0.2:80'],
      1,
      'tcp 10.0.0.1:80 has no real server 10.1.0.2:80: `ts-ipvs -Ln` lists those that it has',
    ],
    [
      ['udp:10.0.0.1:80', '10.1.0.2:80'],
      1,
      'there is no virtual server udp 10.0.0.1:80: `ts-ipvs -Ln` lists those that there are',
    ],
    [['10.0.0.1:80', '10.1.0.2:80'], 2, 'virtual server 10.0.0.1:80: give it as'],
    [['tcp:10.0.0.1:80', 'other'], 2, 'real server other: give it as'],
    [['tcp:10.0.0.256:80', '10.1.0.2:80'], 2, 'address and port 10.0.0.256:80: give it as'],
    [['tcp:10.0.0.1:80', '[2001:db8::1::2]:80'], 2, 'real server [2001:db8::1::2]:80: give it as'],
    [['fwmark:0', '10.1.0.2:80'], 2, 'virtual server fwmark:0: give a mark from 1 to 4294967295'],
    [['fwmark:4294967296', '10.1.0.2:80'], 2, 'give a mark from 1 to 4294967295'],
    [['tcp:10.0.0.1:80', '10.1.0.2:80', '--timeout', '600h'], 2, '--timeout 600h: give at most 2147483s'],
    [['tcp:10.0.0.1:80', '10.1.0.2:80', '--interval', '2147484'], 2, '--interval 2147484: give at most 2147483s'],
    [['tcp:10.0.0.1:80', '10.1.0.2:80', '--timeout', 'x'], 2, '--timeout x: give a time'],
  ]
  for (const [words, status, stderr] of table) t.match(await run(['drain', ...words]), { status, stderr })
  const json = await run(['drain', 'tcp:10.0.0.1:80', '10.1.0.2:80', '--json'])
  t.match(JSON.parse(json.stdout), { outcome: 'not-found', removed: false })
  t.equal(json.status, 1)
})

t.test('warnings go to the standard error before the waiting begins', async t => {
  const { run, lvs } = await world(1)
  await lvs.setSysctl('conn_reuse_mode', 0)
  const { stdout, stderr } = await run([...WORDS, '--timeout', '50ms'])
  t.match(stderr, /^ts-ipvs: warning: conn_reuse_mode is 0: .*; set it to 1\n$/)
  t.notMatch(stdout, /warning/)
})

t.test('interrupted, it tells that the weight is 0, how to go on, and the whole edit that undoes it', async t => {
  const table: [realServer: Partial<RealServerConfig>, undo: string][] = [
    [{}, '-m -w 3'],
    [{ weight: 0 }, '-m -w WEIGHT'],
    [{ upperThreshold: 100, lowerThreshold: 80 }, '-m -w 3 -x 100 -y 80'],
    [{ forwarding: 'direct-route', port: 80 }, '-g -w 3'],
    [{ forwarding: 'tunnel', port: 80 }, '-i -w 3 --tun-type ipip'],
    [
      { forwarding: 'tunnel', port: 80, tunnel: { type: 'gue', port: 6080 } },
      '-i -w 3 --tun-type gue --tun-port 6080 --tun-nocsum',
    ],
    [
      { forwarding: 'tunnel', port: 80, tunnel: { type: 'gue', port: 6080, checksum: 'remote-checksum' } },
      '-i -w 3 --tun-type gue --tun-port 6080 --tun-remcsum',
    ],
    [{ forwarding: 'tunnel', port: 80, tunnel: { type: 'gre', checksum: 'checksum' } }, '-i -w 3 --tun-type gre --tun-csum'],
  ]
  for (const [realServer, undo] of table) {
    const { lvs, kernel } = await world(0, realServer)
    const port = realServer.port ?? server.port
    kernel.addConnection({ ...connection(40_000), destination: { ...server, port } })
    const ending = new AbortController()
    const io = ioFor({ open: () => open({ transport: kernel }), signal: ending.signal })
    const running = main(['drain', 'tcp:10.0.0.1:80', `10.1.0.1:${port}`, '--timeout', '30s'], io)
    while (!io.stdout.text.includes('1 connection left')) await pause(5)
    ending.abort()
    t.equal(await running, 1)
    t.equal(
      io.stderr.text,
      [
        `ts-ipvs: interrupted: the weight of 10.1.0.1:${port} is 0 and stays 0`,
        `  to go on:      ts-ipvs drain tcp:10.0.0.1:80 10.1.0.1:${port} --timeout 30s`,
        `  to undo it:    ts-ipvs -e -t 10.0.0.1:80 -r 10.1.0.1:${port} ${undo}\n`,
      ].join('\n'),
    )
    t.equal((await lvs.getRealServer(web, { ...server, port }))?.weight, 0)
  }
})
