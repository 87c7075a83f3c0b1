/** What a person sees in a terminal while real connections come and go. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { IpvsClient } from '../../../lib/ipvs/index.js'
import type { Case, LinuxContext } from '../support/case.js'
import { eventually } from '../support/expect.js'
import type { Orders } from '../traffic/peer.js'
import { startPeer } from '../traffic/remote.js'
import { Terminal } from './terminal.js'

const ADDRESS = '127.0.0.10'
/** Virtual servers: one whose connections come and go, one whose connections stay. */
const busy = { protocol: 'tcp', address: ADDRESS, port: 80 } as const
const held = { protocol: 'tcp', address: ADDRESS, port: 81 } as const
const servers = ['127.0.0.11', '127.0.0.12'].map(address => ({ address, port: 8080 }))
const [first, second] = servers as [(typeof servers)[0], (typeof servers)[0]]

interface Network {
  readonly lvs: IpvsClient
  /** Real servers and clients. */
  readonly peer: Orders
}

async function network(context: LinuxContext): Promise<Network> {
  const lvs = await context.open()
  const peer = startPeer(context.netns)
  for (const { address, port } of servers) await peer.serve(address, [address], port)
  for (const virtualServer of [busy, held]) {
    await lvs.addVirtualServer({ ...virtualServer, scheduler: 'rr' })
    for (const server of servers) await lvs.addRealServer(virtualServer, server)
  }
  return { lvs, peer }
}

/** Names of the virtual servers on the screen, in order. */
const order = (lines: readonly string[]): string[] => lines.flatMap(line => /^tcp \S+/.exec(line) ?? [])
const [BUSY, HELD] = [`tcp ${ADDRESS}:80`, `tcp ${ADDRESS}:81`]

/** The cells of the line that begins with a name. */
const cells = (lines: readonly string[], name: string): string[] =>
  lines
    .find(line => line.startsWith(name))
    ?.slice(name.length)
    .trim()
    .split(/\s+/) ?? []

const sees = (text: string) => (lines: readonly string[]) => lines.some(line => line.includes(text))

/** How a screen is left besides by its key q: by a signal from the terminal, or to the process. */
const ENDINGS: readonly [words: string, end: (terminal: Terminal) => Promise<unknown>, shell: readonly string[]][] = [
  ['Ctrl-C', terminal => terminal.press('C-c'), []],
  // It ends by the signal: the shell says so.
  ['SIGTERM', async terminal => process.kill(await terminal.process(), 'SIGTERM'), ['Terminated']],
]

export const cases: readonly Case[] = [
  {
    name: 'top shows the servers with the rates of real traffic, its keys sort the rows, and it fits itself to the terminal',
    needs: 'linux',
    async run(context) {
      const { peer } = await network(context)
      const terminal = await Terminal.open(context)
      for (let i = 0; i < 6; i++) await peer.hold(held)
      await peer.startLoad(busy, 2)
      await terminal.start('top', '--netns', context.netns, '--interval', '500ms')

      const flowing = await terminal.until('there are rates', lines => /[1-9]/.test(cells(lines, BUSY)[3] ?? ''))
      assert.match(flowing[0] ?? '', new RegExp(`namespace ${context.netns} +2 virtual servers, 4 real servers +every 0.5 s`))
      assert.match(flowing[1] ?? '', /^total: [1-9]\S* active, .* in [1-9]\S* pkt\/s/)
      assert.match(flowing[2] ?? '', /^Server .* ↓Conn\/s .*History$/)
      for (const { address, port } of servers) assert.ok(sees(`  ${address}:${port}`)(flowing))
      assert.deepEqual(order(flowing), [BUSY, HELD], 'most connections a second first')
      assert.equal(cells(flowing, HELD)[1], '6', 'active connections')
      await terminal.until('there is a history', lines => /[▁-█]{3}/.test(lines.find(line => line.startsWith(BUSY)) ?? ''))

      const sorts: [key: string, heading: string, expected: string[]][] = [
        ['Left', '↓Inactive', [BUSY, HELD]],
        ['<', '↓Active', [HELD, BUSY]],
        ['r', '↑Active', [BUSY, HELD]],
        ['n', 'Server ↑', [BUSY, HELD]],
        ['r', 'Server ↓', [HELD, BUSY]],
        ['Right', '↓Active', [HELD, BUSY]],
      ]
      for (const [key, heading, expected] of sorts) {
        await terminal.press(key)
        const lines = await terminal.until(`${key}: sorted by ${heading}`, sees(heading))
        assert.deepEqual(order(lines), expected, `after ${key}`)
      }

      await terminal.press('?')
      await terminal.until('the keys are told', lines => /PgUp PgDn .* space pause/.test(lines[23] ?? ''))
      await terminal.press('Space')
      await terminal.until('it is paused', sees('PAUSED'))
      await terminal.resize(80, 6)
      const small = await terminal.until('it is as small as the terminal', lines => !sees('Weight')(lines) && lines.length === 6)
      assert.deepEqual(order(small), [HELD])
      await terminal.press('End')
      await terminal.until('the last rows are there', lines => /^ {2}127/.test(lines[3] ?? '') && /^ {2}127/.test(lines[4] ?? ''))
      await terminal.press('Home')
      await terminal.until('the first row is there', lines => lines[3]?.startsWith(HELD) === true)
      await terminal.resize(120, 24)
      await terminal.until('it is large again', lines => sees('Weight')(lines) && order(lines).length === 2)
      await terminal.press('q')
      await terminal.prompt()
      assert.deepEqual((await peer.stopLoad()).failures, [])
    },
  },
  ...ENDINGS.map(
    ([words, end, shell]): Case => ({
      name: `top that ends by ${words} leaves the terminal as it was`,
      needs: 'linux',
      async run(context) {
        await (await context.open()).addVirtualServer({ ...busy, scheduler: 'rr' })
        const terminal = await Terminal.open(context)
        await terminal.shell('echo what was there before')
        await terminal.until('it was written', lines => lines.includes('what was there before'))
        const before = await terminal.state()
        assert.equal(before.alternate, false)
        assert.equal(before.cursor, true)
        await terminal.start('top', '--netns', context.netns)
        await terminal.until('top is there', sees(BUSY))
        const during = await terminal.state()
        assert.deepEqual([during.alternate, during.cursor], [true, false])
        assert.match(during.modes, /-icanon/)
        await end(terminal)
        assert.deepEqual(await terminal.prompt(), shell, 'it leaves no line behind')
        assert.deepEqual(await terminal.state(), before)
        assert.ok((await terminal.screen()).includes('what was there before'))
      },
    }),
  ),
  {
    name: 'top that Ctrl-Z stops gives the terminal back, and takes it again when it goes on',
    needs: 'linux',
    async run(context) {
      await (await context.open()).addVirtualServer({ ...busy, scheduler: 'rr' })
      const terminal = await Terminal.open(context)
      const before = await terminal.state()
      await terminal.start('top', '--netns', context.netns)
      await terminal.until('top is there', sees(BUSY))
      await terminal.press('C-z')
      await terminal.until('the shell tells that it is stopped', sees('Stopped'))
      assert.deepEqual(await terminal.state(), before)
      await terminal.shell('fg')
      await terminal.until('top is there again', sees(BUSY))
      assert.equal((await terminal.state()).alternate, true)
      await terminal.press('q')
      await terminal.until('the shell is back', lines => !sees(BUSY)(lines))
      assert.deepEqual(await terminal.state(), before)
    },
  },
  {
    name: 'top draws with ASCII alone where the locale has no more',
    needs: 'linux',
    async run(context) {
      await (await context.open()).addVirtualServer({ ...busy, scheduler: 'rr' })
      const terminal = await Terminal.open(context)
      await terminal.shell('export LC_ALL=C')
      await terminal.start('top', '--netns', context.netns)
      const lines = await terminal.until('top is there', sees(BUSY))
      assert.match(lines[2] ?? '', / vConn\/s /)
      assert.match(lines.join(''), /^[\0-\x7f]*$/)
      await terminal.press('q')
    },
  },
  {
    name: 'top ends when its terminal is closed',
    needs: 'linux',
    async run(context) {
      await (await context.open()).addVirtualServer({ ...busy, scheduler: 'rr' })
      const terminal = await Terminal.open(context)
      await terminal.start('top', '--netns', context.netns, '--interval', '100ms')
      await terminal.until('top is there', sees(BUSY))
      const pid = await terminal.process()
      await terminal.close()
      await eventually('the process is gone', () => !existsSync(`/proc/${pid}`))
    },
  },
  {
    name: 'drain counts the connections down in one line, until the real server is gone',
    needs: 'linux',
    async run(context) {
      const { lvs, peer } = await network(context)
      const terminal = await Terminal.open(context)
      const [one, other] = await holdAt(peer, first.address)
      await terminal.start('drain', '--netns', context.netns, '--interval', '100ms', `tcp:${ADDRESS}:81`, `${first.address}:8080`)
      const left = (lines: readonly string[]): string[] => lines.filter(line => line.includes('left'))
      const two = await terminal.until('two are left', sees('2 connections left'))
      assert.match(left(two).join('\n'), /^2 connections left, \S+ s of 300 s$/)
      assert.equal((await lvs.getRealServer(held, first))?.weight, 0)
      await peer.release(one)
      const last = await terminal.until('one is left', sees('1 connection left'))
      assert.equal(left(last).length, 1, 'the line is written over')
      await peer.release(other)
      const [end = '', ...more] = await terminal.prompt()
      assert.match(end, /^drained in \S+ s: 127\.0\.0\.11:8080 is removed from tcp 127\.0\.0\.10:81$/)
      assert.deepEqual(more, [])
      assert.equal(await lvs.getRealServer(held, first), undefined)
    },
  },
  {
    name: 'Ctrl-C in a drain leaves weight 0, and tells the commands that go on and that undo it',
    needs: 'linux',
    async run(context) {
      const { lvs, peer } = await network(context)
      await lvs.updateRealServer(held, { ...first, weight: 7, upperThreshold: 100 })
      const terminal = await Terminal.open(context)
      const connections = await holdAt(peer, first.address)
      const words = ['drain', `tcp:${ADDRESS}:81`, `${first.address}:8080`, '--timeout', '60s']
      await terminal.start('--netns', context.netns, ...words)
      await terminal.until('two are left', sees('2 connections left'))
      await terminal.press('C-c')
      const told = (await terminal.prompt()).slice(1)
      assert.deepEqual(
        told.map(line => line.replace(/^ts-ipvs: /, '').trim()),
        [
          'interrupted: the weight of 127.0.0.11:8080 is 0 and stays 0',
          `to go on:      ts-ipvs --netns ${context.netns} ${words.join(' ')}`,
          `to undo it:    ts-ipvs --netns ${context.netns} -e -t ${ADDRESS}:81 -r ${first.address}:8080 -m -w 7 -x 100`,
          '', // of the shell, for SIGINT
        ],
      )
      assert.equal((await lvs.getRealServer(held, first))?.weight, 0)
      await context.inside(`ipvsadm ${told[2]?.replace(/^.* -e /, '-e ')}`)
      const { weight, forwarding, upperThreshold } = (await lvs.getRealServer(held, first)) ?? {}
      assert.deepEqual({ weight, forwarding, upperThreshold }, { weight: 7, forwarding: 'masquerade', upperThreshold: 100 })
      for (const connection of connections) await peer.release(connection)
    },
  },
  {
    name: 'watch shows changes as they happen, and Ctrl-C ends it without a word',
    needs: 'linux',
    async run(context) {
      const lvs = await context.open()
      await lvs.addVirtualServer({ ...busy, scheduler: 'rr' })
      const terminal = await Terminal.open(context)
      await terminal.start('watch', '--netns', context.netns, '--interval', '100ms', '--initial')
      await terminal.until('it tells what is there', sees(` + ${BUSY}  rr`))
      await lvs.addRealServer(busy, second)
      await terminal.until('it tells what was added', sees(` + ${BUSY} → 127.0.0.12:8080  weight 1 masquerade`))
      await lvs.updateRealServer(busy, { ...second, weight: 3 })
      await terminal.until('it tells what was changed', sees(` ~ ${BUSY} → 127.0.0.12:8080  weight 1 → 3`))
      await lvs.removeVirtualServer(busy)
      await terminal.until('it tells what was removed', sees(` - ${BUSY}`))
      await terminal.press('C-c')
      const lines = await terminal.prompt()
      const changes = lines.filter(line => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d [+~-] tcp /.test(line))
      assert.equal(changes.length, 5)
      assert.deepEqual(
        lines.filter(line => !changes.includes(line)),
        ['^C'],
      )
    },
  },
]

/** Holds two connections to each real server, and returns those to one. */
async function holdAt(peer: Orders, server: string): Promise<[number, number]> {
  const holds = []
  for (let i = 0; i < 4; i++) holds.push(await peer.hold(held))
  const [one, two] = holds.filter(({ answer }) => answer.server === server)
  assert.ok(one && two, 'round robin gave it two of four')
  return [one.held, two.held]
}
