import t, { type Test } from 'tap'
import { atOnce } from '../../lib/netlink/turns.js'
import { lowerDocument } from '../../lib/nft/document/lower.js'
import { type LedgerEntry, partsOf, type ServerName, serverName } from '../../lib/proxy/names.js'
import type { Engine } from '../../lib/proxy/nftables/render.js'
import { assign } from '../../lib/proxy/nftables/slots.js'
import { ProxyTable } from '../../lib/proxy/nftables/table.js'
import {
  type Cidr,
  cidrOf,
  type EndpointSlice,
  explain,
  type Frontend,
  type FrontendChange,
  type ModelOptions,
  type Service,
  ServiceModel,
  type Surroundings,
} from '../../lib/service/index.js'
import { Evaluator } from './evaluate.js'

const range = (text: string): Cidr => {
  const cidr = cidrOf(text)
  if (!cidr) throw new TypeError(text)
  return cidr
}
const NODE = '192.168.1.1'
const options: ModelOptions = {
  node: { name: 'here' },
  clusterCidrs: [range('10.244.0.0/16')],
  masqueradeAll: false,
  nodeAddresses: [NODE],
}
const around: Surroundings = {
  clusterCidrs: options.clusterCidrs,
  serviceCidrs: [range('10.96.0.0/16')],
  localAddresses: [NODE],
  nodePortAddresses: [NODE],
}

/** Keeps a table and its evaluation up with a model. */
class Rig {
  readonly #engine: Engine
  readonly model = new ServiceModel(options)
  readonly table = new ProxyTable('ipv4')
  readonly kernel = new Evaluator([NODE])

  constructor(engine: Engine) {
    this.#engine = engine
    this.kernel.add(this.table.base())
    this.table.setRanges({ pods: options.clusterCidrs, services: around.serviceCidrs })
  }

  /** Returns how many elements were changed. */
  sync(changes: readonly FrontendChange[] = this.model.changes()): number {
    for (const { key, before, after } of changes) this.#set(key, before, after)
    const { objects, elements, unused } = atOnce(this.table.changes())
    this.kernel.add(objects)
    for (const change of elements) this.kernel.change({ ...change, added: [] })
    for (const change of elements) this.kernel.change({ ...change, removed: [] })
    for (const name of [...unused.chains, ...unused.maps]) this.kernel.remove(name)
    atOnce(this.table.settled())
    return elements.reduce((sum, { added, removed }) => sum + added.length + removed.length, 0)
  }

  /** Virtual servers are made at once, and written down. */
  #set(key: string, before: Frontend | undefined, after: Frontend | undefined): void {
    const placed = this.table.set(key, after, addressesOf(after), () => this.#engine)
    const names = addressesOf(before).map(address => serverName(address, before?.protocol ?? '', before?.port ?? 0))
    const known = new Set(names)
    for (const { name, rendered } of placed) {
      if (!rendered.balanced) continue
      if (!this.kernel.servers.has(name)) this.table.enter(entryOf(name))
      this.kernel.servers.set(
        name,
        rendered.balanced.map(({ address, port }) => `${address} ${port}`),
      )
      known.delete(name)
    }
    for (const name of known) if (this.kernel.servers.delete(name)) this.table.strike(entryOf(name))
  }
}

const entryOf = (name: ServerName): LedgerEntry => ({ name, ...partsOf(name), comment: undefined })

const ENGINES: readonly Engine[] = ['nftables', 'ipvs', 'both']

const addressesOf = (frontend: Frontend | undefined): readonly string[] =>
  frontend?.family === 'ipv4' ? (frontend.address === undefined ? [NODE] : [frontend.address]) : []

function service(name: string, spec: Partial<Service['spec']> = {}, balancer?: string): Service {
  const number = [...name].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 60000, 7)
  return {
    metadata: { name },
    spec: {
      type: 'LoadBalancer',
      clusterIP: `10.96.${number >> 8}.${number & 255}`,
      ports: [{ port: 80, nodePort: 30000 + (number % 2767) }],
      ...spec,
    },
    ...(balancer === undefined ? {} : { status: { loadBalancer: { ingress: [{ ip: balancer }] } } }),
  }
}

/** Endpoints as text: `10.244.1.1 here`, with `leaving`. */
function slice(name: string, endpoints: readonly string[]): EndpointSlice {
  return {
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints: endpoints.map(text => {
      const [address = '', nodeName = '', leaving] = text.split(' ')
      return { addresses: [address], nodeName, conditions: leaving ? { ready: false, serving: true, terminating: true } : {} }
    }),
  }
}

const CLIENTS = ['10.244.9.9', '10.244.1.1', NODE, '203.0.113.7', '198.51.100.7']

/** Compares explain with what the objects do, for each frontend, client, and some that are no frontends. */
function compare(t: Test, proxy: Rig, more: readonly (readonly [string, number])[] = []): void {
  const places = [...proxy.model.frontends.values()].map(({ address = NODE, port }) => [address, port] as const)
  for (const [address, port] of [...places, ...more])
    for (const from of CLIENTS) {
      const flow = { from, protocol: 'tcp', address, port } as const
      const { verdict, endpoints, masquerade } = explain(proxy.model.frontends, flow, around)
      const outcomes = proxy.kernel.outcomes(flow)
      const wanted =
        verdict === 'accept'
          ? endpoints.map(text => {
              const to = text.replace(':', ' ')
              return `accept ${to} ${masquerade || to.startsWith(`${from} `)}`
            })
          : [verdict === 'none' ? 'none' : `${verdict} - false`]
      const found = outcomes.map(outcome =>
        outcome === 'none' ? 'none' : `${outcome.verdict} ${outcome.to ?? '-'} ${outcome.masquerade}`,
      )
      t.same([...new Set(found)].sort(), [...new Set(wanted)].sort(), `${from} to ${address}:${port}`)
    }
}

t.test('the objects do what the model says', async t => {
  const situations: readonly (readonly string[])[] = [
    [],
    ['10.244.1.1 here'],
    ['10.244.2.1 there'],
    ['10.244.1.1 here', '10.244.2.1 there', '10.244.2.2 there'],
    ['10.244.1.1 here leaving'],
    ['10.244.2.1 there leaving', '10.244.1.1 here leaving'],
  ]
  for (const engine of ENGINES)
    for (const internalTrafficPolicy of ['Cluster', 'Local'] as const)
      for (const externalTrafficPolicy of ['Cluster', 'Local'] as const)
        for (const situation of situations)
          for (const loadBalancerSourceRanges of [[], ['203.0.113.0/24', '10.244.0.0/16']])
            t.test(
              `${engine} ${internalTrafficPolicy} ${externalTrafficPolicy} [${situation}] ${loadBalancerSourceRanges}`,
              async t => {
                const proxy = new Rig(engine)
                const spec = {
                  internalTrafficPolicy,
                  externalTrafficPolicy,
                  loadBalancerSourceRanges,
                  externalIPs: ['192.0.2.5'],
                }
                proxy.model.setService(service('web', spec, '192.0.2.9'))
                proxy.model.setSlice(slice('web', situation))
                proxy.sync()
                const cluster = proxy.model.serviceNamed('default/web')?.spec.clusterIP ?? ''
                compare(t, proxy, [
                  [cluster, 81],
                  ['10.96.255.254', 80],
                  [NODE, 22],
                  ['192.0.2.5', 81],
                  ['192.0.2.77', 80],
                ])
                t.equal(proxy.sync(), 0)
              },
            )
})

for (const engine of ENGINES)
  t.test(`addresses whose ports differ in what they masquerade: ${engine}`, async t => {
    const proxy = new Rig(engine)
    proxy.model.setService(service('web', { externalIPs: ['192.0.2.5'] }))
    proxy.model.setService(service('shop', { externalIPs: ['192.0.2.5'], externalTrafficPolicy: 'Local', ports: [{ port: 81 }] }))
    for (const name of ['web', 'shop']) proxy.model.setSlice(slice(name, ['10.244.1.1 here', '10.244.2.1 there']))
    proxy.sync()
    compare(t, proxy)
    proxy.model.setService(service('shop', { externalIPs: ['192.0.2.5'], externalTrafficPolicy: 'Local', ports: [{ port: 82 }] }))
    proxy.sync()
    compare(t, proxy, [['192.0.2.5', 81]])
    proxy.model.removeService('default/web')
    proxy.sync()
    compare(t, proxy, [['192.0.2.5', 80]])
    proxy.model.setService(service('web', { externalIPs: ['192.0.2.5'] }))
    proxy.sync()
    compare(t, proxy)
  })

t.test('a change costs what it changes', async t => {
  const proxy = new Rig('nftables')
  const plain = { type: 'ClusterIP' } as const
  for (let i = 0; i < 100; i++) {
    proxy.model.setService(service(`web-${i}`, plain))
    proxy.model.setSlice(slice(`web-${i}`, [`10.244.1.${i} here`, `10.244.2.${i} there`]))
  }
  // Cluster address, masquerade, choice, two endpoints of each, both against themselves; and the two ranges.
  t.equal(proxy.sync(), 100 * 7 + 2)
  proxy.model.setSlice(slice('web-1', ['10.244.1.1 here', '10.244.2.1 there', '10.244.3.1 there']))
  t.equal(proxy.sync(), 4, 'another choice, one endpoint, against itself')
  proxy.model.setSlice(slice('web-1', ['10.244.2.1 there', '10.244.3.1 there']))
  t.equal(proxy.sync(), 6, 'the last one takes the place of the first')
  proxy.model.removeService('default/web-1')
  t.equal(proxy.sync(), 7)
  compare(t, proxy)
})

t.test('changes are told again until they were made', async t => {
  const table = new ProxyTable('ipv4')
  const model = new ServiceModel(options)
  model.setService(service('web'))
  model.setSlice(slice('web', ['10.244.1.1 here']))
  for (const { key, after } of model.changes()) table.set(key, after, addressesOf(after))
  const first = atOnce(table.changes())
  t.ok(first.objects.length > 0 && first.elements.length > 0)
  t.same(atOnce(table.changes()), first)
  atOnce(table.settled())
  t.same(atOnce(table.changes()), { objects: [], elements: [], unused: { chains: [], maps: [] } })
})

for (const engine of ENGINES)
  t.test(`at random, many changes later, the objects still do what the model says: ${engine}`, async t => {
    const proxy = new Rig(engine)
    let seed = 20261126
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
      return (seed >> 8) % below
    }
    const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 5; i++) {
        const name = `web-${random(8)}`
        const kind = random(4)
        if (kind === 0) proxy.model.removeService(`default/${name}`)
        else if (kind === 1)
          proxy.model.setSlice(
            slice(
              name,
              Array.from(
                { length: random(5) },
                (_, i) => `10.244.${i}.${random(3)} ${pick(['here', 'there'])}${pick(['', '', ' leaving'])}`,
              ),
            ),
          )
        else {
          const spec: Partial<Service['spec']> = {
            internalTrafficPolicy: pick(['Cluster', 'Local']),
            externalTrafficPolicy: pick(['Cluster', 'Local']),
            externalIPs: ['192.0.2.5'],
            ports: [{ port: 80 + random(3), nodePort: 30000 + random(3) }],
            loadBalancerSourceRanges: pick([[], ['203.0.113.0/24']]),
            sessionAffinity: pick(['None', 'ClientIP']),
          }
          proxy.model.setService(service(name, spec, pick([undefined, '192.0.2.9'])))
        }
      }
      proxy.sync()
      compare(t, proxy)
    }
  })

t.test('what others translate on the address of the node, and what they forward there, is left alone', async t => {
  const proxy = new Rig('ipvs')
  proxy.model.setService(service('web', { externalIPs: [NODE], ports: [{ port: 80, nodePort: 30080 }] }))
  proxy.model.setSlice(slice('web', ['10.244.2.1 there']))
  proxy.sync()
  const theirs = { source: '203.0.113.7', destination: '172.17.0.2', protocol: 'tcp', port: 8080 }
  for (const translated of [true, false]) {
    t.equal(proxy.kernel.masquerades({ ...theirs, asked: { address: NODE, port: 8080 }, translated }), false)
    t.equal(proxy.kernel.masquerades({ ...theirs, asked: { address: NODE, port: 30080 }, translated }), true, 'ours is not')
    t.equal(proxy.kernel.masquerades({ ...theirs, asked: { address: NODE, port: 80 }, translated }), true)
  }
})

t.test('the table as it is without Services has no anonymous sets, whose numbers would be those of others', async t => {
  const none = { tables: [], chains: [], rules: [], sets: [], elements: [] }
  for (const family of ['ipv4', 'ipv6'] as const) {
    const base = new ProxyTable(family).base()
    const { commands } = lowerDocument({ nftables: base.map(object => ({ add: object })) }, none)
    const sets = commands.flatMap(command => ('add' in command && 'set' in command.add ? [command.add.set] : []))
    t.ok(sets.length > 0)
    t.same(
      sets.filter(({ id }) => id !== undefined),
      [],
    )
  }
})

t.test('endpoints keep their numbers where another frontend takes over their place', async t => {
  const model = new ServiceModel(options)
  const frontendOf = (...pods: readonly string[]): Frontend | undefined => {
    model.setService(service('web', { type: 'ClusterIP', clusterIP: '10.96.0.1' }))
    model.setSlice(slice('web', pods))
    return [...model.changes()][0]?.after
  }
  const table = new ProxyTable('ipv4')
  const all = frontendOf('10.244.0.1 here', '10.244.0.2 here', '10.244.0.3 here')
  table.set('one', all, [NODE])
  table.set('other', all, [NODE])
  table.set('one', undefined, [])
  const [placed] = table.set('other', frontendOf('10.244.0.2 here', '10.244.0.3 here'), [NODE])
  t.same(placed?.rendered.slots.outside, ['10.244.0.3 8080', '10.244.0.2 8080'])
})

t.test('endpoints keep their numbers as far as they can', async t => {
  const cases: readonly [before: string, wanted: string, after: string][] = [
    ['', 'abc', 'abc'],
    ['abc', 'abc', 'abc'],
    ['abc', 'cba', 'abc'],
    ['abc', 'bc', 'cb'],
    ['abc', 'ab', 'ab'],
    ['abc', 'abcd', 'abcd'],
    ['abc', 'xbc', 'xbc'],
    ['abcd', 'd', 'd'],
    ['abc', '', ''],
    ['ab', 'aa', 'a'],
  ]
  for (const [before, wanted, after] of cases) t.equal(assign([...before], [...wanted]).join(''), after, `${before} to ${wanted}`)
})
