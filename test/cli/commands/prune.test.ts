/** What apply has made, it may remove; what others have made, never. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t from 'tap'
import {
  type Configuration,
  describeVirtualServer,
  type IpvsClient,
  open,
  type Transport,
  type VirtualServerKey,
  type VirtualServerWithRealServers,
} from '../../../lib/ipvs/index.js'
import { type MemoryKernel, memoryKernel } from '../../../lib/testing/index.js'
import { between } from '../../kernel/support/between.js'
import { dying } from '../../kernel/support/dying.js'
import { Random } from '../../kernel/support/random.js'
import { randomConfiguration } from '../random.js'
import { type CliOptions, cli, type Outcome } from '../support.js'

t.setTimeout(300_000)

const folder = mkdtempSync(join(tmpdir(), 'ts-ipvs-prune.'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
let places = 0

const PID_NAMESPACE = statSync('/proc/self/ns/pid').ino

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const other = { ...web, port: 81 } as const
const third = { ...web, port: 82 } as const
const as = (...keys: VirtualServerKey[]): Configuration => ({
  virtualServers: keys.map(key => ({ ...key, scheduler: 'rr', realServers: [{ address: '10.1.0.1', port: 80 }] })),
})

/** A kernel, a state file, and apply with both. */
async function place(
  kernel: MemoryKernel = memoryKernel({ interfaces: { lo: 65536, eth0: 1500 } }),
  state = join(folder, `${places++}.json`),
) {
  const { lvs, run } = await cli(kernel)
  const apply = (wanted: Configuration, words: string[] = [], options: CliOptions = {}): Promise<Outcome> =>
    run(['apply', '-f', '-', '--state', state, ...words], { ...options, stdin: JSON.stringify(wanted) })
  const prune = (wanted: Configuration, options: CliOptions = {}): Promise<Outcome> => apply(wanted, ['--prune'], options)
  const made = (): string[] => JSON.parse(readFileSync(state, 'utf8')).virtualServers
  const tables = async (): Promise<string[]> => (await lvs.snapshot()).virtualServers.map(describeVirtualServer).sort()
  return { kernel, lvs, run, state, apply, prune, made, tables }
}

t.test('virtual servers that an earlier apply has made go when the file has them no more; only with --prune', async t => {
  const { apply, prune, made, tables } = await place()
  await apply(as(web, other))
  t.strictSame(made(), ['tcp 10.0.0.1:80', 'tcp 10.0.0.1:81'])
  t.equal((await apply(as(web))).stdout, 'nothing to do\n')
  t.equal((await prune(as(web))).stdout, '- tcp 10.0.0.1:81\n1 applied\n')
  t.strictSame(await tables(), ['tcp 10.0.0.1:80'])
  t.strictSame(made(), ['tcp 10.0.0.1:80'])
})

t.test('what was there before stays, though apply has changed it, and so does what others made since', async t => {
  const { lvs, apply, prune, made, tables } = await place()
  await lvs.addVirtualServer({ ...other, scheduler: 'lc' })
  await apply(as(web, other))
  t.strictSame(made(), ['tcp 10.0.0.1:80'])
  await lvs.addVirtualServer({ ...third, scheduler: 'lc' })
  t.equal((await prune(as())).stdout, '- tcp 10.0.0.1:80\n1 applied\n')
  t.strictSame(await tables(), ['tcp 10.0.0.1:81', 'tcp 10.0.0.1:82'])
})

t.test('diff and --dry-run show what --prune would remove, and write nothing', async t => {
  const { run, state, apply } = await place()
  await apply(as(web))
  const before = readFileSync(state, 'utf8')
  const words = ['-f', '-', '--state', state, '--prune']
  const stdin = JSON.stringify(as(other))
  const expected = '+ tcp 10.0.0.1:81  rr\n+ tcp 10.0.0.1:81 → 10.1.0.1:80  weight 1 masquerade\n- tcp 10.0.0.1:80\n'
  t.equal((await run(['diff', ...words], { stdin })).stdout, expected)
  t.equal((await run(['apply', '--dry-run', ...words], { stdin })).stdout, expected)
  t.equal(readFileSync(state, 'utf8'), before)
})

t.test('what others removed is forgotten: when they make it again it is theirs', async t => {
  const { lvs, apply, prune, made, tables } = await place()
  await apply(as(web, other))
  await lvs.removeVirtualServer(other)
  await apply(as(web))
  t.strictSame(made(), ['tcp 10.0.0.1:80'])
  await lvs.addVirtualServer({ ...other, scheduler: 'rr' })
  await prune(as())
  t.strictSame(await tables(), ['tcp 10.0.0.1:81'])
})

t.test('what somebody else makes between the plan and the addition is theirs', async t => {
  const { kernel, lvs, apply, prune, made, tables } = await place()
  const late = between(kernel, {
    // Behind the question for the family: the first window of additions.
    before: async ({ kind, index }) => {
      if (kind === 'exchange' && index === 1) await lvs.addVirtualServer({ ...web, scheduler: 'lc' })
    },
  })
  const { status, stderr } = await apply(as(web, other), [], { open: () => open({ transport: late }) })
  t.equal(status, 1)
  t.match(stderr, /\+ tcp 10\.0\.0\.1:80 {2}rr: it is there already.*; applied: no/)
  t.strictSame(made(), ['tcp 10.0.0.1:81'])
  await prune(as())
  t.strictSame(await tables(), ['tcp 10.0.0.1:80'])
})

t.test('where others keep changing the tables nobody knows what was there: what is ensured then counts as theirs', async t => {
  const { kernel, lvs, run, state, apply, prune, made, tables } = await place()
  const marks = Array.from({ length: 400 }, (_, i) => ({ firewallMark: i + 1, family: 'ipv4' }) as const)
  await lvs.run(marks.map(virtualServer => ({ operation: 'addVirtualServer', virtualServer })))
  let next = 1000
  const restless = between(kernel, {
    before: ({ kind }) => kind === 'page' && lvs.addVirtualServer({ firewallMark: next++, family: 'ipv4' }),
  })
  await apply(as(other))
  const { status, stderr } = await apply(as(web, other), [], { open: () => open({ transport: restless }) })
  t.equal(status, 0)
  t.match(stderr, /others kept changing the tables while they were read: what is made now can not be pruned later/)
  t.strictSame(made(), ['tcp 10.0.0.1:81'])
  for (const words of [['diff'], ['diff', '--prune', '--state', state], ['apply', '--dry-run']]) {
    const foreseen = await run([...words, '-f', '-'], {
      stdin: JSON.stringify(as(web)),
      open: () => open({ transport: restless }),
    })
    t.match(foreseen.stderr, /^ts-ipvs: others kept changing the tables while they were read: look again\n$/)
  }
  await prune(as())
  t.equal((await tables()).filter(name => name.startsWith('tcp')).join(), 'tcp 10.0.0.1:80')
})

t.test(
  'the state is void in another namespace and after a new start of the machine: it is told, nothing is pruned, it is replaced',
  async t => {
    const { state, apply } = await place()
    await apply(as(web))
    const elsewhere = await place(memoryKernel(), state)
    await elsewhere.lvs.addVirtualServer({ ...web, scheduler: 'lc' })
    const diff = await elsewhere.run(['diff', '-f', '-', '--prune', '--state', state], { stdin: JSON.stringify(as()) })
    t.match(diff, { status: 0, stdout: 'nothing to do\n', stderr: /is void, for it is of before the machine started anew/ })
    t.strictSame(elsewhere.made(), ['tcp 10.0.0.1:80'], 'diff leaves it')
    const { status, stdout, stderr } = await elsewhere.prune(as(other))
    t.strictSame([status, stdout.split('\n').at(-2)], [0, '2 applied'])
    t.match(
      stderr,
      /^ts-ipvs: the state .* is void, for it is of before the machine started anew: what it names is left alone\n$/,
    )
    t.strictSame(elsewhere.made(), ['tcp 10.0.0.1:81'])
    t.equal((await elsewhere.prune(as(other))).stderr, '')

    const { namespace, ...content } = JSON.parse(readFileSync(state, 'utf8'))
    writeFileSync(state, JSON.stringify({ ...content, namespace: namespace.replace(/cookie-.*/, 'cookie-0') }))
    t.match((await elsewhere.prune(as())).stderr, /is void, for it is of another network namespace/)
    t.strictSame(elsewhere.made(), [])
    t.strictSame(await elsewhere.tables(), ['tcp 10.0.0.1:80', 'tcp 10.0.0.1:81'])
  },
)

t.test('a virtual server whose protocol is given as a number is ours like any other', async t => {
  const { apply, prune, made, tables } = await place()
  const numbers = { tcp: 6, udp: 17, sctp: 132 }
  const names = Object.keys(numbers).map(name => `${name} 10.0.0.1:80`)
  const keys = Object.values(numbers).map(protocol => ({ ...web, protocol }))
  t.strictSame(keys.map(describeVirtualServer), names)
  const wanted = { virtualServers: keys.map(key => ({ ...key, scheduler: 'rr' })) } as unknown as Configuration
  t.equal((await apply(wanted)).status, 0)
  t.strictSame(made(), names.toSorted())
  t.equal((await apply(wanted)).stdout, 'nothing to do\n')
  t.strictSame(made(), names.toSorted())
  await prune(as())
  t.strictSame(await tables(), [])
})

t.test('a link in the place of the new state is not followed, and nothing is applied', async t => {
  const { state, apply, tables } = await place()
  const victim = `${state}.victim`
  writeFileSync(victim, 'precious')
  symlinkSync(victim, `${state}.new`)
  t.match(await apply(as(web)), { status: 1, stdout: '', stderr: /can not be written: ELOOP/ })
  t.equal(readFileSync(victim, 'utf8'), 'precious')
  t.strictSame(await tables(), [])
})

t.test('a file that is no state is not overwritten; one that is empty is a new state', async t => {
  const { state, apply, tables, made } = await place()
  for (const text of [
    'virtualServers: []',
    '{}',
    'null',
    '{"version":1,"namespace":"x","virtualServers":[7]}',
    '{"version":2}',
  ]) {
    writeFileSync(state, text)
    const { status, stderr } = await apply(as(web))
    t.equal(status, 2)
    t.match(stderr, /is no state that apply has written: give another --state/)
    t.equal(readFileSync(state, 'utf8'), text)
  }
  t.strictSame(await tables(), [])
  writeFileSync(state, '')
  t.equal((await apply(as(web))).status, 0)
  t.strictSame(made(), ['tcp 10.0.0.1:80'])
})

t.test('where the state can not be written nothing is applied', async t => {
  const { run, lvs } = await place()
  const stdin = JSON.stringify(as(web))
  for (const state of [join(folder, 'nowhere/state.json'), '/dev/null/state.json', '/proc/state.json']) {
    const { status, stderr } = await run(['apply', '-f', '-', '--state', state], { stdin })
    t.equal(status, 1)
    t.match(stderr, /^ts-ipvs: the state .* can not be written: .*: run as root, or give --state FILE/)
  }
  t.strictSame((await lvs.snapshot()).virtualServers, [])
})

t.test('where nothing identifies the namespace, --prune is refused, and apply tells that it can not be pruned later', async t => {
  const { kernel, state, apply, prune, tables } = await place()
  const nameless: Transport = {
    ...between(kernel, {}),
    open: options => Object.assign(between(kernel, {}).open(options), { namespace: undefined }),
  }
  const options = { open: () => open({ transport: nameless }) }
  const refused = await prune(as(web), options)
  t.equal(refused.status, 2)
  t.match(refused.stderr, /nothing identifies this network namespace: .*: --prune is not possible here/)
  t.strictSame(await tables(), [])
  const applied = await apply(as(web), [], options)
  t.equal(applied.status, 0)
  t.match(applied.stderr, /what is made now can not be pruned later/)
  t.notOk(existsSync(state))
})

t.test(
  'while another apply is at work with the same state, there is a clear error; the lock of a dead process is taken over',
  async t => {
    const { state, apply, tables } = await place()
    const sleeper = spawn('sleep', ['1000'])
    await once(sleeper, 'spawn')
    const start = execFileSync('cut', ['-d', ' ', '-f22', `/proc/${sleeper.pid}/stat`], { encoding: 'utf8' }).trim()
    const lock = `${state}.lock-${PID_NAMESPACE}-${sleeper.pid}-${start}`
    writeFileSync(lock, '')
    const { status, stderr } = await apply(as(web))
    t.equal(status, 1)
    t.match(
      stderr,
      new RegExp(`^ts-ipvs: process ${sleeper.pid} is applying, too \\(it has locked ${state}\\): wait until it has ended`),
    )
    t.strictSame(await tables(), [])
    sleeper.kill('SIGKILL')
    await once(sleeper, 'exit')
    writeFileSync(`${state}.lock-${PID_NAMESPACE}-${process.pid}-1`, '') // a process of our number, but of another time
    t.equal((await apply(as(web))).status, 0)
    t.strictSame(locks(state), [], 'all are gone, its own, too')
  },
)

for (const [name, suffix] of [
  ['of a process of another PID namespace', `1-${process.pid}-1`],
  ['without a start time', `${PID_NAMESPACE}-${process.pid}`],
  ['with a name that nobody knows', `${process.pid}-undefined`],
] as const)
  t.test(`a lock ${name} is refused and left, for nobody can tell whose it is`, async t => {
    const { state, apply, tables } = await place()
    const lock = `${state}.lock-${suffix}`
    writeFileSync(lock, '')
    const { status, stderr } = await apply(as(web))
    t.equal(status, 1)
    t.match(stderr, /^ts-ipvs: somebody else may be applying: .*: remove it if nobody is applying\n$/)
    t.ok(stderr.includes(`the lock ${lock}, `))
    t.strictSame(locks(state), [basename(lock)], 'its own is gone')
    t.strictSame(await tables(), [])
    rmSync(lock)
    t.equal((await apply(as(web))).status, 0)
  })

t.test('of two that begin at once at most one applies, and the other says so', async t => {
  const { apply, made } = await place()
  const outcomes = await Promise.all([apply(as(web)), apply(as(web))])
  t.strictSame(outcomes.map(({ status }) => status).sort(), [0, 1])
  t.match(outcomes.find(({ status }) => status === 1)?.stderr, /is applying, too/)
  t.strictSame(made(), ['tcp 10.0.0.1:80'])
})

function locks(state: string): string[] {
  return readdirSync(folder).filter(name => join(folder, name).startsWith(`${state}.lock`))
}

/** All that is configured, as text that can be compared. */
async function configured(lvs: IpvsClient): Promise<string[]> {
  const { virtualServers, timeouts, syncDaemons } = await lvs.snapshot()
  return [...virtualServers.map(describe).sort(), JSON.stringify(timeouts), JSON.stringify(syncDaemons)]
}

function describe({ realServers, ...vs }: VirtualServerWithRealServers): string {
  const servers = realServers.map(server => JSON.stringify(server)).sort()
  return `${describeVirtualServer(vs)} ${JSON.stringify(vs)} ${servers.join(' ')}`
}

/** Virtual servers that are nobody's wish. */
const FOREIGN = [
  { protocol: 'tcp', address: '192.0.2.1', port: 1, scheduler: 'lc' },
  { protocol: 'udp', address: '2001:db8:ffff::1', port: 1, scheduler: 'rr' },
] as const

const foreignOf = (texts: readonly string[]): string[] => texts.filter(text => /192\.0\.2\.1|2001:db8:ffff::1/.test(text))

async function addForeign(lvs: IpvsClient, n: 0 | 1): Promise<void> {
  await lvs.addVirtualServer(FOREIGN[n])
  await lvs.addRealServer(FOREIGN[n], { address: n === 0 ? '10.9.9.9' : 'fd00::9', port: 1, weight: 9 })
}

for (const seed of [1, 2, 3, 4, 5, 6])
  t.test(
    `from any state to any other: afterwards diff is empty, only ours is pruned, others are not touched (seed ${seed})`,
    async t => {
      const random = new Random(seed)
      const { lvs, run, state, prune, made, tables } = await place()
      const [before, mine] = [randomConfiguration(random), new Set<string>()]
      await addForeign(lvs, 0)
      // Some of what will be wished is there already: it is theirs, and stays so.
      const theirs = random.some(before.virtualServers.filter(({ realServers = [] }) => realServers.length > 0))
      for (const { realServers: _, ...vs } of theirs) await lvs.addVirtualServer(vs)
      const found = new Set(theirs.map(describeVirtualServer))
      for (let step = 0; step < 5; step++) {
        // Real servers of another family can not be where a daemon runs.
        for (const { role } of await lvs.syncDaemons()) await lvs.stopSyncDaemon(role)
        const wanted = step === 0 ? before : randomConfiguration(random)
        const foreign = foreignOf(await configured(lvs))
        // What is theirs and has such real servers would keep a daemon from starting.
        const { syncDaemons: _, ...withoutDaemons } = wanted
        const given = step === 0 ? wanted : withoutDaemons
        const there = new Set(await tables())
        const { status, stderr } = await prune(given)
        t.strictSame([status, stderr], [0, ''])
        const stdin = JSON.stringify(given)
        t.match(await run(['diff', '-f', '-', '--prune', '--state', state], { stdin }), { status: 0, stdout: 'nothing to do\n' })
        t.strictSame(foreignOf(await configured(lvs)), foreign)
        const names = wanted.virtualServers.map(describeVirtualServer)
        for (const name of [...mine]) if (!names.includes(name)) mine.delete(name)
        for (const name of names) if (!there.has(name)) mine.add(name)
        t.strictSame(made(), [...mine].sort())
        t.strictSame(
          await tables(),
          [...new Set([...names, ...found, ...foreign.map(text => text.split(' {')[0] as string)])].sort(),
        )
        if (step === 2) await addForeign(lvs, 1)
      }
      await prune({ virtualServers: [] })
      t.strictSame(made(), [])
      t.strictSame(await tables(), [...found, ...FOREIGN.map(describeVirtualServer)].sort())
    },
  )

for (const seed of [1, 2])
  t.test(
    `killed after any message and run again, it ends in the same state, and prune removes just what is ours (seed ${seed})`,
    async t => {
      const random = new Random(seed)
      const some = ({ virtualServers, ...others }: Configuration): Configuration => ({
        ...others,
        virtualServers: virtualServers.slice(0, 5),
      })
      const [before, after] = [some(randomConfiguration(random)), some(randomConfiguration(random))]
      const { syncDaemons: _, ...first } = before
      const { syncDaemons: __, ...last } = after
      const taken = last.virtualServers[0] as VirtualServerKey

      const begin = async () => {
        const it = await place()
        await addForeign(it.lvs, 0)
        await it.lvs.addVirtualServer(taken) // is wished, too, but it is theirs
        await it.apply(first)
        return it
      }
      const whole = await begin()
      t.equal((await whole.prune(last)).status, 0)
      const expected = await configured(whole.lvs)

      let kills = 0
      for (let most = 0; ; most++) {
        const it = await begin()
        const { transport, dead } = dying(it.kernel, most)
        const outcome = await Promise.race([it.prune(last, { open: () => open({ transport }) }), dead])
        if (outcome) break
        kills++
        for (const name of locks(it.state)) rmSync(join(folder, name)) // this process is not dead: its lock would count
        const again = await it.prune(last)
        t.strictSame([again.status, again.stderr], [0, ''], `killed after ${most} messages`)
        t.strictSame(await configured(it.lvs), expected)
        t.strictSame(it.made(), whole.made())
        await addForeign(it.lvs, 1)
        await it.prune({ virtualServers: [] })
        const left = [describeVirtualServer(taken), ...FOREIGN.map(describeVirtualServer)].sort()
        t.strictSame(await it.tables(), left)
        t.strictSame(it.made(), [])
      }
      t.ok(kills > 20, `it was killed ${kills} times`)
    },
  )
