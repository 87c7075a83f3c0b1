import t from 'tap'
import type { ConntrackClient, Flow, FlowKey } from '../../lib/conntrack/index.js'
import { Drain, type DrainModel, type DrainOptions } from '../../lib/proxy/drain.js'
import { type Cidr, cidrOf, type EndpointSlice, type Service, ServiceModel } from '../../lib/service/index.js'

const range = (text: string): Cidr => {
  const cidr = cidrOf(text)
  if (!cidr) throw new TypeError(text)
  return cidr
}

/** A flow as text: `tcp 10.96.0.1:80 10.244.1.1:8080`, what was asked for and who answers. */
class Kernel {
  readonly flows: string[]
  /** How often the flows were listed. */
  listed = 0

  constructor(...flows: readonly string[]) {
    this.flows = [...flows]
  }

  get client(): ConntrackClient {
    const kernel = this
    const flows = async function* (): AsyncGenerator<Flow> {
      kernel.listed++
      for (const text of [...kernel.flows]) yield flowOf(text)
    }
    const remove = async ({ original }: FlowKey): Promise<boolean> => {
      const at = this.flows.findIndex(text => JSON.stringify(flowOf(text).original) === JSON.stringify(original))
      return at >= 0 && this.flows.splice(at, 1).length > 0
    }
    return { flows, delete: remove } as unknown as ConntrackClient
  }
}

function flowOf(text: string): Flow {
  const [protocol = '', asked = '', answers = ''] = text.split(' ')
  const [[destination = '', destinationPort], [source = '', sourcePort]] = [asked.split(':'), answers.split(':')]
  const client = { address: '192.0.2.7', port: 40000 }
  return {
    family: 'ipv4',
    original: {
      protocol: protocol as 'tcp',
      source: client.address,
      sourcePort: client.port,
      destination,
      destinationPort: Number(destinationPort),
    },
    reply: {
      protocol: protocol as 'tcp',
      source,
      sourcePort: Number(sourcePort),
      destination: client.address,
      destinationPort: client.port,
    },
    status: ['destination-nat'],
  }
}

class Rig {
  now = 0
  readonly model = new ServiceModel({ node: { name: 'here' }, clusterCidrs: [], masqueradeAll: false, nodeAddresses: [] })
  readonly drain: Drain
  readonly kernel: Kernel

  constructor(flows: readonly string[], options: DrainOptions = {}) {
    this.kernel = new Kernel(...flows)
    this.drain = new Drain({ clock: () => this.now, ...options })
  }

  service(annotations: Readonly<Record<string, string>> = {}, protocol: 'TCP' | 'UDP' | 'SCTP' = 'TCP'): void {
    const service: Service = {
      metadata: { name: 'web', annotations },
      spec: { clusterIP: '10.96.0.1', ports: [{ port: 80, protocol }] },
    }
    this.model.setService(service)
  }

  /** Endpoints as `10.244.1.1`, or `10.244.1.1 unready`. */
  slice(endpoints: readonly string[], protocol: 'TCP' | 'UDP' | 'SCTP' = 'TCP'): void {
    const slice: EndpointSlice = {
      metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol }],
      endpoints: endpoints.map(text => {
        const [address = '', unready] = text.split(' ')
        return { addresses: [address], conditions: { ready: unready === undefined } }
      }),
    }
    this.model.setSlice(slice)
  }

  /** So many seconds later. Returns how many flows were deleted. */
  async later(seconds: number): Promise<number> {
    this.now += 1000 * seconds
    const model: DrainModel = {
      frontends: this.model.frontends.values(),
      addressesOf: ({ address }) => (address === undefined ? [] : [address]),
      endpointsOf: service => this.model.endpointsOf(service),
    }
    this.drain.changed(this.model.changes(), model)
    return this.drain.run(this.kernel.client, 'ipv4', model)
  }
}

const [FIRST, SECOND] = ['10.244.1.1', '10.244.1.2']
const FLOWS = [`tcp 10.96.0.1:80 ${FIRST}:8080`, `tcp 10.96.0.1:80 ${SECOND}:8080`]

t.test('connections to an endpoint that is gone end at the deadline', async t => {
  const rig = new Rig(FLOWS, { seconds: 30 })
  rig.service()
  rig.slice([FIRST, SECOND])
  t.equal(await rig.later(0), 0)
  t.equal(rig.drain.next, Number.POSITIVE_INFINITY)
  rig.slice([SECOND])
  t.equal(await rig.later(5), 0)
  t.equal(rig.drain.next, 30_000)
  t.equal(await rig.later(29), 0)
  t.equal(rig.drain.next, 1000)
  const { listed } = rig.kernel
  t.equal(await rig.later(1), 1)
  t.same(rig.kernel.flows, [FLOWS[1]])
  t.equal(rig.kernel.listed, listed + 1, 'flows are listed only when there is something to end')
  t.equal(rig.drain.next, Number.POSITIVE_INFINITY)
  t.equal(await rig.later(1000), 0)
})

t.test('the deadline is the default, or what the Service says', async t => {
  const cases: readonly [annotation: string | undefined, seconds: number | undefined, lives: number, dies: number][] = [
    [undefined, undefined, 299, 1],
    [undefined, 10, 9, 1],
    ['20', 10, 19, 1],
    ['never', 10, 1e9, 0],
    [undefined, Number.POSITIVE_INFINITY, 1e9, 0],
    ['60', Number.POSITIVE_INFINITY, 59, 1],
  ]
  for (const [annotation, seconds, lives, dies] of cases) {
    const rig = new Rig(FLOWS, { seconds })
    rig.service(annotation === undefined ? {} : { 'ts-ipvs.io/drain-timeout': annotation })
    rig.slice([FIRST, SECOND])
    await rig.later(0)
    rig.slice([SECOND])
    const name = `${annotation}, ${seconds}`
    t.equal(await rig.later(0), 0, name)
    t.equal(await rig.later(lives), 0, name)
    t.equal(await rig.later(1), dies, name)
  }
  const atOnce = new Rig(FLOWS, { seconds: 0 })
  atOnce.service()
  atOnce.slice([FIRST, SECOND])
  await atOnce.later(0)
  atOnce.slice([])
  t.equal(await atOnce.later(0), 2)
})

t.test('an endpoint that is not ready is not gone, and one that comes back keeps its connections', async t => {
  const rig = new Rig(FLOWS, { seconds: 30 })
  rig.service()
  rig.slice([FIRST, SECOND])
  await rig.later(0)
  rig.slice([`${FIRST} unready`, SECOND])
  t.equal(await rig.later(1000), 0)
  rig.slice([SECOND])
  t.equal(await rig.later(1000), 0, 'it counts from when it was gone')
  rig.slice([FIRST, SECOND])
  t.equal(await rig.later(29), 0)
  t.equal(await rig.later(1000), 0)
  t.same(rig.kernel.flows, FLOWS)
})

t.test('connections of a Service that is gone end, too', async t => {
  const rig = new Rig(FLOWS, { seconds: 30 })
  rig.service()
  rig.slice([FIRST, SECOND])
  await rig.later(0)
  rig.model.removeService('default/web')
  rig.slice([])
  t.equal(await rig.later(0), 0)
  t.equal(await rig.later(30), 2)
})

t.test('a proxy that is started anew ends what an earlier one left', async t => {
  const others = [`tcp 203.0.113.1:80 ${FIRST}:8080`, `udp 10.96.0.1:80 ${FIRST}:8080`]
  const gone = `tcp 10.96.0.9:443 ${FIRST}:8443`
  const rig = new Rig([...FLOWS, ...others, gone], { seconds: 30, serviceCidrs: [range('10.96.0.0/16')] })
  rig.service()
  rig.slice([SECOND])
  t.equal(await rig.later(0), 0)
  t.equal(rig.drain.next, 30_000)
  t.equal(await rig.later(30), 2)
  t.same(rig.kernel.flows, [FLOWS[1], ...others], 'what others translate, and UDP, is not looked at')
})

t.test('SCTP drains like TCP; UDP flows are deleted elsewhere', async t => {
  for (const [protocol, deleted] of [
    ['SCTP', 1],
    ['UDP', 0],
  ] as const) {
    const rig = new Rig([`${protocol.toLowerCase()} 10.96.0.1:80 ${FIRST}:8080`], { seconds: 30 })
    rig.service({}, protocol)
    rig.slice([FIRST], protocol)
    await rig.later(0)
    rig.slice([], protocol)
    await rig.later(0)
    t.equal(await rig.later(30), deleted, protocol)
  }
})
