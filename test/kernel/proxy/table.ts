/** The table of flows: what becomes of a connection by where it comes from, where it goes, and what the Service says. */
import assert from 'node:assert/strict'
import type { Family } from '../../../lib/service/index.js'
import {
  type Expected,
  expected,
  type Kind,
  type Policy,
  type Question,
  type Situation,
  type Who,
} from '../../service/reference.js'
import type { Target } from '../traffic/peer.js'
import { ask, difference, each, type Right } from './ask.js'
import {
  addressOf,
  clientOf,
  nodeObjects,
  type PodEndpoint,
  type ProxyCase,
  type ProxyContext,
  proxies,
  serviceObject,
  sliceObjects,
} from './cluster.js'
import { TestSource } from './rig.js'
import { FAMILIES, NODES, type NodeName, nodeAddress, POD_PORTS, type PodNumber, podAddress, podName } from './topology.js'

const KINDS: readonly Kind[] = ['cluster-ip', 'external-ip', 'load-balancer', 'node-port']
const POLICIES: readonly Policy[] = ['Cluster', 'Local']
const CLIENTS: readonly Who[] = ['pod', 'node', 'remote', 'blocked']
const PROTOCOLS = ['tcp', 'udp'] as const
/** As they are for node one; what is local there is elsewhere for node two. */
const SITUATIONS: readonly Situation[] = [
  [],
  ['local'],
  ['elsewhere'],
  ['local', 'elsewhere', 'elsewhere'],
  ['local leaving'],
  ['elsewhere leaving'],
  ['local leaving', 'elsewhere'],
  ['local', 'local leaving', 'elsewhere leaving'],
  ['elsewhere leaving', 'local leaving'],
]

/** A Service of the table, and where its endpoints are. */
interface Entry {
  readonly number: number
  readonly internal: Policy
  readonly external: Policy
  readonly situation: Situation
  readonly endpoints: readonly PodEndpoint[]
}

const FIRST = 10

const entries: readonly Entry[] = POLICIES.flatMap(internal =>
  POLICIES.flatMap(external => SITUATIONS.map(situation => ({ internal, external, situation, endpoints: podsFor(situation) }))),
).map((entry, i) => ({ ...entry, number: FIRST + i }))

/** On each node the first pods. */
function podsFor(situation: Situation): readonly PodEndpoint[] {
  const count: Record<NodeName, number> = { one: 0, two: 0 }
  return situation.map(text => {
    const node = text.startsWith('local') ? 'one' : 'two'
    return { node, pod: ++count[node] as PodNumber, leaving: text.endsWith('leaving') }
  })
}

/** A line of the table. */
interface Line {
  readonly kind: Kind
  readonly who: Who
  readonly via: NodeName
  readonly family: Family
  readonly protocol: (typeof PROTOCOLS)[number]
  readonly entry: Entry
}

function* lines(): Generator<Line> {
  for (const entry of entries)
    for (const kind of KINDS)
      for (const who of CLIENTS)
        for (const via of NODES)
          for (const family of FAMILIES) for (const protocol of PROTOCOLS) yield { kind, who, via, family, protocol, entry }
}

/** What is there for node one is elsewhere for node two, and the other way round. */
const MIRRORED = {
  local: 'elsewhere',
  elsewhere: 'local',
  'local leaving': 'elsewhere leaving',
  'elsewhere leaving': 'local leaving',
} as const
const asSeenBy = (node: NodeName, situation: Situation): Situation =>
  node === 'one' ? situation : situation.map(where => MIRRORED[where])

function expectedFor({ kind, who, via, entry: { internal, external, situation } }: Line): Expected {
  const question: Question = {
    kind,
    internal,
    external,
    who,
    situation: asSeenBy(via, situation),
    podsKnown: true,
    masqueradeAll: false,
  }
  return expected(question)
}

const text = ({ kind, who, via, family, protocol, entry }: Line): string =>
  `${who} by ${via} to ${kind} over ${family} ${protocol}: internal ${entry.internal}, external ${entry.external}, [${entry.situation}]`

/** How many are asked at once: as many as are silent anyway, and of the others a few. */
const AT_ONCE = { drop: 10_000, others: 48 }

async function run(context: ProxyContext): Promise<void> {
  const source = new TestSource()
  const objects = entries.flatMap(({ number, internal, external, endpoints }) => [
    serviceObject(number, { internalTrafficPolicy: internal, externalTrafficPolicy: external }),
    ...sliceObjects(number, endpoints),
  ])
  source.tell(...nodeObjects, ...objects)
  const running = await proxies(context, source)
  const all = [...lines()].filter((_, i) => i % context.every === 0).map(line => ({ line, wanted: expectedFor(line) }))
  const failures: string[] = []
  const check = async ({ line, wanted }: (typeof all)[number]): Promise<void> => {
    const { kind, who, via, family, protocol, entry } = line
    const { peer, from } = clientOf(context.topology, who, via, family)
    const target: Target = { protocol, ...addressOf(kind, entry.number, family, via), from }
    const pods = wanted.endpoints.map(i => entry.endpoints[i] as PodEndpoint)
    const servers = pods.map(({ node, pod }) => podName(node, pod))
    const right: Right = { verdict: wanted.verdict, servers, source: wanted.masquerade ? nodeAddress(via)[family] : from }
    const wrong =
      difference(await ask(peer, target, right), right) ??
      explained(running[via].explain({ ...target, from }), wanted, pods, family)
    if (wrong) failures.push(`${text(line)}: ${wrong}`)
  }
  const isDrop = ({ wanted }: (typeof all)[number]): boolean => wanted.verdict === 'drop'
  const others = all.filter(one => !isDrop(one))
  await Promise.all([each(all.filter(isDrop), AT_ONCE.drop, check), each(others, AT_ONCE.others, check)])
  assert.equal(failures.length, 0, `${failures.length} of ${all.length}:\n${failures.slice(0, 20).join('\n')}`)
}

function explained(
  { verdict, endpoints, masquerade }: { verdict: string; endpoints: readonly string[]; masquerade: boolean },
  wanted: Expected,
  pods: readonly PodEndpoint[],
  family: Family,
): string | undefined {
  const texts = pods.map(({ node, pod }) => {
    const address = podAddress(node, pod)[family]
    return family === 'ipv4' ? `${address}:${POD_PORTS[0]}` : `[${address}]:${POD_PORTS[0]}`
  })
  const found = JSON.stringify({ verdict, endpoints: endpoints.toSorted(), masquerade })
  const right = JSON.stringify({ verdict: wanted.verdict, endpoints: texts.sort(), masquerade: wanted.masquerade })
  return found === right ? undefined : `explain says ${found} instead of ${right}`
}

export const cases: readonly ProxyCase[] = [{ name: 'packets go, and explain says, as the second model has it', run }]
