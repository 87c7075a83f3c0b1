/** A proxy is killed at each step of what it does: the next one finishes it, and what was served goes on. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ServiceProxy } from '../../../lib/proxy/index.js'
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import type { Orders, Target } from '../traffic/peer.js'
import { ask, difference, type Right } from './ask.js'
import {
  addressOf,
  clientOf,
  nodeObjects,
  openOn,
  type PodEndpoint,
  type ProxyCase,
  type ProxyContext,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import type { Dying } from './dying.js'
import { TestSource } from './rig.js'
import { stateOf } from './state.js'
import { FAMILIES, nodeAddress, podName } from './topology.js'

const [KEPT, CHANGED, NEW, GONE] = [220, 221, 222, 223]
const ONE: PodEndpoint = { node: 'one', pod: 1 }
const TWO: PodEndpoint = { node: 'two', pod: 1 }

/** What is served before, and after: endpoints keep their numbers, so that it does not matter by which way it was come to. */
const BEFORE: ReadonlyMap<number, readonly PodEndpoint[]> = new Map([
  [KEPT, [ONE, TWO]],
  [CHANGED, [ONE]],
  [GONE, [TWO]],
])
const AFTER: ReadonlyMap<number, readonly PodEndpoint[]> = new Map([
  [KEPT, [ONE, TWO]],
  [CHANGED, [ONE, TWO]],
  [NEW, [ONE]],
])

const objectsOf = (services: ReadonlyMap<number, readonly PodEndpoint[]>): readonly KubernetesObject[] => [
  ...nodeObjects,
  ...[...services].flatMap(([number, endpoints]) => [
    serviceObject(number, number === CHANGED && services === AFTER ? { externalTrafficPolicy: 'Local' } : {}),
    ...sliceObjects(number, endpoints),
  ]),
]

/**
 * Starts a process that does what it is told once all is prepared: it starts meanwhile. How many requests were answered; undefined when it was
 * killed.
 */
function start(): (dying: Dying) => Promise<number | undefined> {
  const program = fileURLToPath(new URL('dying.js', import.meta.url))
  let tell = (_: Dying): void => {}
  const ended = new Promise<number | undefined>((resolve, reject) => {
    const child = execFile(process.execPath, [program], (error, stdout, stderr) => {
      if (!error) resolve(Number(stdout))
      else if (error.signal === 'SIGKILL') resolve(undefined)
      else reject(new Error(stderr))
    })
    tell = dying => child.stdin?.end(`${JSON.stringify(dying)}\n`)
  })
  ended.catch(() => {}) // looked at when it is told
  return dying => {
    tell(dying)
    return ended
  }
}

async function withProxy(
  context: ProxyContext,
  objects: readonly KubernetesObject[],
  work: (proxy: ServiceProxy) => Promise<unknown>,
): Promise<void> {
  const source = new TestSource()
  source.tell(...objects)
  const proxy = await openOn(context, 'one', source)
  await work(proxy)
  await proxy.close()
}

/** What a new proxy makes of what is there. */
async function settle(context: ProxyContext, objects: readonly KubernetesObject[]): Promise<string> {
  await withProxy(context, objects, proxy => proxy.once())
  return stateOf(context, 'one')
}

const cleanup = (context: ProxyContext): Promise<void> => withProxy(context, [], proxy => proxy.cleanup())

/** All that is served answers. */
async function serves({ topology }: ProxyContext, services: ReadonlyMap<number, readonly PodEndpoint[]>): Promise<void> {
  const all = [...services].flatMap(([number, endpoints]) =>
    FAMILIES.map(async family => {
      const { peer, from } = clientOf(topology, 'remote', 'one', family)
      const target: Target = { protocol: 'tcp', ...addressOf('cluster-ip', number, family, 'one'), from }
      const servers = endpoints.map(({ node, pod }) => podName(node, pod))
      const right: Right = { verdict: 'accept', servers, source: nodeAddress('one')[family] }
      return difference(await ask(peer, target, right), right)
    }),
  )
  assert.deepEqual(
    (await Promise.all(all)).filter(wrong => wrong !== undefined),
    [],
  )
}

/** What the kept Service has to go through: questions without an end, from a pod and from outside. */
function askers({ topology }: ProxyContext): readonly { readonly peer: Orders; readonly target: Target }[] {
  return [
    { ...clientOf(topology, 'pod', 'one', 'ipv4'), kind: 'cluster-ip', family: 'ipv4', protocol: 'tcp' } as const,
    { ...clientOf(topology, 'remote', 'one', 'ipv6'), kind: 'external-ip', family: 'ipv6', protocol: 'udp' } as const,
  ].map(({ peer, from, kind, family, protocol }) => ({
    peer,
    target: { protocol, ...addressOf(kind, KEPT, family, 'one'), from },
  }))
}

interface Interrupted {
  readonly name: string
  readonly from: ReadonlyMap<number, readonly PodEndpoint[]>
  readonly to: ReadonlyMap<number, readonly PodEndpoint[]>
  readonly does: Dying['does']
}

const NOTHING: ReadonlyMap<number, readonly PodEndpoint[]> = new Map()

const CASES: readonly Interrupted[] = [
  { name: 'its first sync', from: NOTHING, to: AFTER, does: 'sync' },
  { name: 'a change', from: BEFORE, to: AFTER, does: 'sync' },
  { name: 'taking over what another left', from: AFTER, to: AFTER, does: 'sync' },
  { name: 'cleanup', from: AFTER, to: AFTER, does: 'cleanup' },
]

const interrupted = ({ name, from, to, does }: Interrupted): ProxyCase => ({
  name: `a proxy that is killed at any step of ${name} is taken over by the next one, and what was served is served on`,
  async run(given) {
    // What is gone is gone at once: how far a drain has come would be another state each time.
    const options = { ...given.options, drainTimeout: 0 }
    const context = { ...given, options }
    const dying: Dying = { options, objects: objectsOf(to), does }
    context.after(() => cleanup(context))
    await cleanup(context)
    const clean = await stateOf(context, 'one')
    const wanted = await settle(context, objectsOf(to))
    const prepare = async (): Promise<void> => {
      await cleanup(context)
      if (from !== NOTHING) await settle(context, objectsOf(from))
    }
    const living = start()
    await prepare()
    const steps = await living(dying)
    assert.ok(steps !== undefined)
    // Where nothing is different nothing is changed: wherever it is killed, all is as it was. Whether there is IPVS is tried each time.
    if (options.backend !== 'ipvs') assert.equal(steps === 0, does === 'sync' && from === to)
    // Cleanup takes away what is served: only what others do meanwhile can keep it.
    const asking = does === 'sync' && from !== NOTHING ? askers(context) : []
    for (let after = 1; after <= steps; after++) {
      const mortal = start()
      await prepare()
      for (const { peer, target } of asking) await peer.startLoad(target, 2)
      assert.equal(await mortal({ ...dying, after }), undefined, `step ${after} of ${steps}`)
      assert.equal(await settle(context, objectsOf(to)), wanted, `step ${after} of ${steps}`)
      for (const { peer } of asking) {
        const { failures, answers } = await peer.stopLoad()
        assert.deepEqual(failures, [], `step ${after} of ${steps}`)
        assert.ok(Object.keys(answers).length > 0)
      }
      await serves(context, to)
    }
    await cleanup(context)
    assert.equal(await stateOf(context, 'one'), clean)
  },
})

export const cases: readonly ProxyCase[] = CASES.map(interrupted)
