/** apply and prune from any state to any other, and when they are killed on the way. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  type Configuration,
  describeVirtualServer,
  type IpvsClient,
  open,
  type VirtualServerKey,
  type VirtualServerWithRealServers,
} from '../../../lib/ipvs/index.js'
import { dying } from '../../kernel/support/dying.js'
import { Random } from '../../kernel/support/random.js'
import { randomConfiguration } from '../random.js'
import { folder, locks, place } from './place.js'

t.setTimeout(300_000)

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
