/** ipvsadm's command line on a kernel in memory. That it says what ipvsadm says is proved against ipvsadm itself, in test/kernel/cli. */
import t from 'tap'
import { open } from '../../../lib/ipvs/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'
import { cli } from '../support.js'

const words = (text: string): string[] => text.split(' ')

t.test('virtual and real servers are added, listed, saved and removed', async t => {
  const { run } = await cli()
  for (const text of ['-A -t 10.0.0.1:80 -s rr', '-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 3 -x 10', '-A -f 7 -6 -p 60'])
    t.strictSame(await run(words(text)), { status: 0, stdout: '', stderr: '' }, text)
  const table = [
    'IP Virtual Server version 1.2.1 (size=4096)',
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
    'TCP  10.0.0.1:80 rr',
    '  -> 10.1.0.1:8080                Masq    3      0          0         ',
    'FWM  7 IPv6 wlc persistent 60',
    '',
  ].join('\n')
  t.equal((await run(['-Ln'])).stdout, table)
  t.equal((await run(words('-Ln -f 7 -6'))).stdout.split('\n').length, 4, 'one virtual server, without the first line')
  t.equal(
    (await run(['-Sn'])).stdout,
    '-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 3 -x 10\n-A -f 7 -6 -s wlc -p 60\n',
  )
  for (const text of [
    '-e -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 0',
    '-d -t 10.0.0.1:80 -r 10.1.0.1:8080',
    '-D -f 7 -6',
    '-Z',
    '-C',
  ])
    t.equal((await run(words(text))).status, 0, text)
  t.equal((await run(['-Sn'])).stdout, '')
})

t.test('without a word the tables are listed, as with -L', async t => {
  const { run } = await cli()
  await run(words('-A -t 10.0.0.1:80'))
  t.strictSame(await run([]), await run(['-L']))
  t.match((await run([])).stdout, /^TCP {2}10\.0\.0\.1:http wlc$/m)
})

t.test('what the kernel refuses is told in the words of ipvsadm, with its status', async t => {
  const { run } = await cli()
  await run(words('-A -t 10.0.0.1:80'))
  await run(words('-a -t 10.0.0.1:80 -r 10.1.0.1 -m'))
  for (const [text, message] of [
    ['-A -t 10.0.0.1:80', 'Service already exists'],
    ['-A -t 10.0.0.2:80 -s nosuch', 'Scheduler or persistence engine not found'],
    ['-A -t 10.0.0.2:80 --pe no{such', 'Scheduler or persistence engine not found'],
    ['-E -t 10.0.0.2:80', 'No such service'],
    ['-D -t 10.0.0.2:80', 'No such service'],
    ['-Z -t 10.0.0.2:80', 'No such service'],
    ['-a -t 10.0.0.2:80 -r 10.1.0.1', 'Service not defined'],
    ['-a -t 10.0.0.1:80 -r 10.1.0.1 -m', 'Destination already exists'],
    ['-e -t 10.0.0.1:80 -r 10.1.0.2', 'No such destination'],
    ['-d -t 10.0.0.1:80 -r 10.1.0.2', 'No such destination'],
    ['-d -t 10.0.0.2:80 -r 10.1.0.2', 'Service not defined'],
    ['-a -t 10.0.0.1:80 -r 10.1.0.2 -x 1 -y 2', 'Numerical result out of range'],
    ['-a -t 10.0.0.2:80 -r 10.1.0.2 -x 1 -y 2', 'Service not defined'],
    ['-a -t 10.0.0.1:80 -r 224.0.0.1', 'Invalid operation.  Possibly wrong module version, address not unicast, ...'],
    ['--start-daemon master', ''],
    ['--start-daemon master', 'Daemon has already run'],
    ['--start-daemon backup --mcast-interface nosuch', 'No such device'],
    ['--stop-daemon backup', 'No daemon is running'],
  ] as const)
    t.strictSame(await run(words(text)), { status: message ? 255 : 0, stdout: '', stderr: message ? `${message}\n` : '' }, text)
  t.strictSame(await run(words('-L -t 10.0.0.2:80')), { status: 1, stdout: '', stderr: 'No such service\n' })
})

t.test('a kernel without IPVS, and one that lets nobody in, are told as ipvsadm tells them', async t => {
  const sure = '\nAre you sure that IP Virtual Server is built in the kernel or as module?\n'
  for (const [kernel, why] of [
    [memoryKernel({ ipvs: false }), 'Protocol not available'],
    [memoryKernel({ permitted: 'no' }), 'Permission denied (you must be root)'],
  ] as const)
    for (const text of ['-Ln', '-A -t 10.0.0.1:80', '--set 1 2 3', '-Sn', '-L --timeout', '-Lcn', '-R']) {
      const { run } = await cli(kernel)
      t.strictSame(await run(words(text)), { status: 2, stdout: '', stderr: `Can't initialize ipvs: ${why}${sure}` }, text)
    }
})

t.test('a wrong command line is told before the kernel is asked', async t => {
  const { run } = await cli(memoryKernel({ ipvs: false }))
  t.strictSame(await run(words('-L --foo')), { status: 255, stdout: '', stderr: '--foo: unknown option\n' })
  const help = "Try `ts-ipvs -h' or 'ts-ipvs --help' for more information.\n"
  t.strictSame(await run(['-n']), { status: 255, stdout: '', stderr: help })
  t.match((await run(['-n'], { program: 'ipvsadm' })).stderr, /^Try `ipvsadm -h' or 'ipvsadm --help'/)
})

t.test('an IPv6 address with a port takes brackets: without them it is no name of a host, either', async t => {
  const { run } = await cli()
  for (const address of ['1:2:3:4:5:6:7:8:80', ':::80', 'fe80::1%lo:80'])
    t.strictSame(
      await run(['-A', '-t', address]),
      { status: 2, stdout: '', stderr: 'illegal virtual server address[:port] specified\n' },
      address,
    )
})

t.test('every listing comes as JSON, too', async t => {
  const { run } = await cli()
  await run(words('-A -t 10.0.0.1:80 -s rr -p 60'))
  await run(words('-a -t 10.0.0.1:80 -r 10.1.0.1 -m'))
  const json = async (text: string) => JSON.parse((await run(words(text))).stdout)
  const listed = await json('-L --json')
  t.match(listed, { version: '1.2.1', connectionTableSize: 4096 })
  t.match(listed.virtualServers, [
    { protocol: 'tcp', address: '10.0.0.1', port: 80, scheduler: 'rr', persistence: { timeout: 60 } },
  ])
  t.match(listed.virtualServers[0].realServers, [{ address: '10.1.0.1', port: 80, forwarding: 'masquerade', weight: 1 }])
  t.notOk('statistics' in listed.virtualServers[0])
  t.match((await json('-L --json --stats -t 10.0.0.1:80')).virtualServers[0].statistics, { connections: 0, incomingBytes: 0 })
  t.match(await json('-S --json'), {
    timeouts: { tcp: 900 },
    virtualServers: [{ address: '10.0.0.1', realServers: [{ port: 80 }] }],
  })
  t.strictSame(await json('-L --timeout --json'), { tcp: 900, tcpFin: 120, udp: 300 })
  t.strictSame(await json('-L --daemon --json'), [])
  t.strictSame(await json('-L -c --json'), [])
  t.match(await run(words('-C --json')), { status: 2, stderr: "Illegal 'json' option with the 'flush' command\n" })
})

t.test('a restore carries out line by line, tells every bad line with its number, and goes on', async t => {
  const { run, lvs } = await cli()
  const stdin = [
    '-A -t 10.0.0.1:80 -s rr',
    '\tts-ipvs -Z',
    '  ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.1:80 -m # words behind this sign do not count',
    '# neither does this line',
    '',
    '-A -t 10.0.0.1:80',
    '-A -t',
    'word',
    '-R',
    '--netns blue -A -t 10.0.0.9:80',
    '-a -t 10.0.0.7:80 -r 10.1.0.1:80',
    '--set 7 8 9',
    '-L --timeout',
    '-A -t 10.0.0.2:80',
  ].join('\n')
  t.strictSame(await run(['-R'], { stdin }), {
    status: 1,
    stdout: 'Timeout (tcp tcpfin udp): 7 8 9\n',
    stderr: [
      'line 6: -A -t 10.0.0.1:80: Service already exists',
      'line 7: -A -t: -t: missing argument',
      'line 8: word: this is no command',
      'line 9: -R: lines can not be restored from within',
      'line 10: --netns blue -A -t 10.0.0.9:80: --netns goes with -R itself, for all lines',
      'line 11: -a -t 10.0.0.7:80 -r 10.1.0.1:80: Service not defined',
      '6 of 14 lines failed, the others were carried out',
      '',
    ].join('\n'),
  })
  const { virtualServers } = await lvs.snapshot()
  t.strictSame(virtualServers.map(vs => 'address' in vs && vs.address).sort(), ['10.0.0.1', '10.0.0.2'])
  t.strictSame(await run(['-R'], { stdin: '-D -t 10.0.0.2:80\n' }), { status: 0, stdout: '', stderr: '' })
})

t.test('a line that can not be read, whatever it is, is told with its number, and the others go on', async t => {
  const { run } = await cli()
  const long = `-A -t 10.0.0.3:80 ${'x'.repeat(200_000)}`
  const stdin = [
    '-A -t 10.0.0.1:80',
    '-A -t :80',
    '-p',
    '-h',
    '--stop-daemon master',
    '-L -t 9.9.9.9:9',
    long,
    '-A -t\u001b[0m',
    '-A ipvsadm -t 10.0.0.2:80',
  ]
  const { status, stderr } = await run(['-R'], { stdin: stdin.join('\n') })
  t.equal(status, 1)
  t.strictSame(stderr.split('\n'), [
    'line 2: -A -t :80: illegal virtual server address[:port] specified',
    'line 3: -p: this is no command',
    'line 4: -h: this is no command',
    'line 5: --stop-daemon master: No daemon is running',
    'No such service',
    'line 6: -L -t 9.9.9.9:9: see above',
    `line 7: ${long.slice(0, 200)}…: it is longer than 65536 characters`,
    'line 8: -A -t\\x1b[0m: illegal virtual server address[:port] specified',
    '7 of 9 lines failed, the others were carried out',
    '',
  ])
  t.equal((await run(['-Sn'])).stdout, '-A -t 10.0.0.1:80 -s wlc\n-A -t 10.0.0.2:80 -s wlc\n')
})

t.test('an interrupted restore tells up to which line it came', async t => {
  const { run, kernel } = await cli()
  const ending = new AbortController()
  const client = await open({ transport: kernel })
  const carryOut = client.run.bind(client)
  client.run = async (...parameters) => {
    const results = await carryOut(...parameters)
    ending.abort()
    return results
  }
  const stdin = Array.from({ length: 500 }, (_, i) => `-A -f ${i + 1}\n`).join('')
  t.strictSame(await run(['-R'], { stdin, signal: ending.signal, open: async () => client }), {
    status: 1,
    stdout: '',
    stderr: 'interrupted: nothing behind line 200 was done\n',
  })
  t.equal((await run(['-Sn'])).stdout.split('\n').length - 1, 200)
})

t.test('--netns or --json alone list, as no word does', async t => {
  const { run } = await cli()
  t.strictSame(await run(['--netns', 'blue']), await run([]))
  t.strictSame(JSON.parse((await run(['--json'])).stdout).virtualServers, [])
})

t.test('many lines are restored in the order in which they stand', async t => {
  const { run } = await cli()
  const lines = Array.from({ length: 300 }, (_, i) => `10.${i >> 8}.${i & 255}.1:80`).flatMap(address => [
    `-A -t ${address} -s rr`,
    ...Array.from({ length: 20 }, (_, i) => `-a -t ${address} -r 10.1.0.${i + 1}:80 -m -w ${i}`),
  ])
  t.strictSame(await run(['-R'], { stdin: lines.join('\n') }), { status: 0, stdout: '', stderr: '' })
  t.equal((await run(['-Sn'])).stdout, `${lines.join('\n')}\n`)
})
