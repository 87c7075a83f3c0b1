/** What becomes of a connection by the tables that are in the kernel, whoever made them: single elements are read, nothing is listed. */
import type { Element, NftClient, NftSet } from '../../nft/index.js'
import { addressOf, type Explanation, type Family, type Flow, formatEndpoint } from '../../service/index.js'
import type { ServedExplanation } from '../explain.js'
import { KEEP, masqueradeChain, portedChain, portsMap, SETS, slotMap, TABLE, tableFamily, type View } from './layout.js'

/** What else than tables it depends on. */
export interface KernelSurroundings {
  /** Addresses of the machine. */
  readonly localAddresses: readonly string[]
  /** Endpoints of a virtual server that is ours: `address port`. */
  virtualServer(flow: Flow): Promise<readonly string[]>
  readonly signal?: AbortSignal | undefined
}

/** Elements of one table by their keys. */
class Reader {
  readonly #client: NftClient
  readonly #sets: ReadonlyMap<string, NftSet>
  readonly #signal: AbortSignal | undefined

  constructor(client: NftClient, sets: readonly NftSet[], signal: AbortSignal | undefined) {
    this.#client = client
    this.#sets = new Map(sets.map(set => [set.name, set]))
    this.#signal = signal
  }

  async get(name: string, ...key: readonly (string | number)[]): Promise<Element | undefined> {
    const set = this.#sets.get(name)
    if (!set) return undefined
    const [only = '', ...others] = key
    const [found] = await this.#client.getElements(set, [others.length > 0 ? key : only], { signal: this.#signal })
    return found
  }
}

/** A connection, and who its client is. */
interface Asked {
  readonly flow: Flow
  readonly key: readonly (string | number)[]
  readonly pod: boolean
  readonly node: boolean
}

const DRAINED = 'its virtual server of IPVS gives no new connections to endpoints: those that there are go on until they are over'
const NOTHING = { endpoints: [], masquerade: false } as const

/** Throws a `TypeError` for addresses that are none. */
export async function explainByTable(client: NftClient, given: Flow, around: KernelSurroundings): Promise<ServedExplanation> {
  const flow = { ...given, from: checked('from', given.from), address: checked('address', given.address) }
  const { from, address, protocol, port } = flow
  const family: Family = address.includes(':') ? 'ipv6' : 'ipv4'
  const of = { family: tableFamily(family), table: TABLE }
  const sets = await client.sets({ ...of, signal: around.signal })
  if (sets.length === 0)
    return { ...NOTHING, verdict: 'none', reason: `the kernel has no table ${of.family} ${TABLE}: no proxy has run here` }
  const reader = new Reader(client, sets, around.signal)
  const key = [address, protocol, port]
  const pod = (await reader.get(SETS.pods, from)) !== undefined
  const asked: Asked = { flow, key, pod, node: around.localAddresses.includes(from) }
  return (await refused(reader, asked)) ?? (await taken(reader, asked, around)) ?? leftOver(reader, asked)
}

function checked(field: string, text: string): string {
  const address = addressOf(text)
  if (address === undefined) throw new TypeError(`${field}: ${JSON.stringify(text)} is no IP address`)
  return address
}

/** What the chain `check` does, in its order. */
async function refused(reader: Reader, { flow, key, pod, node }: Asked): Promise<Explanation | undefined> {
  if ((await reader.get(SETS.guarded, ...key)) && !(await reader.get(SETS.allowed, flow.from, ...key))) {
    const element = await reader.get(SETS.denied, ...key)
    const reason = `${flow.from} is in none of the Service's source ranges: map ${SETS.denied}`
    return { ...NOTHING, verdict: 'drop', service: element?.comment, reason }
  }
  const views: readonly View[] = pod || node ? ['inside', 'outside'] : ['outside']
  for (const view of views) {
    const element = await reader.get(SETS.refused[view], ...key)
    if (!element) continue
    const { verdict } = element.data as { readonly verdict: string }
    if (verdict === 'accept') return undefined
    const answer = verdict === 'drop' ? 'drop' : 'reject'
    return { ...NOTHING, verdict: answer, service: element.comment, reason: `map ${SETS.refused[view]} has it` }
  }
  return undefined
}

/** What the chain `services` does, or a virtual server behind it. */
async function taken(reader: Reader, asked: Asked, around: KernelSurroundings): Promise<ServedExplanation | undefined> {
  const { flow, key, pod, node } = asked
  const views: readonly View[] = pod || node ? ['inside', 'outside'] : ['outside']
  let found: Element | undefined
  for (const view of views) found ??= await reader.get(SETS.services[view], ...key)
  const { chain } = (found?.data ?? {}) as { readonly chain?: string }
  if (chain !== undefined && chain !== KEEP) {
    const [, view, count] = /^choose-(inside|outside)-(\d+)/.exec(chain) ?? []
    const slots = Array.from({ length: Number(count) }, (_, slot) => reader.get(slotMap(view as View, slot), ...key))
    const places = (await Promise.all(slots)).flatMap(element => (element?.data === undefined ? [] : [placeOf(element)]))
    return { ...(await accepted(reader, asked, places, found?.comment, `chain ${chain} chooses`)), engine: 'nftables' }
  }
  const ledger = await reader.get(SETS.virtualServers, ...key)
  if (!ledger) return undefined
  const places = await around.virtualServer(flow)
  if (places.length === 0) return { ...NOTHING, verdict: 'reject', service: ledger.comment, reason: DRAINED, engine: 'ipvs' }
  return { ...(await accepted(reader, asked, places, ledger.comment, 'a virtual server of IPVS chooses')), engine: 'ipvs' }
}

const placeOf = ({ data }: Element): string => [data].flat().join(' ')

async function accepted(
  reader: Reader,
  asked: Asked,
  places: readonly string[],
  service: string | undefined,
  how: string,
): Promise<Explanation> {
  const { from } = asked.flow
  const parts = places.map(place => place.split(' ') as [string, string])
  const hairpin = parts.every(([address]) => address === from) && (await reader.get(SETS.hairpin, from, from)) !== undefined
  const when = await masqueradeOf(reader, asked)
  const masquerade = hairpin || when === 'always' || (when === 'not-pods' && !asked.pod) || (when === 'node' && asked.node)
  const seen = masquerade ? 'endpoints see the address of this node' : 'endpoints see the address of the client'
  const endpoints = parts.map(([address, port]) => formatEndpoint({ address, port: Number(port) })).sort()
  return { verdict: 'accept', service, endpoints, masquerade, reason: `${how}: ${seen}` }
}

/** By the address that was asked for, or by its port. */
async function masqueradeOf(reader: Reader, { flow: { address, protocol, port } }: Asked) {
  const chainOf = (element: Element | undefined): string =>
    (element?.data as { readonly chain?: string } | undefined)?.chain ?? ''
  const first = chainOf(await reader.get(SETS.masquerade, address))
  const chain = first === portedChain(address) ? chainOf(await reader.get(portsMap(address, protocol), port)) : first
  return (['always', 'not-pods', 'node'] as const).find(when => masqueradeChain(when) === chain)
}

/** What the chain `left-over` does. */
async function leftOver(reader: Reader, { flow: { address } }: Asked): Promise<Explanation> {
  if (await reader.get(SETS.clusterAddresses, address))
    return { ...NOTHING, verdict: 'reject', reason: `${address} is the cluster address of a Service, which has no such port` }
  if (await reader.get(SETS.otherAddresses, address))
    return { ...NOTHING, verdict: 'reject', reason: `${address} is an address of a Service, which has no such port` }
  if (await reader.get(SETS.serviceRanges, address))
    return { ...NOTHING, verdict: 'drop', reason: `no Service has ${address}, which is in a range of Services` }
  return { ...NOTHING, verdict: 'none', reason: 'no Service has this address and port' }
}
