/** Which endpoints clients are given: those of the cluster, or those of the node (kube-proxy, pkg/proxy/topology.go). */
import type { Endpoint } from './endpoints.js'

export interface Selected {
  /** For traffic policy Cluster. */
  readonly cluster: readonly Endpoint[]
  /** For traffic policy Local. */
  readonly local: readonly Endpoint[]
  /** Whether there is any endpoint that could answer, wherever it is: it decides between refusing and dropping. */
  readonly any: boolean
}

/** What is known of the node. */
export interface Place {
  readonly name: string
  /** Its label `topology.kubernetes.io/zone`. */
  readonly zone?: string | undefined
}

/**
 * Ready ones; where there is none those that still serve while they terminate. Hints narrow the ready ones of the cluster down to those for
 * this node or its zone, if every one of them has hints and at least one is for here.
 */
export function select(endpoints: readonly Endpoint[], place: Place): Selected {
  const ready = endpoints.filter(({ ready }) => ready)
  const leaving = endpoints.filter(({ ready, serving, terminating }) => !ready && serving && terminating)
  const local = ready.filter(({ local }) => local)
  return {
    cluster: ready.length > 0 ? hinted(ready, place) : leaving,
    local: local.length > 0 ? local : leaving.filter(({ local }) => local),
    any: ready.length > 0 || leaving.length > 0,
  }
}

function hinted(ready: readonly Endpoint[], { name, zone }: Place): readonly Endpoint[] {
  return among(ready, 'forNodes', name) ?? (zone === undefined ? undefined : among(ready, 'forZones', zone)) ?? ready
}

function among(ready: readonly Endpoint[], hint: 'forNodes' | 'forZones', here: string): readonly Endpoint[] | undefined {
  if (!ready.every(endpoint => (endpoint[hint]?.length ?? 0) > 0)) return undefined
  const meant = ready.filter(endpoint => endpoint[hint]?.includes(here))
  return meant.length > 0 ? meant : undefined
}
