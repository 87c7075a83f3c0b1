import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type IpvsClient, open } from '../../../lib/ipvs/index.js'
import { cli, type Outcome } from '../support.js'

const web = { protocol: 'tcp', address: '10.0.0.1', port: 80 } as const
const server = { address: '10.1.0.1', port: 80 } as const

type World = Awaited<ReturnType<typeof cli>>
type Step = (world: World) => Promise<unknown>

/** Runs `watch` while changes are made, each after a look at the one before, and returns what it has written. */
async function watched(words: readonly string[], ...changes: readonly Step[]): Promise<Outcome> {
  const world = await cli()
  await world.lvs.addVirtualServer({ ...web, scheduler: 'rr' })
  let looks = 0
  const counting = async (): Promise<IpvsClient> => {
    const client = await open({ transport: world.kernel })
    const snapshot = client.snapshot.bind(client)
    client.snapshot = options => snapshot(options).finally(() => looks++)
    return client
  }
  const looked = async (): Promise<void> => {
    // One that begins after this, and what was written of it.
    const enough = looks + 3
    while (looks < enough) await sleep(5)
  }
  const ending = new AbortController()
  const running = world.run(['watch', '--interval', '10ms', ...words], { signal: ending.signal, open: counting })
  await looked()
  for (const change of changes) {
    await change(world)
    await looked()
  }
  ending.abort()
  return running
}

const add: Step = ({ lvs }) => lvs.addRealServer(web, server)
const change: Step = ({ lvs }) => lvs.updateRealServer(web, { ...server, weight: 3 })
const remove: Step = ({ lvs }) => lvs.removeVirtualServer(web)

t.test('a change is a line with the local time, in the words of a plan; the signal ends it without an error', async t => {
  const { status, stdout, stderr } = await watched([], add, change, remove)
  const lines = stdout.trimEnd().split('\n')
  t.strictSame(
    lines.map(line => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d /, '')),
    [
      '+ tcp 10.0.0.1:80 → 10.1.0.1:80  weight 1 masquerade',
      '~ tcp 10.0.0.1:80 → 10.1.0.1:80  weight 1 → 3',
      '- tcp 10.0.0.1:80 → 10.1.0.1:80',
      '- tcp 10.0.0.1:80',
    ],
  )
  t.strictSame([status, stderr], [0, ''])
})

t.test('--json is an object a line', async t => {
  const { stdout } = await watched(['--json'], add, change)
  const changes = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(changes, [
    { type: 'added', object: 'real-server', virtualServer: web, after: { ...server, weight: 1 } },
    { type: 'changed', object: 'real-server', virtualServer: web, before: { weight: 1 }, after: { weight: 3 } },
  ])
  t.equal(changes.length, 2)
  t.ok(Math.abs(Date.parse(changes[0].time) - Date.now()) < 3_600_000, 'with the time')
})

t.test('--initial begins with what is there', async t => {
  const { stdout } = await watched(['--initial'])
  t.match(stdout, /^\S+ \+ tcp 10\.0\.0\.1:80 {2}rr\n$/)
})

t.test('a kernel that can not be read ends it with an error', async t => {
  const { kernel, run } = await cli()
  kernel.unloadModule()
  const { status, stderr } = await run(['watch'])
  t.equal(status, 1)
  t.match(stderr, /^ts-ipvs: .*modprobe ip_vs/)
})

t.test('an interval that is none is a mistake', async t => {
  const { run } = await cli()
  for (const [word, reason] of [
    ['soon', 'give a time as 30s'],
    ['0', 'give at least 10ms'],
  ] as const) {
    const { status, stderr } = await run(['watch', '--interval', word])
    t.equal(status, 2)
    t.match(stderr, `ts-ipvs: --interval ${word}: ${reason}`)
  }
})
