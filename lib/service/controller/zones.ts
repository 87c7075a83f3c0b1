/**
 * Which zone's clients each endpoint is meant for, where a Service asks for `service.kubernetes.io/topology-mode: Auto`: as many for each zone
 * as its nodes have of all processors (KEP-2433; staging/src/k8s.io/endpointslice/topologycache).
 */
import { compareText } from '../address.js'
import type { Node, Service } from '../objects.js'

export const ZONE = 'topology.kubernetes.io/zone'
/** The second is the older one. */
const MODES = ['service.kubernetes.io/topology-mode', 'service.kubernetes.io/topology-aware-hints']
const CONTROL_PLANE = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']
/** How much more than its part an endpoint may get at most. */
const OVERLOAD = 0.2

export function asksForZones({ metadata: { annotations = {} } }: Service): boolean {
  const mode = annotations[MODES.find(name => name in annotations) ?? '']
  return mode === 'Auto' || mode === 'auto'
}

/** What each zone has of the processors, from 0 to 1; undefined where there are less than two zones, or a node does not tell. */
export function zoneShares(nodes: Iterable<Node>): ReadonlyMap<string, number> | undefined {
  const processors = new Map<string, number>()
  for (const node of nodes) {
    const labels = node.metadata.labels ?? {}
    if (CONTROL_PLANE.some(label => label in labels) || !isReady(node)) continue
    const zone = labels[ZONE]
    const own = millis(node.status?.allocatable?.cpu)
    if (!zone || !own) return undefined
    processors.set(zone, (processors.get(zone) ?? 0) + own)
  }
  if (processors.size < 2) return undefined
  const all = [...processors.values()].reduce((sum, own) => sum + own, 0)
  return new Map([...processors].sort(([a], [b]) => compareText(a, b)).map(([zone, own]) => [zone, own / all]))
}

/** A node that says nothing of its conditions is taken for ready: manifests often do not. */
function isReady({ status: { conditions = [] } = {} }: Node): boolean {
  return conditions.length === 0 || conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}

/** `4`, `3920m`, as thousandths. */
function millis(quantity: string | number | undefined): number {
  const [, number, thousandths] = /^(\d+(?:\.\d+)?)(m?)$/.exec(String(quantity)) ?? []
  return number === undefined ? 0 : Number(number) * (thousandths ? 1 : 1000)
}

/**
 * The zone that each endpoint is meant for, in their order; undefined where there are too few of them, or one has no zone. Each is meant for
 * its own zone first; zones that have more than their part give to those that have less.
 *
 * @param zones of the endpoints that are ready
 */
export function hintedZones(
  zones: readonly (string | undefined)[],
  shares: ReadonlyMap<string, number> | undefined,
): readonly string[] | undefined {
  if (!shares || shares.size > zones.length || !isSafe(zones.length, shares)) return undefined
  const own = zones.filter(zone => zone !== undefined && zone !== '') as readonly string[]
  if (own.length < zones.length) return undefined
  const { giving, receiving } = exchange(own, shares)
  return own.map(zone => {
    const left = giving.get(zone) ?? 0
    const [to] = [...receiving].find(([, count]) => count > 0) ?? []
    if (left === 0 || to === undefined) return zone
    giving.set(zone, left - 1)
    receiving.set(to, (receiving.get(to) ?? 0) - 1)
    return to
  })
}

/** Whether there are enough endpoints for every zone to get as many that none has more than its part by a fifth. */
function isSafe(endpoints: number, shares: ReadonlyMap<string, number>): boolean {
  const least = [...shares.values()].map(share => Math.ceil((share * endpoints) / (1 + OVERLOAD)))
  return least.reduce((sum, count) => sum + count, 0) <= endpoints
}

/** How many endpoints each zone gives, and gets. */
function exchange(
  own: readonly string[],
  shares: ReadonlyMap<string, number>,
): { readonly giving: Map<string, number>; readonly receiving: Map<string, number> } {
  const surplus = new Map<string, number>()
  for (const [zone, share] of shares) {
    const least = Math.ceil((share * own.length) / (1 + OVERLOAD))
    surplus.set(zone, -Math.max(share * own.length, least))
  }
  for (const zone of own) surplus.set(zone, (surplus.get(zone) ?? 0) + 1)
  const giving = new Map<string, number>()
  const receiving = new Map<string, number>()
  for (;;) {
    const sorted = [...surplus].sort(([, a], [, b]) => b - a)
    const [[from, most = 0] = [], [to, least = 0] = []] = [sorted[0], sorted.at(-1)]
    const [gives, gets] = [most, -least]
    if (from === undefined || to === undefined || (gives < 1 && gets < 1) || gives < 0.5 || gets < 0.5) break
    giving.set(from, (giving.get(from) ?? 0) + 1)
    receiving.set(to, (receiving.get(to) ?? 0) + 1)
    surplus.set(from, most - 1)
    surplus.set(to, least + 1)
  }
  return { giving, receiving }
}
