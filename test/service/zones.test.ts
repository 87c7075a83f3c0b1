import t from 'tap'
import { atOnce } from '../../lib/netlink/turns.js'
import { hintedZones, zoneShares } from '../../lib/service/controller/zones.js'
import { type Node, type Pod, type Service, SliceController } from '../../lib/service/index.js'

const ZONE = 'topology.kubernetes.io/zone'

/** `a 4`, `b 500m`, `c 4 control-plane`, `c 4 not-ready`; a dash is nothing. */
function node(text: string, i = 0): Node {
  const [zone = '-', cpu = '-', more] = text.split(' ')
  return {
    metadata: {
      name: `node-${i}`,
      labels: {
        ...(zone === '-' ? {} : { [ZONE]: zone }),
        ...(more === 'control-plane' ? { 'node-role.kubernetes.io/control-plane': '' } : {}),
      },
    },
    status: {
      ...(cpu === '-' ? {} : { allocatable: { cpu } }),
      ...(more === 'not-ready' ? { conditions: [{ type: 'Ready', status: 'Unknown' }] } : {}),
    },
  }
}

t.test('what zones have of the processors', async t => {
  const cases: readonly [nodes: readonly string[], shares: Readonly<Record<string, number>> | undefined][] = [
    [['a 4', 'b 4'], { a: 0.5, b: 0.5 }],
    [['b 1', 'a 2', 'a 500m', 'b 500m'], { a: 0.625, b: 0.375 }],
    [['a 4', 'b 4', 'c 4 control-plane'], { a: 0.5, b: 0.5 }],
    [['a 4', 'b 4', 'c 4 not-ready'], { a: 0.5, b: 0.5 }],
    [['a 4', 'b 4', '- 4'], undefined],
    [['a 4', 'b -'], undefined],
    [['a 4', 'b much'], undefined],
    [['a 4', 'a 4'], undefined],
    [[], undefined],
  ]
  for (const [nodes, shares] of cases) {
    const found = zoneShares(nodes.map(node))
    t.same(found && Object.fromEntries(found), shares, nodes.join(', '))
  }
})

t.test('endpoints are meant for zones by what these have of the processors', async t => {
  const cases: readonly [zones: string, shares: Readonly<Record<string, number>>, hints: string | undefined][] = [
    ['aabb', { a: 0.5, b: 0.5 }, 'aabb'],
    ['aaab', { a: 0.5, b: 0.5 }, 'baab'],
    ['aaaa', { a: 0.5, b: 0.5 }, 'bbaa'],
    ['aaabbb', { a: 0.33, b: 0.33, c: 0.34 }, 'caacbb'],
    ['aaac', { a: 0.5, b: 0.5 }, 'baab'],
    ['aab', { a: 0.5, b: 0.5 }, undefined],
    ['a', { a: 0.5, b: 0.5 }, undefined],
    ['ab', { a: 0.9, b: 0.1 }, undefined],
    ['abc', { a: 0.34, b: 0.33, c: 0.33 }, 'abc'],
    ['ab-', { a: 0.5, b: 0.5 }, undefined],
    ['aaaaaaaaab', { a: 0.9, b: 0.1 }, 'aaaaaaaaab'],
  ]
  for (const [zones, shares, hints] of cases)
    t.equal(
      hintedZones(
        [...zones].map(zone => (zone === '-' ? undefined : zone)),
        new Map(Object.entries(shares)),
      )?.join(''),
      hints,
      `${zones} ${JSON.stringify(shares)}`,
    )
  t.equal(hintedZones(['a', 'b'], undefined), undefined, 'nothing is known of the nodes')
})

const service = (annotations: Readonly<Record<string, string>>, spec: Partial<Service['spec']> = {}): Service => ({
  metadata: { name: 'web', annotations },
  spec: { selector: { app: 'web' }, clusterIP: '10.96.0.1', ports: [{ port: 80 }], ...spec },
})
const pod = (number: number, node: number, status = 'True'): Pod => ({
  metadata: { name: `pod-${number}`, labels: { app: 'web' } },
  spec: { nodeName: `node-${node}` },
  status: { podIP: `10.244.0.${number}`, conditions: [{ type: 'Ready', status }] },
})
const hintsOf = (controller: SliceController): string =>
  controller
    .slicesOf('default/web')
    .flatMap(({ endpoints }) => endpoints ?? [])
    .map(({ hints }) => hints?.forZones?.map(({ name }) => name).join('+') ?? '-')
    .join(' ')

t.test('slices of pods have the hints of the topology mode Auto', async t => {
  const controller = new SliceController()
  controller.setService(service({ 'service.kubernetes.io/topology-mode': 'Auto' }))
  for (const [i, text] of ['a 4', 'b 4'].entries()) controller.setNode(node(text, i))
  for (const number of [1, 2, 3, 4]) controller.setPod(pod(number, 0))
  controller.setPod(pod(5, 1, 'False'))
  atOnce(controller.changes())
  t.equal(hintsOf(controller), 'b b a a -', 'half of them for the zone that has none')
  controller.setNode(node('b 4 not-ready', 1))
  t.equal(atOnce(controller.changes()).set.length, 1, 'a node that is not ready changes what zones have')
  t.equal(hintsOf(controller), '- - - - -')
  controller.setNode(node('b 4', 1))
  atOnce(controller.changes())
  t.equal(hintsOf(controller), 'b b a a -')
  controller.removeNode('node-1')
  atOnce(controller.changes())
  t.equal(hintsOf(controller), '- - - - -')
})

t.test('the annotation counts more than spec.trafficDistribution, and the newer one more than the older', async t => {
  const [mode, older] = ['service.kubernetes.io/topology-mode', 'service.kubernetes.io/topology-aware-hints']
  const cases: readonly [annotations: Readonly<Record<string, string>>, near: string | undefined, hints: string][] = [
    [{}, undefined, '- - - -'],
    [{}, 'PreferClose', 'a a a a'],
    [{}, 'PreferSameZone', 'a a a a'],
    [{ [mode]: 'Auto' }, 'PreferClose', 'b b a a'],
    [{ [mode]: 'Disabled' }, 'PreferClose', 'a a a a'],
    [{ [older]: 'auto' }, undefined, 'b b a a'],
    [{ [mode]: 'Disabled', [older]: 'auto' }, undefined, '- - - -'],
  ]
  for (const [annotations, trafficDistribution, hints] of cases) {
    const controller = new SliceController()
    controller.setService(service(annotations, { trafficDistribution }))
    for (const [i, text] of ['a 4', 'b 4'].entries()) controller.setNode(node(text, i))
    for (const number of [1, 2, 3, 4]) controller.setPod(pod(number, 0))
    atOnce(controller.changes())
    t.equal(hintsOf(controller), hints, JSON.stringify([annotations, trafficDistribution]))
  }
})
