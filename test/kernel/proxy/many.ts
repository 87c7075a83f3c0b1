/** Services come and go by the hundred: all are served, and in the end nothing of them is left. */
import assert from 'node:assert/strict'
import { open as openIpvs } from '../../../lib/ipvs/index.js'
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import type { Source, SourceUpdate } from '../../../lib/source/source.js'
import {
  addressesOf,
  addressOf,
  clientOf,
  nodeObjects,
  type ProxyCase,
  type ProxyContext,
  proxyOn,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import { changeTo } from './rig.js'
import { stateOf, virtualServers } from './state.js'
import { FAMILIES, nodeNamespace, podName } from './topology.js'

const ROUNDS = 10
const EACH = 100
/** A cluster address of each family, over TCP and UDP. */
const PLACES = 4

/** Tells its last news to each who asks. */
class News implements Source {
  readonly name = 'news'
  #update: SourceUpdate = { complete: true, changes: [], problems: [] }

  are(objects: readonly KubernetesObject[], gone: readonly KubernetesObject[] = []): void {
    const changes = [...objects.map(changeTo), ...gone.map(object => ({ ...changeTo(object), object: undefined }))]
    this.#update = { complete: true, changes, problems: [] }
  }

  async *updates(): AsyncGenerator<SourceUpdate, void, void> {
    yield this.#update
  }
}

/** Only cluster addresses: each place more is one more of IPVS, which is slow where processors are emulated. */
const objectsOf = (number: number): readonly KubernetesObject[] => [
  { ...serviceObject(number, { type: 'ClusterIP', externalIPs: [], loadBalancerSourceRanges: [] }), status: {} },
  ...sliceObjects(number, [{ node: number % 2 === 0 ? 'one' : 'two', pod: 1 }]),
]

/** Each of some Services answers, over both families. */
async function served({ topology }: ProxyContext, numbers: readonly number[]): Promise<void> {
  for (const number of numbers)
    for (const family of FAMILIES) {
      const { peer, from } = clientOf(topology, 'pod', 'one', family)
      const [answer] = await peer.ask({ protocol: 'tcp', ...addressOf('cluster-ip', number, family, 'one'), from }, 1)
      assert.equal(answer?.server, podName(number % 2 === 0 ? 'one' : 'two', 1), `${addressesOf(number).cluster[family]}`)
    }
}

async function countOf({ options }: ProxyContext): Promise<number | undefined> {
  if (options.backend !== 'ipvs') return undefined
  await using lvs = await openIpvs({ netns: { name: nodeNamespace('one') } })
  return (await virtualServers(lvs)).length
}

async function run(given: ProxyContext): Promise<void> {
  const context = { ...given, options: { ...given.options, drainTimeout: 0 } }
  const source = new News()
  source.are([...nodeObjects, ...objectsOf(250)])
  const proxy = await proxyOn(context, 'one', source)
  await proxy.once()
  const before = await stateOf(context, 'one')
  const numbers = Array.from({ length: EACH }, (_, i) => 10 + i)
  const objects = numbers.flatMap(objectsOf)
  for (let round = 0; round < ROUNDS; round++) {
    source.are(objects)
    await proxy.once()
    await served(context, [numbers[round] as number, 250])
    const count = await countOf(context)
    if (count !== undefined) assert.equal(count, PLACES * (EACH + 1))
    source.are([], objects)
    await proxy.once()
  }
  assert.equal(await stateOf(context, 'one'), before)
  await served(context, [250])
}

export const cases: readonly ProxyCase[] = [{ name: 'a thousand Services come and go, and nothing of them is left', run }]
