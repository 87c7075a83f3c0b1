/** UDP flows that lead to endpoints which are gone: the kernel would send to them for as long as the client goes on. */
import type { ConntrackClient, Flow } from '../conntrack/index.js'
import type { Family, Frontend, FrontendChange } from '../service/index.js'

/** Where a frontend is served, and the endpoints that its flows may go to. */
export type Serving = ReadonlyMap<string, ReadonlySet<string>>

/** An address and port, as endpoints are told apart. */
export const placeOf = (address: string, port: number | undefined): string => `${address} ${port}`

/**
 * Of UDP frontends that had endpoints and have others now: what their flows may go to from now on.
 *
 * @param isKept whether flows to an endpoint go on, though it gets no new ones
 */
export function servingAfter(
  changes: Iterable<FrontendChange>,
  addressesOf: (frontend: Frontend) => readonly string[],
  isKept: (frontend: Frontend, endpoint: string) => boolean,
): Serving {
  const serving = new Map<string, ReadonlySet<string>>()
  for (const { before, after } of changes) {
    const known = before ?? after
    if (known?.protocol !== 'udp' || !before) continue
    const now = new Set(endpointsOf(after))
    const gone = [...endpointsOf(before)].filter(endpoint => !now.has(endpoint))
    for (const endpoint of gone) if (isKept(before, endpoint)) now.add(endpoint)
    if (gone.every(endpoint => now.has(endpoint))) continue
    for (const address of addressesOf(before)) serving.set(placeOf(address, before.port), now)
  }
  return serving
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
export async function deleteStale(
  client: ConntrackClient,
  family: Family,
  serving: Serving,
  signal?: AbortSignal,
): Promise<number> {
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
