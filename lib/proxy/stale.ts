/** UDP flows that lead where nothing answers: the kernel would send there for as long as the client goes on. */
import type { ConntrackClient, Flow } from '../conntrack/index.js'
import type { Family, Frontend, FrontendChange } from '../service/index.js'
import { placeOf } from './names.js'

/** Whether an endpoint answers still that a frontend gives no new flows to. */
export type IsServing = (frontend: Frontend, endpoint: string) => boolean

/** What is served at a place, and endpoints that served there before, and answer still. */
interface Left {
  readonly frontend: Frontend
  readonly left: ReadonlySet<string>
}

/**
 * Knows at which places flows may lead elsewhere than to endpoints: where an endpoint was lost, and where the first one came, for a client may
 * have asked before. At the start those are all places, for nobody knows what happened while no proxy ran. Flows to an endpoint that still
 * serves, while it terminates, go on as kube-proxy has it (pkg/proxy/conntrack/cleanup.go): a question that is on its way is answered.
 */
export class StaleFlows {
  readonly #left = new Map<string, Left>()
  /** Places whose flows are to be looked at, and what is served there; undefined: nothing any more. */
  readonly #places = new Map<string, Frontend | undefined>()

  changed(changes: Iterable<FrontendChange>, addressesOf: (frontend: Frontend) => readonly string[], isServing: IsServing): void {
    for (const { before, after } of changes) {
      const frontend = before ?? after
      if (frontend?.protocol !== 'udp') continue
      const isFirst = !hasEndpoints(before) && hasEndpoints(after)
      for (const address of addressesOf(frontend)) {
        const place = placeOf(address, frontend.port)
        if (!after || isFirst || this.#places.has(place)) this.#places.set(place, after)
        if (after && before) this.#leave(place, before, after)
        else this.#left.delete(place)
      }
    }
    for (const [place, { frontend, left }] of this.#left) {
      const kept = [...left].filter(endpoint => isServing(frontend, endpoint))
      if (kept.length < left.size) this.#places.set(place, frontend)
      if (kept.length > 0) this.#left.set(place, { frontend, left: new Set(kept) })
      else this.#left.delete(place)
    }
  }

  #leave(place: string, before: Frontend, after: Frontend): void {
    const now = endpointsOf(after)
    const all = [...(this.#left.get(place)?.left ?? []), ...endpointsOf(before)]
    this.#left.set(place, { frontend: after, left: new Set(all.filter(endpoint => !now.has(endpoint))) })
  }

  /**
   * Deletes those of a family. Their next packets are new ones. Returns how many it were. Flows through IPVS have no status that tells them from
   * others (ip_vs_nfct.c): all that asked for an address and port count.
   */
  async delete(client: ConntrackClient, family: Family, isServing: IsServing, signal?: AbortSignal): Promise<number> {
    if (this.#places.size === 0) return 0
    const known = new Map<string, ReadonlySet<string>>()
    const isStale = ({ original, reply }: Flow): boolean => {
      const place = placeOf(original.destination, original.destinationPort)
      if (!this.#places.has(place)) return false
      const frontend = this.#places.get(place)
      const endpoints = known.get(place) ?? endpointsOf(frontend)
      known.set(place, endpoints)
      const endpoint = placeOf(reply.source, reply.sourcePort)
      return !endpoints.has(endpoint) && !(frontend && isServing(frontend, endpoint))
    }
    const stale: Flow[] = []
    for await (const flow of client.flows({ family, protocol: 'udp', signal })) if (isStale(flow)) stale.push(flow)
    let deleted = 0
    for (const { original, zone } of stale) if (await client.delete({ original, zone }, { signal })) deleted++
    return deleted
  }

  /** They were deleted, of all families. */
  settled(): void {
    this.#places.clear()
  }
}

const hasEndpoints = (frontend: Frontend | undefined): boolean =>
  frontend !== undefined &&
  Object.values(frontend.answers).some(answer => answer.verdict === 'accept' && answer.endpoints.length > 0)

/** All that a frontend's connections may go to, whoever the client is. */
export function endpointsOf(frontend: Frontend | undefined): ReadonlySet<string> {
  const answers = frontend ? Object.values(frontend.answers) : []
  return new Set(
    answers.flatMap(answer =>
      answer.verdict === 'accept' ? answer.endpoints.map(({ address, port }) => placeOf(address, port)) : [],
    ),
  )
}
