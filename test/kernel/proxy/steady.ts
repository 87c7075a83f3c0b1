/** Nothing is lost: while endpoints come and go, and while the proxy itself does. */
import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import type { LoadReport, Orders, Target } from '../traffic/peer.js'
import {
  addressOf,
  clientOf,
  nodeObjects,
  openOn,
  type PodEndpoint,
  type ProxyCase,
  type ProxyContext,
  proxyOn,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import { TestSource } from './rig.js'
import { FAMILIES, NODES } from './topology.js'

const NUMBER = 210
const PODS: readonly PodEndpoint[] = NODES.flatMap(node => ([1, 2] as const).map(pod => ({ node, pod })))
/** Clients of each kind, how often they ask at least, and how long they do, in milliseconds. */
const CLIENTS = 4
const QUESTIONS = 500
const DURATION = { least: 2000, most: 60_000 }

interface Load {
  readonly name: string
  readonly peer: Orders
  readonly target: Target
}

/** Over TCP and UDP, each from outside of the cluster, from a pod or the node. */
function loads({ topology }: ProxyContext, family: 'ipv4' | 'ipv6'): readonly Load[] {
  return (
    [
      ['remote', 'external-ip', 'tcp'],
      ['pod', 'cluster-ip', 'udp'],
      ['node', 'cluster-ip', 'tcp'],
    ] as const
  ).map(([who, kind, protocol]) => {
    const { peer, from } = clientOf(topology, who, 'one', family)
    const target = { protocol, ...addressOf(kind, NUMBER, family, 'one'), from }
    return { name: `${who} over ${family} ${protocol}`, peer, target }
  })
}

/** What came of asking all the time while something was done, and how many segments of TCP were lost. */
interface Report extends LoadReport {
  readonly name: string
  readonly lost: number
}

/** @param work is done again and again, until enough was asked */
function under(all: readonly Load[], work: (time: number) => Promise<void>): Promise<readonly Report[]> {
  const working = Promise.all(all.map(({ peer, target }) => peer.startLoad(target, CLIENTS))).then(async () => {
    const began = performance.now()
    const least = async (): Promise<number> => Math.min(...(await Promise.all(all.map(({ peer }) => peer.load()))).map(asked))
    for (let time = 0, past = 0; past < DURATION.most; time++, past = performance.now() - began) {
      await work(time)
      if (past > DURATION.least && (await least()) >= QUESTIONS) return
    }
  })
  return Promise.all(
    all.map(async ({ name, peer }) => {
      const before = await lostBy(peer)
      await working
      const report = await peer.stopLoad()
      return { ...report, name, lost: (await lostBy(peer)) - before }
    }),
  )
}

async function lostBy(peer: Orders): Promise<number> {
  const { all, needless } = await peer.retransmitted()
  return all - needless
}

const asked = ({ answers }: Pick<LoadReport, 'answers'>): number =>
  Object.values(answers).reduce((sum, number) => sum + number, 0)

function nothingLost(reports: readonly Report[]): void {
  for (const { name, answers, failures, lost } of reports) {
    assert.deepEqual(failures, [], `${name}: ${failures.length} were lost`)
    assert.equal(lost, 0, `${name}: no segment is lost`)
    assert.ok(asked({ answers }) >= QUESTIONS, `${name}: only ${asked({ answers })} were answered`)
  }
}

const flapping = (family: 'ipv4' | 'ipv6'): ProxyCase => ({
  name: `no question is lost while endpoints come and go, as long as those that go answer until they are gone (${family})`,
  async run(context) {
    const source = new TestSource()
    source.tell(...nodeObjects, serviceObject(NUMBER), ...sliceObjects(NUMBER, PODS))
    const proxy = await proxyOn(context, 'one', source)
    await proxy.once()
    const ending = new AbortController()
    const running = proxy.run(ending.signal)
    const reports = await under(loads(context, family), async time => {
      const going = time % PODS.length
      const others = PODS.filter((_, at) => at !== going)
      const leaving = { ...(PODS[going] as PodEndpoint), leaving: true }
      // It terminates, it is gone, it is back.
      for (const endpoints of [[...others, leaving], others, PODS]) {
        source.tell(...sliceObjects(NUMBER, endpoints))
        await setTimeout(8)
      }
    })
    ending.abort()
    await running
    nothingLost(reports)
    for (const { name, answers } of reports) assert.equal(Object.keys(answers).length, PODS.length, `${name}: all have answered`)
  },
})

const restarting = (family: 'ipv4' | 'ipv6'): ProxyCase => ({
  name: `no packet is lost while the proxy is started anew (${family})`,
  async run(context) {
    const source = new TestSource()
    source.tell(...nodeObjects, serviceObject(NUMBER), ...sliceObjects(NUMBER, PODS))
    let proxy = await openOn(context, 'one', source)
    context.after(async () => {
      await proxy.cleanup()
      await proxy.close()
    })
    await proxy.once()
    const reports = await under(loads(context, family), async () => {
      await proxy.close()
      await setTimeout(100)
      proxy = await openOn(context, 'one', source)
      await proxy.once()
      await setTimeout(100)
    })
    nothingLost(reports)
  },
})

export const cases: readonly ProxyCase[] = FAMILIES.flatMap(family => [flapping(family), restarting(family)])
