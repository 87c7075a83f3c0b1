/**
 * A second, small model of Services, written from the API's contract alone: it answers for one Service with one port, so that what
 * lib/service finds out for many can be compared.
 */

export type Kind = 'cluster-ip' | 'external-ip' | 'load-balancer' | 'node-port'
export type Policy = 'Cluster' | 'Local'
export type Who = 'pod' | 'node' | 'remote' | 'blocked'
/** Endpoints by where they are, and whether they are ready or only serve while they terminate. */
export type Situation = readonly ('local' | 'elsewhere' | 'local leaving' | 'elsewhere leaving')[]

export interface Expected {
  readonly verdict: 'accept' | 'reject' | 'drop'
  /** Positions in the situation. */
  readonly endpoints: readonly number[]
  readonly masquerade: boolean
}

export interface Question {
  readonly kind: Kind
  readonly internal: Policy
  readonly external: Policy
  readonly who: Who
  readonly situation: Situation
  /** Whether pods are known by their addresses. */
  readonly podsKnown: boolean
  readonly masqueradeAll: boolean
}

export function expected(question: Question): Expected {
  const { kind, who, situation } = question
  // Only the balancer's address has source ranges.
  if (who === 'blocked' && kind === 'load-balancer') return { verdict: 'drop', endpoints: [], masquerade: false }
  if (situation.length === 0) return { verdict: 'reject', endpoints: [], masquerade: false }
  const endpoints = candidates(situation, policyFor(question) === 'Local')
  if (endpoints.length === 0) return { verdict: 'drop', endpoints: [], masquerade: false }
  return { verdict: 'accept', endpoints, masquerade: masqueraded(question) }
}

/** Who comes from within the cluster is not held to the external policy. */
function policyFor({ kind, internal, external, who, podsKnown }: Question): Policy {
  if (kind === 'cluster-ip') return internal
  const inside = who === 'node' || (who === 'pod' && podsKnown)
  return inside ? 'Cluster' : external
}

function candidates(situation: Situation, localOnly: boolean): readonly number[] {
  const places = [...situation.keys()].filter(i => !localOnly || situation[i]?.startsWith('local'))
  const ready = places.filter(i => !situation[i]?.endsWith('leaving'))
  return ready.length > 0 ? ready : places
}

function masqueraded({ kind, external, who, podsKnown, masqueradeAll }: Question): boolean {
  const pod = who === 'pod' && podsKnown
  if (kind === 'cluster-ip') return masqueradeAll || (podsKnown && !pod)
  return external === 'Cluster' || who === 'node'
}
