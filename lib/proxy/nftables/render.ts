/** What a frontend is in the table: elements of its sets. */
import type { Verdict } from '../../nft/index.js'
import type { Answer, Client, Endpoint, Frontend } from '../../service/index.js'
import { type EndpointName, endpointName, endpointOf, type ServerName } from '../names.js'
import type { Wanted } from './elements.js'
import { chooseChain, commentOf, KEEP, type Masquerade, SETS, slotMap, type View } from './layout.js'

/** How many endpoints are chosen from, and for how long clients stay. */
export interface Choice {
  readonly view: View
  readonly count: number
  readonly seconds: number | undefined
}

/**
 * Who gives connections to endpoints: rules of nftables, or a virtual server of IPVS. A virtual server has one list of endpoints: where clients
 * from outside get others than those from inside, it serves these, and rules translate for those, before IPVS sees them. `both`: rules, for
 * the time until the virtual server is there.
 */
export type Engine = 'nftables' | 'ipvs' | 'both'

/** A frontend at one address. */
export interface Rendered {
  readonly elements: readonly Wanted[]
  /** What a virtual server has to give connections to; undefined where there is to be none. */
  readonly balanced?: readonly Endpoint[] | undefined
  readonly choices: readonly Choice[]
  /** Undefined: clients are seen by their own addresses. */
  readonly masquerade: Masquerade | undefined
  readonly slots: Slots
  /** Whose it is, for those who read the table. */
  readonly comment: string
}

/** Endpoints by number, for each view that has its own. */
export type Slots = Readonly<Partial<Record<View, readonly EndpointName[]>>>

const NO_SLOTS: Slots = {}

const ALIKE: readonly View[] = ['outside']
const APART: readonly View[] = ['outside', 'inside']

const goto = (chain: string): Verdict => ({ verdict: 'goto', chain })
const KEPT = goto(KEEP)
const REFUSED: Readonly<Record<Answer['verdict'], Verdict>> = {
  accept: { verdict: 'accept' },
  drop: { verdict: 'drop' },
  reject: goto('refuse'),
}

/**
 * @param address of the frontend; of node ports one of the node's
 * @param name of the frontend at this address
 * @param own whether a node has it
 * @param slotsOf gives endpoints their numbers
 */
export function render(
  frontend: Frontend,
  address: string,
  name: ServerName,
  engine: Engine,
  own: boolean,
  slotsOf: (view: View, endpoints: readonly EndpointName[]) => readonly EndpointName[],
): Rendered {
  const { protocol, port, answers, affinity, sources } = frontend
  const key = [address, protocol, port]
  const comment = commentOf(frontend)
  const elements: Wanted[] = []
  const choices: Choice[] = []
  let slots = NO_SLOTS
  let balanced: readonly Endpoint[] | undefined
  // Pods and the node itself get the same endpoints.
  const views = sameAnswer(answers.node, answers.remote) ? ALIKE : APART
  const virtual = engine === 'nftables' ? undefined : views.at(-1)
  for (const view of views) {
    const answer = view === 'outside' ? answers.remote : answers.node
    if (answer.verdict === 'accept') {
      for (const { address } of answer.endpoints)
        elements.push({ set: SETS.hairpin, name: `${address} ${address}`, element: { key: [address, address] } })
      if (view === virtual) balanced = answer.endpoints
      if (view !== virtual || engine === 'both') {
        const numbered = slotsOf(view, answer.endpoints.map(endpointName))
        slots = { ...slots, [view]: numbered }
        choices.push({ view, count: numbered.length, seconds: affinity })
        const data = goto(chooseChain(view, numbered.length, affinity))
        elements.push({ set: SETS.services[view], name, element: { key, data, comment } })
        for (const [slot, endpoint] of numbered.entries()) {
          const { address, port } = endpointOf(endpoint)
          elements.push({ set: slotMap(view, slot), name, element: { key, data: [address, port] } })
        }
      } else if (slots.outside) elements.push({ set: SETS.services.inside, name, element: { key, data: KEPT, comment } })
    }
    // Who is inside is let through what drops those from outside.
    if (view === 'inside' || answer.verdict !== 'accept')
      elements.push({ set: SETS.refused[view], name, element: { key, data: REFUSED[answer.verdict], comment } })
  }
  if (sources !== undefined && sources.length > 0) {
    elements.push({ set: SETS.guarded, name, element: { key } })
    elements.push({ set: SETS.denied, name, element: { key, data: REFUSED.drop, comment } })
    for (const { text } of sources)
      elements.push({ set: SETS.allowed, name: `${text} ${name}`, element: { key: [text, ...key] } })
  }
  if (frontend.kind === 'cluster-ip') elements.push({ set: SETS.clusterAddresses, name: address, element: { key: address } })
  else if (!own) elements.push({ set: SETS.otherAddresses, name: address, element: { key: address } })
  return { elements, balanced, choices, masquerade: masqueradeOf(answers), slots, comment }
}

export function sameAnswer(a: Answer, b: Answer): boolean {
  if (a.verdict !== 'accept' || b.verdict !== 'accept') return a.verdict === b.verdict
  return (
    a.endpoints === b.endpoints ||
    (a.endpoints.length === b.endpoints.length &&
      a.endpoints.every(({ address, port }, i) => b.endpoints[i]?.address === address && b.endpoints[i]?.port === port))
  )
}

/** Who is refused needs no answer. */
function masqueradeOf(answers: Readonly<Record<Client, Answer>>): Masquerade | undefined {
  const of = (client: Client): boolean | undefined => {
    const answer = answers[client]
    return answer.verdict === 'accept' ? answer.masquerade : undefined
  }
  const [pod, node, remote] = [of('pod'), of('node'), of('remote')]
  if (remote) return pod === false ? 'not-pods' : 'always'
  return node ? 'node' : undefined
}
