/** apply, diff and save in namespaces of a real kernel, by processes that are killed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Configuration, describeVirtualServer, open } from '../../../lib/ipvs/index.js'
import { nativeTransport } from '../../../lib/netlink/index.js'
import { randomConfiguration } from '../../cli/random.js'
import { type Outcome, runCli } from '../../cli/support.js'
import type { Case, LinuxContext } from '../support/case.js'
import { dying } from '../support/dying.js'
import { eventually, keysOf } from '../support/expect.js'
import { Random } from '../support/random.js'

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))

/** The command line in this process. */
const run = (argv: readonly string[], stdin?: string): Promise<Outcome> =>
  runCli(argv, { open, ...(stdin !== undefined && { stdin }) })

/** The same, and how many messages it sends. */
async function count(argv: readonly string[]): Promise<number> {
  let sent = (): number => 0
  const { status } = await runCli(argv, {
    open({ netns }) {
      const counting = dying(nativeTransport(netns), 1e6)
      sent = () => counting.sent
      return open({ transport: counting.transport })
    },
  })
  assert.equal(status, 0)
  return sent()
}

/** The command line as a process that gets a signal after so many messages. */
const child = (signal: NodeJS.Signals, most: number, argv: readonly string[]): ChildProcess =>
  spawn(process.execPath, [CHILD, signal, String(most), ...argv], { stdio: 'ignore' })

function folder({ after }: LinuxContext): string {
  const name = mkdtempSync(join(tmpdir(), 'ts-ipvs-cli.'))
  after(() => rmSync(name, { recursive: true, force: true }))
  return name
}

const madeIn = (state: string): string[] => JSON.parse(readFileSync(state, 'utf8')).virtualServers

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const foreign = { protocol: 'udp', address: '192.0.2.1', port: 53 } as const
const taken = { ...web, port: 1003 } as const

/** Virtual servers on these ports. */
const onPorts = (...ports: number[]): Configuration => ({
  virtualServers: ports.map((port, i) => ({
    ...web,
    port,
    scheduler: 'rr',
    realServers: [1, 2].map(n => ({ address: `10.1.0.${n}`, port: 80, weight: n + i })),
  })),
})
const [FIRST, SECOND] = [onPorts(1000, 1001, 1002), onPorts(1001, 1003, 1004, 1005)]

/** An empty namespace, somebody else's virtual servers in it, and the first file applied. */
async function begin({ sh }: LinuxContext, name: string, file: string, state: string): Promise<void> {
  await sh(`ip netns add ${name} && ip -n ${name} link set lo up`)
  await using lvs = await open({ netns: { name } })
  await lvs.addVirtualServer({ ...foreign, scheduler: 'lc' })
  await lvs.addVirtualServer({ ...taken, scheduler: 'lc' })
  writeFileSync(file, JSON.stringify(FIRST))
  const { status, stderr } = await run(['apply', '--netns', name, '-f', file, '--state', state])
  assert.deepEqual([status, stderr], [0, ''])
  writeFileSync(file, JSON.stringify(SECOND))
}

export const cases: readonly Case[] = [
  ...[1, 2].map(
    (seed): Case => ({
      name: `what was applied, saved, applied in another namespace and saved again is the same text; diff finds nothing (seed ${seed})`,
      needs: 'linux',
      async run(context) {
        const { kernel, netns, sh } = context
        const limits = {
          schedulers: ['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh'].filter(name => !kernel.without.includes(name)),
          interfaces: [await context.link()],
          engines: [],
        }
        const other = await context.another()
        await sh(`ip -n ${other} link add dummy0 type dummy`)
        await sh(`ip -n ${other} link set dummy0 multicast on up && ip -n ${other} address add 192.0.2.1/24 dev dummy0`)
        const states = folder(context)
        const stdin = JSON.stringify(randomConfiguration(new Random(seed), limits))
        const apply = (name: string, text: string) =>
          run(['apply', '--netns', name, '-f', '-', '--state', join(states, name)], text)
        const first = await apply(netns, stdin)
        assert.deepEqual([first.status, first.stderr], [0, ''])
        const saved = await run(['save', '--netns', netns])
        assert.deepEqual([saved.status, saved.stderr], [0, ''])
        const second = await apply(other, saved.stdout)
        assert.deepEqual([second.status, second.stderr], [0, ''])
        assert.equal((await run(['save', '--netns', other])).stdout, saved.stdout)
        for (const [name, text] of [
          [netns, stdin],
          [netns, saved.stdout],
          [other, stdin],
        ] as const) {
          const { status, stdout } = await run(['diff', '--netns', name, '-f', '-'], text)
          assert.deepEqual([status, stdout], [0, 'nothing to do\n'])
        }
        for (const name of [netns, other]) {
          await using lvs = await open({ netns: { name } })
          for (const { role } of await lvs.syncDaemons()) await lvs.stopSyncDaemon(role)
        }
      },
    }),
  ),
  {
    name: 'a process that is killed between two messages and started again ends in the same state; prune removes just what is ours',
    needs: 'linux',
    async run(context) {
      const { sh, after } = context
      const path = folder(context)
      const file = join(path, 'file.json')
      const nothing = join(path, 'nothing.json')
      writeFileSync(nothing, '{ "virtualServers": [] }')
      const names: string[] = []
      after(() => sh(names.map(name => `ip netns delete ${name}`).join('; ')))
      const begun = async (suffix: string): Promise<[name: string, argv: string[], state: string]> => {
        const name = `killed-${suffix}`
        const state = join(path, name)
        names.push(name)
        await begin(context, name, file, state)
        return [name, ['apply', '--netns', name, '--prune', '-f', file, '--state', state], state]
      }
      const whole = await begun('never')
      const messages = await count(whole[1])
      const expected = (await run(['save', '--netns', whole[0]])).stdout
      assert.deepEqual(madeIn(whole[2]), ['tcp 10.0.0.1:1001', 'tcp 10.0.0.1:1004', 'tcp 10.0.0.1:1005'])

      // The last messages are additions, changes and removals. That any message will do is shown in memory, where no process has to start.
      for (const before of [12, 6, 0]) {
        const most = messages - before
        const [name, argv, state] = await begun(String(before))
        assert.deepEqual(await once(child('SIGKILL', most, argv), 'exit'), [null, 'SIGKILL'])
        const { status: again, stderr } = await run(argv)
        assert.deepEqual([again, stderr], [0, ''], `killed after ${most} messages`)
        assert.equal((await run(['save', '--netns', name])).stdout, expected)
        assert.deepEqual(madeIn(state), madeIn(whole[2]))
        const empty = await run(['apply', '--netns', name, '--prune', '-f', nothing, '--state', state])
        assert.equal(empty.status, 0)
        await using lvs = await open({ netns: { name } })
        assert.deepEqual(keysOf(await lvs.listVirtualServers().toArray()), [taken, foreign].map(describeVirtualServer).sort())
        assert.deepEqual(madeIn(state), [])
      }
    },
  },
  {
    name: 'while one process is applying another is refused; when it was killed, the next one goes on',
    needs: 'linux',
    async run(context) {
      const { netns } = context
      const path = folder(context)
      const file = join(path, 'file.json')
      writeFileSync(file, JSON.stringify(FIRST))
      const argv = ['apply', '--netns', netns, '-f', file, '--state', join(path, 'state')]
      const stopped = child('SIGSTOP', 8, argv)
      await eventually('the process has stopped', () => /\) T /.test(readFileSync(`/proc/${stopped.pid}/stat`, 'latin1')))
      const { status, stderr } = await run(argv)
      assert.equal(status, 1)
      assert.match(stderr, new RegExp(`^ts-ipvs: process ${stopped.pid} is applying, too`))
      const exit = once(stopped, 'exit')
      stopped.kill('SIGKILL')
      await exit
      assert.equal((await run(argv)).status, 0)
      assert.equal((await run(['diff', '--netns', netns, '-f', file])).status, 0)
    },
  },
  {
    name: 'the state of a namespace is void in another one, also in one that has its name later, and in its place after a reboot',
    needs: 'linux',
    async run(context) {
      const { netns, sh } = context
      const path = folder(context)
      const [file, nothing, state] = [join(path, 'file.json'), join(path, 'nothing.json'), join(path, 'state')]
      writeFileSync(file, JSON.stringify(FIRST))
      writeFileSync(nothing, '{ "virtualServers": [] }')
      const apply = (name: string, wanted: string) => run(['apply', '--netns', name, '--prune', '-f', wanted, '--state', state])
      const isVoid = async (name: string, why: string): Promise<void> => {
        await using lvs = await open({ netns: { name } })
        await lvs.apply(await lvs.plan(FIRST.virtualServers))
        const { status, stdout, stderr } = await apply(name, nothing)
        assert.deepEqual([status, stdout], [0, 'nothing to do\n'])
        assert.match(stderr, new RegExp(`^ts-ipvs: the state .* is void, for it is of ${why}`))
        assert.equal((await lvs.listVirtualServers().toArray()).length, 3)
        await lvs.flush()
      }
      assert.equal((await apply(netns, file)).status, 0)
      await isVoid(await context.another(), 'another network namespace')

      const again = 'void-again'
      context.after(() => sh(`ip netns delete ${again}`))
      await sh(`ip netns add ${again} && ip -n ${again} link set lo up`)
      assert.equal((await apply(again, file)).status, 0)
      await sh(`ip netns delete ${again} && ip netns add ${again} && ip -n ${again} link set lo up`)
      await isVoid(again, 'another network namespace')

      assert.equal((await apply(again, file)).status, 0)
      const content = JSON.parse(readFileSync(state, 'utf8'))
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      assert.match(content.namespace, new RegExp(`^${boot}/cookie-[1-9]\\d*$`))
      writeFileSync(state, JSON.stringify({ ...content, namespace: content.namespace.replace(boot, 'another-start') }))
      await isVoid(again, 'before the machine started anew')
    },
  },
  {
    name: 'without --state it lies below /run/ts-ipvs, a file for each namespace, and names what was made',
    needs: 'linux',
    async run(context) {
      const { netns, after } = context
      const lvs = await context.open()
      const [, cookie] = (await lvs.namespaceId()).split('/')
      const state = `/run/ts-ipvs/${cookie}.json`
      after(() => rmSync(state, { force: true }))
      assert.equal(existsSync(state), false)
      assert.equal((await run(['apply', '--netns', netns, '-f', '-'], JSON.stringify(FIRST))).status, 0)
      assert.deepEqual(madeIn(state), ['tcp 10.0.0.1:1000', 'tcp 10.0.0.1:1001', 'tcp 10.0.0.1:1002'])
      const { stdout } = await run(['apply', '--netns', netns, '--prune', '-f', '-'], JSON.stringify(onPorts(1001)))
      assert.match(stdout, /^- tcp 10\.0\.0\.1:1000\n- tcp 10\.0\.0\.1:1002$/m)
      assert.deepEqual(madeIn(state), ['tcp 10.0.0.1:1001'])
    },
  },
]
