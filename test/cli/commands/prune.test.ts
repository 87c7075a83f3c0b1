/** What apply has made, it may remove; what others have made, never. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import {
  type Configuration,
  describeVirtualServer,
  open,
  type Transport,
  type VirtualServerKey,
} from '../../../lib/ipvs/index.js'
import { memoryKernel } from '../../../lib/testing/index.js'
import { between } from '../../kernel/support/between.js'
import { folder, locks, place } from './place.js'

const PID_NAMESPACE = statSync('/proc/self/ns/pid').ino

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const other = { ...web, port: 81 } as const
const third = { ...web, port: 82 } as const
const as = (...keys: VirtualServerKey[]): Configuration => ({
  virtualServers: keys.map(key => ({ ...key, scheduler: 'rr', realServers: [{ address: '10.1.0.1', port: 80 }] })),
})

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
