import { constants } from 'node:os'
import ansiEscapes from 'ansi-escapes'
import t, { type Test } from 'tap'
import { cli } from '../support.js'
import { FakeTerminal } from './terminal.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const mail = { protocol: 'tcp', address: '10.0.0.2', port: 25 } as const
const server = { address: '10.1.0.1', port: 80 } as const

const ENTER = ansiEscapes.enterAlternativeScreen + ansiEscapes.cursorHide
const LEAVE = ansiEscapes.cursorShow + ansiEscapes.exitAlternativeScreen

/** A kernel with two virtual servers, of which one has traffic. */
async function world() {
  const made = await cli()
  for (const virtualServer of [web, mail]) {
    await made.lvs.addVirtualServer({ ...virtualServer, scheduler: 'rr' })
    await made.lvs.addRealServer(virtualServer, server)
  }
  made.kernel.setCounters({ connectionRate: 12n, incomingByteRate: 3456n }, web)
  made.kernel.setCounters({ activeConnections: 7 }, mail, server)
  return made
}

t.test('elsewhere than on a terminal it is a table, without escapes', async t => {
  const { run } = await world()
  const { status, stdout, stderr } = await run(['top'])
  t.equal(
    stdout,
    [
      'Server           Sched/Fwd   Weight  Active  Inactive  Conn/s  InPkt/s  OutPkt/s  InB/s  OutB/s',
      'tcp 10.0.0.1:80  rr                       0         0      12        0         0   3.5K       0',
      '  10.1.0.1:80    masquerade       1       0         0       0        0         0      0       0',
      'tcp 10.0.0.2:25  rr                       7         0       0        0         0      0       0',
      '  10.1.0.1:80    masquerade       1       7         0       0        0         0      0       0',
      '',
    ].join('\n'),
  )
  t.strictSame([status, stderr], [0, ''])
})

t.test('--iterations are so many tables, --sort their order', async t => {
  const { run } = await world()
  const { stdout } = await run(['top', '--iterations', '3', '--interval', '10ms', '--sort', 'active'])
  const tables = stdout.split('\n\n')
  t.equal(tables.length, 3)
  for (const table of tables) t.match(table, /^Server.*\ntcp 10\.0\.0\.2:25 /)
})

t.test('an endless table ends with the signal', async t => {
  const { run } = await world()
  const ending = new AbortController()
  setTimeout(() => ending.abort(), 100)
  const { status } = await run(['top', '--iterations', '999999', '--interval', '10ms'], { signal: ending.signal })
  t.equal(status, 0)
})

t.test('what can not be is refused', async t => {
  const { run } = await world()
  for (const [words, reason] of [
    [['--iterations', '0'], '--iterations 0: give a whole number from 1'],
    [['--iterations', 'many'], '--iterations many: give a whole number from 1'],
    [['--interval', 'x'], '--interval x: give a time'],
    [['--sort', 'x'], 'Allowed choices are name, active'],
  ] as const)
    t.match(await run(['top', ...words]), { status: 2, stderr: reason })
})

t.test('a dumb terminal gets a table', async t => {
  const { kernel } = await world()
  const terminal = new FakeTerminal()
  t.equal(await terminal.run(['top', '--iterations', '1'], kernel, { TERM: 'dumb' }), 0)
  t.match(terminal.written, /^Server/)
})

t.test('where the locale has only ASCII it draws with that', async t => {
  for (const env of [{ LANG: '' }, { LANG: 'C' }, { LC_ALL: 'POSIX' }, { LC_CTYPE: 'de_DE.ISO-8859-1' }]) {
    const { kernel } = await world()
    const terminal = new FakeTerminal()
    const running = terminal.run(['top', '--interval', '20ms'], kernel, env)
    await terminal.until(({ screen }) => /#$/m.test(screen))
    t.match(terminal.screen, / vConn\/s /)
    t.match(terminal.written, /^[\0-\x7f]*$/)
    terminal.type('q')
    t.equal(await running, 0)
  }
})

t.test('on a terminal', async t => {
  const start = async (...words: string[]) => {
    const made = await world()
    const terminal = new FakeTerminal()
    const running = terminal.run(['top', '--interval', '20ms', ...words], made.kernel, { NO_COLOR: '1' })
    await terminal.until(({ screen }) => screen.includes('tcp 10.0.0.1:80'))
    return { ...made, terminal, running }
  }
  const restored = (t: Test, terminal: FakeTerminal): void => {
    t.ok(terminal.written.startsWith(ENTER))
    t.ok(terminal.written.endsWith(LEAVE), 'the cursor and the main screen are back')
    t.strictSame(terminal.rawModes, [true, false])
    t.equal(terminal.listeners, 0)
  }

  await t.test('it follows keys, changes of the tables and of its size', async t => {
    const { terminal, running, lvs } = await start()
    const names = (): string[] => [...terminal.screen.matchAll(/^tcp \S+/gm)].map(([name]) => name)
    t.strictSame(names(), ['tcp 10.0.0.1:80', 'tcp 10.0.0.2:25'])
    terminal.type('<<')
    await terminal.until(({ screen }) => screen.includes('↓Active'))
    t.strictSame(names(), ['tcp 10.0.0.2:25', 'tcp 10.0.0.1:80'])
    terminal.type('n')
    await terminal.until(({ screen }) => screen.includes('↑'))
    t.strictSame(names(), ['tcp 10.0.0.1:80', 'tcp 10.0.0.2:25'])
    await lvs.removeVirtualServer(mail)
    await terminal.until(() => names().length === 1)
    terminal.resize(60, 5)
    await terminal.until(({ screen }) => !screen.includes('Weight'))
    terminal.type(' ')
    await terminal.until(({ screen }) => screen.includes('1 virtual server'))
    await lvs.removeVirtualServer(web)
    await new Promise(resolve => setTimeout(resolve, 100))
    t.strictSame(names(), ['tcp 10.0.0.1:80'], 'paused, it does not look')
    terminal.type(' ')
    await terminal.until(() => names().length === 0)
    terminal.type('q')
    t.equal(await running, 0)
  })

  const endings: [words: string, end: (terminal: FakeTerminal) => void, status: number][] = [
    ['q', terminal => terminal.type('q'), 0],
    ['Esc', terminal => terminal.type('\x1b'), 0],
    ['Ctrl-C', terminal => terminal.type('\x03'), 0],
    ['a signal', terminal => terminal.end(), 0],
    ['the end of the terminal', terminal => terminal.hangUp(), 1],
  ]
  for (const [words, end, status] of endings)
    await t.test(`${words} restores it`, async t => {
      const { terminal, running } = await start()
      end(terminal)
      t.equal(await running, status)
      restored(t, terminal)
    })

  for (const [words, stop] of [
    ['Ctrl-Z', (terminal: FakeTerminal) => terminal.type('\x1a')],
    ['SIGTSTP', () => process.emit('SIGTSTP')],
  ] as const)
    await t.test(`${words} gives the terminal back, SIGCONT takes it again`, async t => {
      const { terminal, running } = await start()
      stop(terminal)
      await terminal.until(({ stops }) => stops.length === 1)
      t.ok(terminal.stops[0]?.endsWith(LEAVE), 'before the program stops')
      process.emit('SIGCONT')
      t.ok(terminal.written.slice(terminal.stops[0]?.length).startsWith(ENTER))
      t.match(terminal.screen, 'tcp 10.0.0.1:80')
      t.strictSame(terminal.rawModes, [true, false, true])
      terminal.type('q')
      t.equal(await running, 0)
      t.ok(terminal.written.endsWith(LEAVE))
      t.equal(terminal.listeners + process.listenerCount('SIGCONT') + process.listenerCount('SIGTSTP'), 0)
    })

  await t.test('a terminal that says it has no size is taken for one of 80 by 24', async t => {
    const { terminal, running } = await start()
    terminal.resize(0, 0)
    await terminal.until(({ screen }) => screen.split('\n').length >= 24)
    t.match(terminal.screen, 'tcp 10.0.0.1:80')
    terminal.type('q')
    t.equal(await running, 0)
  })

  await t.test('so do --iterations', async t => {
    const { terminal, running } = await start('--iterations', '2')
    t.equal(await running, 0)
    t.equal(terminal.written.split(ansiEscapes.beginSynchronizedOutput).length - 1, 2)
    restored(t, terminal)
  })

  await t.test('so does an exception while it draws', async t => {
    const { terminal, running } = await start()
    terminal.breakDrawing()
    t.equal(await running, 1)
    t.match(terminal.errors.text, /^ts-ipvs: it does not draw\n$/)
    restored(t, terminal)
  })

  await t.test('so does a kernel that is gone', async t => {
    const { terminal, running, kernel } = await start()
    kernel.unloadModule()
    t.equal(await running, 1)
    t.match(terminal.errors.text, /modprobe ip_vs/)
    restored(t, terminal)
  })

  await t.test('a look that fails in passing is told, and the next one is made', async t => {
    const { terminal, running, kernel } = await start()
    const fault = { errno: constants.errno.ENOMEM, syscall: 'sendmsg' } as const
    const injected = kernel.inject({ on: 'exchange', times: Number.POSITIVE_INFINITY, fault })
    await terminal.until(({ screen }) => screen.includes('no memory'))
    t.match(terminal.screen, 'tcp 10.0.0.1:80')
    injected.release()
    await terminal.until(({ screen }) => !screen.includes('no memory'))
    terminal.type('q')
    t.equal(await running, 0)
  })

  await t.test('a kernel that can not be read from the beginning never gets a screen', async t => {
    const { kernel } = await world()
    kernel.unloadModule()
    const terminal = new FakeTerminal()
    t.equal(await terminal.run(['top'], kernel), 1)
    t.equal(terminal.written, '')
  })
})
