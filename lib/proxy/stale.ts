/** UDP flows that lead to endpoints which are gone: the kernel would send to them for as long as the client goes on. */
import type { ConntrackClient, Flow } from '../conntrack/index.js'
import type { Family, Frontend, FrontendChange } from '../service/index.js'

/** Where a frontend is served, and the endpoints that its flows may go to. */
type Serving = ReadonlyMap<string, ReadonlySet<string>>

/** An address and port, as endpoints are told apart. */
export const placeOf = (address: string, port: number | undefined): string => `${address} ${port}`

/** A place that endpoints have left. */
interface Left {
  readonly frontend: Frontend
  /** Those that are there now. */
  readonly now: ReadonlySet<string>
  readonly left: ReadonlySet<string>
}

/**
 * Knows of UDP frontends which endpoints they have no more. Flows to one that still serves, while it terminates, go on as kube-proxy has it:
 * a question that is on its way is answered. Those to others are stale.
 */
export class StaleFlows {
  readonly #left = new Map<string, Left>()
  /** What is to be looked for in the kernel. */
  readonly #serving = new Map<string, ReadonlySet<string>>()

  /** @param isServing whether an endpoint that a frontend had answers still */
  changed(
    changes: Iterable<FrontendChange>,
    addressesOf: (frontend: Frontend) => readonly string[],
    isServing: (frontend: Frontend, endpoint: string) => boolean,
  ): void {
    const removed = new Set<string>()
    for (const { before, after } of changes) {
      if (before?.protocol !== 'udp') continue
      const now = endpointsOf(after)
      for (const address of addressesOf(before)) {
        const place = placeOf(address, before.port)
        const left = new Set(
          [...(this.#left.get(place)?.left ?? []), ...endpointsOf(before)].filter(endpoint => !now.has(endpoint)),
        )
        if (!after) removed.add(place)
        this.#left.set(place, { frontend: before, now, left })
      }
    }
    for (const [place, { frontend, now, left }] of this.#left) {
      const kept = [...left].filter(endpoint => !removed.has(place) && isServing(frontend, endpoint))
      if (kept.length < left.size || this.#serving.has(place)) this.#serving.set(place, new Set([...now, ...kept]))
      if (kept.length > 0) this.#left.set(place, { frontend, now, left: new Set(kept) })
      else this.#left.delete(place)
    }
  }

  /** Deletes those of a family. Returns how many it were. */
  delete(client: ConntrackClient, family: Family, signal?: AbortSignal): Promise<number> {
    return deleteStale(client, family, this.#serving, signal)
  }

  /** They were deleted, of all families. */
  settled(): void {
    this.#serving.clear()
  }
}

/** All that a frontend's connections may go to, whoever the client is. */
export function endpointsOf(frontend: Frontend | undefined): ReadonlySet<string> {
  const answers = frontend ? Object.values(frontend.answers) : []
  return new Set(
    answers.flatMap(answer =>
      answer.verdict === 'accept' ? answer.endpoints.map(({ address, port }) => placeOf(address, port)) : [],
    ),
  )
}

/**
 * Deletes the flows of a family that go elsewhere. Their next packets are new ones. Returns how many it were. Flows through IPVS have no status that
 * tells them from others (ip_vs_nfct.c): all that asked for an address and port count.
 */
async function deleteStale(client: ConntrackClient, family: Family, serving: Serving, signal?: AbortSignal): Promise<number> {
  if (serving.size === 0) return 0
  const stale: Flow[] = []
  for await (const flow of client.flows({ family, protocol: 'udp', signal })) {
    const endpoints = serving.get(placeOf(flow.original.destination, flow.original.destinationPort))
    if (endpoints && !endpoints.has(placeOf(flow.reply.source, flow.reply.sourcePort))) stale.push(flow)
  }
  let deleted = 0
  for (const { original, zone } of stale) if (await client.delete({ original, zone }, { signal })) deleted++
  return deleted
}
