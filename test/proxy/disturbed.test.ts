/**
 * At random: others change what is there, and calls end half-way; the next sync makes it right all the same, as on a machine where nothing
 * came between. `node disturbed.test.js [ROUNDS] [SEED]` goes on for longer.
 */
import t from 'tap'
import { type IpvsClient, open as openIpvs, type VirtualServerWithRealServers } from '../../lib/ipvs/index.js'
import { type ElementKey, type NftClient, open as openNft } from '../../lib/nft/index.js'
import { Backend, type EngineName } from '../../lib/proxy/backend.js'
import type { DrainRules } from '../../lib/proxy/ipvs/drains.js'
import { type Cidr, cidrOf, type Frontend, type FrontendKey, ServiceModel } from '../../lib/service/index.js'
import { memoryKernel } from '../../lib/testing/index.js'
import { intercept } from '../kernel/support/intercept.js'
import { syncOf } from './machine.js'
import { HERE, NAMES, Random, randomService, randomSlice } from './random.js'

const [rounds = '4', seed = '20261126'] = process.argv.slice(2)
const STEPS = 25

const TABLE = { family: 'ip', table: 'ts-ipvs' } as const
const AT_ONCE: DrainRules = { seconds: () => 0, stateOf: () => 'gone' }
const range = (text: string): readonly Cidr[] => [cidrOf(text)].filter(cidr => cidr !== undefined)
const PODS = range('10.244.0.0/16')
const ELSEWHERE = '192.168.1.2'

type Clients = { readonly nft: NftClient; readonly lvs: IpvsClient }

/** A machine with a backend, whose calls can be cut off, and others, who are quick. */
class Site {
  /** After so many calls `cut` is called: once before, once when it was carried out. */
  left = Number.POSITIVE_INFINITY
  cut: (sent: boolean) => void = () => {}
  readonly others: Clients
  readonly #ours: Clients
  backend: Backend

  private constructor(others: Clients, ours: Clients) {
    this.others = others
    this.#ours = ours
    this.backend = this.#next()
  }

  static async open(): Promise<Site> {
    const kernel = memoryKernel({ interfaces: { lo: 65536 }, schedulers: ['rr', 'wrr', 'wlc', 'sh'] })
    const made: { site: Site | undefined } = { site: undefined }
    const transport = intercept(kernel, async (_, go) => {
      const { site } = made
      const isLast = site !== undefined && --site.left === 0
      if (isLast) site.cut(false)
      const reply = await go()
      if (isLast) site.cut(true)
      return reply
    })
    const others = { nft: await openNft({ transport: kernel }), lvs: await openIpvs({ transport: kernel }) }
    const ours = { nft: await openNft({ transport }), lvs: await openIpvs({ transport }) }
    made.site = new Site(others, ours)
    return made.site
  }

  #next(): Backend {
    const backend = new Backend('ipv4', { ...this.#ours, drains: AT_ONCE, log: () => {} })
    backend.setRanges({ pods: PODS, services: range('10.96.0.0/16') })
    backend.setAddresses(HERE, new Set([ELSEWHERE]))
    return backend
  }

  /** Another backend takes over. */
  async start(engine: EngineName, frontends: ReadonlyMap<FrontendKey, Frontend>): Promise<void> {
    this.backend = this.#next()
    await this.backend.adopt(engine)
    for (const [key, after] of frontends) this.set(key, after)
  }

  set(key: FrontendKey, after: Frontend | undefined): void {
    this.backend.set({ key, before: undefined, after }, addressesOf)
  }

  /** A sync that is aborted at one of its first calls. */
  async abort(random: Random): Promise<void> {
    const ending = new AbortController()
    const late = random.below(2) === 0
    this.cut = sent => sent === late && ending.abort()
    this.left = 1 + random.below(16)
    await syncOf(this.backend, ending.signal).catch(() => {})
    this.left = Number.POSITIVE_INFINITY
  }

  /** Elements of the table, sets of single addresses, and virtual servers; but for numbers of endpoints, and clients that are remembered. */
  async state(): Promise<readonly string[]> {
    const { elements, sets } = await this.others.nft.snapshot(TABLE)
    const { virtualServers } = await this.others.lvs.snapshot()
    return [
      ...elements
        .filter(({ set: { name } }) => !/^(__|sticky)/.test(name))
        .flatMap(({ set: { name }, elements }) =>
          elements.map(
            ({ key, data, comment }) => `${name.replace(/^(slot-.*)-\d+$/, '$1')} ${JSON.stringify([key, data, comment])}`,
          ),
        ),
      ...sets.filter(({ name }) => name.startsWith('ports-')).map(({ name }) => name),
      ...virtualServers.map(serverText),
    ].sort()
  }

  async close(): Promise<void> {
    for (const { nft, lvs } of [this.#ours, this.others]) {
      await nft.close()
      await lvs.close()
    }
  }
}

function serverText({ realServers, ...server }: VirtualServerWithRealServers): string {
  const place = 'protocol' in server ? `${server.address} ${server.protocol} ${server.port}` : ''
  const servers = realServers.map(({ address, port, weight }) => `${address} ${port} ${weight}`).sort()
  return `${place} ${server.scheduler} ${server.persistence?.timeout}: ${servers}`
}

const addressesOf = ({ family, address }: Frontend): readonly string[] =>
  family !== 'ipv4' ? [] : address === undefined ? HERE.filter(one => !one.includes(':')) : [address]

/** What others may put where. */
const THEIRS: readonly (readonly [set: string, key: ElementKey])[] = [
  ['pods', { from: '172.20.0.1', to: '172.20.0.6' }],
  ['service-ranges', '172.30.0.0/16'],
  ['hairpin', ['10.9.9.9', '10.9.9.8']],
  ['cluster-addresses', '10.9.9.9'],
  ['allowed', [{ from: '10.0.0.1', to: '10.0.0.9' }, '10.96.0.1', 'tcp', { from: 1, to: 9 }]],
]

/** Somebody else changes something, if it is there. */
async function disturb(random: Random, { nft, lvs }: Clients): Promise<void> {
  const { tables, elements, sets } = await nft.snapshot(TABLE)
  const { virtualServers } = await lvs.snapshot()
  const filled = random.pick(elements.filter(({ set }) => !set.name.startsWith('__')))
  const server = random.pick(virtualServers)
  const real = server?.realServers[0]
  const [name, key] = random.pick(THEIRS)
  const set = sets.find(one => one.name === name)
  const [table] = tables
  const kind = random.below(8)
  if (kind === 0 && table) await nft.commit([{ delete: { table } }])
  if (kind < 4 && kind > 0 && filled) {
    const gone = kind === 1 ? filled.elements : random.some(filled.elements)
    if (gone.length > 0)
      await nft.commit([{ delete: { elements: { set: filled.set, elements: gone.map(({ key }) => ({ key })) } } }])
  }
  if (kind === 4 && set) await nft.commit([{ add: { elements: { set, elements: [{ key, comment: 'theirs' }] } } }])
  if (kind === 5 && server) await lvs.removeVirtualServer(server)
  if (kind === 6 && server && real) await lvs.updateRealServer(server, { address: real.address, port: real.port, weight: 9 })
  if (kind === 7 && server && real) await lvs.removeRealServer(server, real)
}

t.setTimeout(24 * 3600_000)
for (let round = 0; round < Number(rounds); round++)
  t.test(`whatever others do, and wherever a sync ends, the next one makes it right: seed ${Number(seed) + round}`, async t => {
    const random = new Random(Number(seed) + round)
    const node = { name: 'here' }
    const model = new ServiceModel({ node, clusterCidrs: PODS, masqueradeAll: false, nodeAddresses: HERE })
    const site = await Site.open()
    let engine: EngineName = 'ipvs'
    await site.start(engine, model.frontends)
    for (let step = 0; step < STEPS; step++) {
      for (let i = 0; i < 3; i++) {
        const name = random.pick(NAMES)
        const kind = random.below(5)
        if (kind === 0) model.removeService(`default/${name}`)
        else if (kind < 3) model.setService(randomService(random, name))
        else model.setSlice(randomSlice(random, name, 'IPv4'))
      }
      for (const { key, after } of model.changes()) if (key.startsWith('ipv4')) site.set(key, after)
      const kind = random.below(9)
      if (kind < 4) await disturb(random, site.others)
      if (kind < 2) site.backend.doubt()
      if (kind === 4) {
        engine = random.pick(['ipvs', 'nftables'])
        await site.backend.setEngine(engine)
      }
      if (kind === 5) await site.backend.plan()
      if (kind === 6 && random.below(3) === 0) await site.backend.cleanup()
      if (kind > 6) await site.abort(random)
      if (kind < 8) await t.resolves(syncOf(site.backend), `step ${step}`)
    }
    const fresh = await Site.open()
    await fresh.start(engine, model.frontends)
    await syncOf(fresh.backend)
    const right = await fresh.state()
    t.ok(right.length > 0)
    if (engine === 'nftables') {
      site.backend.doubt()
      await syncOf(site.backend)
      t.same(await site.state(), right, 'the one that was there all the time')
    }
    await site.start(engine, model.frontends)
    await syncOf(site.backend)
    t.same(await site.state(), right, 'one that takes over')
    t.match(await syncOf(site.backend), { added: 0, removed: 0, operations: 0 }, 'nothing more is to be done')
    await site.backend.cleanup()
    t.same(await site.state(), [])
    await site.close()
    await fresh.close()
  })
