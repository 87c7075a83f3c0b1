/** A proxy is killed at each step of what it does: the next one finishes it, and what was served goes on. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { open as openIpvs } from '../../../lib/ipvs/index.js'
import type { BackendName, ServiceProxy } from '../../../lib/proxy/index.js'
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import type { Orders, Target } from '../traffic/peer.js'
import { ask, difference, type Right } from './ask.js'
import {
  addressesOf,
  addressOf,
  clientOf,
  nodeObjects,
  openOn,
  type PodEndpoint,
  type ProxyCase,
  type ProxyContext,
  SERVICE_PORT,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import type { Dying } from './dying.js'
import { TestSource } from './rig.js'
import { stateOf, virtualServers } from './state.js'
import { FAMILIES, nodeAddress, nodeNamespace, podName } from './topology.js'

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

/** Milliseconds between two questions of a client: who asks all the time leaves emulated processors no time for the proxy. */
const PAUSE = 20

/** Does what it is told; how many steps there were, or undefined when it was killed. */
type Told = (dying: Dying) => Promise<number | undefined>

/** Starts a process that does what it is told, once it is ready: dying.ts, in one file. */
async function start(): Promise<Told> {
  const program = fileURLToPath(new URL('../dying.bundle.mjs', import.meta.url))
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'close')
  const [ready] = await Promise.race([once(lines, 'line'), ended])
  assert.equal(ready, 'ready')
  return async dying => {
    let count: number | undefined
    lines.on('line', line => {
      count = Number(line)
    })
    child.stdin.end(`${JSON.stringify(dying)}\n`)
    const [status, signal] = await ended
    assert.ok(signal === 'SIGKILL' || (status === 0 && count !== undefined), `it ended with ${signal ?? status}`)
    return count
  }
}

async function withProxy(
  context: Pick<ProxyContext, 'options'>,
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
async function settle(context: Pick<ProxyContext, 'options'>, objects: readonly KubernetesObject[]): Promise<string> {
  await withProxy(context, objects, proxy => proxy.once())
  return stateOf(context, 'one')
}

const cleanup = (context: ProxyContext): Promise<void> => withProxy(context, [], proxy => proxy.cleanup())

/** Virtual servers of somebody else: far from ours, beside one of ours, and where a Service is to be. Returns what there is of them. */
async function strangers(context: ProxyContext): Promise<() => Promise<readonly string[]>> {
  const lvs = await openIpvs({ netns: { name: nodeNamespace('one') } })
  const keys = [
    { protocol: 'tcp', address: '192.0.2.200', port: 80 },
    { protocol: 'udp', address: addressesOf(KEPT).cluster.ipv4, port: 81 },
    { protocol: 'tcp', address: addressesOf(NEW).cluster.ipv6, port: SERVICE_PORT },
  ] as const
  for (const key of keys) {
    await lvs.ensureVirtualServer({ ...key, scheduler: 'wlc' })
    const address = key.address.includes(':') ? '2001:db8:99::9' : '192.0.2.99'
    await lvs.ensureRealServer(key, { address, port: key.port, weight: 7, forwarding: 'tunnel' })
  }
  context.after(async () => {
    for (const key of keys) await lvs.removeVirtualServer(key)
    await lvs.close()
  })
  return async () => (await virtualServers(lvs)).filter(text => text.includes('"wlc"'))
}

/** Endpoints that are left while they have connections: a drain that nobody goes on with. */
async function drained(context: ProxyContext): Promise<Held> {
  const patient = { options: { ...context.options, drainTimeout: 300 } }
  await settle(patient, objectsOf(BEFORE))
  const { peer, from } = clientOf(context.topology, 'pod', 'one', 'ipv4')
  const { held } = await peer.hold({ protocol: 'tcp', ...addressOf('cluster-ip', GONE, 'ipv4', 'one'), from })
  const state = await settle(patient, objectsOf(AFTER))
  assert.match(state, / 0 masquerade/, 'an endpoint is left without new connections')
  return async () => {
    assert.equal((await peer.askHeld(held)).server, podName(TWO.node, TWO.pod))
    await peer.release(held)
  }
}

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
  /** `draining`: what is left of what was served before, without new connections. */
  readonly from: ReadonlyMap<number, readonly PodEndpoint[]> | 'draining'
  /** The engine of the proxy before. Default: the same. */
  readonly before?: BackendName
  /** The engine of the proxy that dies. Default: that which was asked for. */
  readonly after?: BackendName
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

const ON_IPVS: readonly Interrupted[] = [
  { name: 'taking over what another left draining', from: 'draining', to: BEFORE, does: 'sync' },
  { name: 'changing over to IPVS', from: BEFORE, before: 'nftables', to: AFTER, does: 'sync' },
  { name: 'changing over to nftables', from: BEFORE, before: 'ipvs', after: 'nftables', to: AFTER, does: 'sync' },
]

/** Does nothing, or looks whether what was held is there still. */
type Held = () => Promise<unknown>

/** Brings the node to what the proxy finds that is to die. */
async function prepare(context: ProxyContext, { from, before }: Interrupted): Promise<Held> {
  await cleanup(context)
  if (from === 'draining') return drained(context)
  const { options } = context
  if (from !== NOTHING) await settle({ options: before ? { ...options, backend: before } : options }, objectsOf(from))
  return async () => {}
}

async function run(given: ProxyContext, it: Interrupted): Promise<void> {
  const { from, to, does, before, after: engine = given.options.backend } = it
  // What is gone is gone at once: how far a drain has come would be another state each time.
  const options = { ...given.options, backend: engine, drainTimeout: 0 }
  const context = { ...given, options }
  const dying: Dying = { options, objects: objectsOf(to), does }
  context.after(() => cleanup(context))
  const theirs = given.options.backend === 'ipvs' ? await strangers(context) : async () => []
  await cleanup(context)
  const [clean, stranger] = [await stateOf(context, 'one'), await theirs()]
  // What is left of another engine is part of it.
  if (before) await prepare(context, it)
  const wanted = await settle(context, objectsOf(to))
  const [living] = await Promise.all([start(), prepare(context, it)])
  const steps = await living(dying)
  assert.ok(steps !== undefined)
  // Where nothing is different nothing is changed: wherever it is killed, all is as it was. Whether there is IPVS is tried each time.
  if (options.backend !== 'ipvs') assert.equal(steps === 0, does === 'sync' && from === to)
  // Cleanup takes away what is served: only what others do meanwhile can keep it.
  const asking = does === 'sync' && from !== NOTHING ? askers(context) : []
  for (let after = 1; after <= steps; after += context.every) {
    const text: string = `step ${after} of ${steps}`
    const [mortal, held] = await Promise.all([start(), prepare(context, it)])
    for (const { peer, target } of asking) await peer.startLoad(target, 2, PAUSE)
    assert.equal(await mortal({ ...dying, after }), undefined, text)
    await withProxy(context, objectsOf(to), proxy => proxy.once())
    for (const { peer } of asking) {
      const { failures, answers } = await peer.stopLoad()
      assert.deepEqual(failures, [], text)
      assert.ok(Object.keys(answers).length > 0)
    }
    assert.equal(await stateOf(context, 'one'), wanted, text)
    await held()
    await serves(context, to)
    assert.deepEqual(await theirs(), stranger, text)
  }
  await cleanup(context)
  assert.equal(await stateOf(context, 'one'), clean)
  assert.deepEqual(await theirs(), stranger)
}

const caseOf = (it: Interrupted, needs?: 'ipvs'): ProxyCase => ({
  name: `a proxy that is killed at any step of ${it.name} is taken over by the next one, and what was served is served on`,
  needs,
  run: context => run(context, it),
})

export const cases: readonly ProxyCase[] = [...CASES.map(it => caseOf(it)), ...ON_IPVS.map(it => caseOf(it, 'ipvs'))]
