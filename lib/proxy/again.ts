/** Frontends that are set again though their Services say the same: another one is, or was, at their addresses. */
import { type Frontend, type FrontendChange, frontendKey } from '../service/index.js'
import type { Cluster } from './cluster.js'

export interface Around {
  readonly changes: readonly FrontendChange[]
  /** Whether node ports are served elsewhere now. */
  readonly moved: boolean
  /** Addresses that came to the machine, or went. */
  readonly relocated: ReadonlySet<string>
}

export function setAgain(cluster: Cluster, { changes, moved, relocated }: Around): readonly FrontendChange[] {
  const again: Frontend[] = []
  if (moved || relocated.size > 0)
    for (const frontend of cluster.frontends)
      if (frontend.kind === 'node-port' ? moved : relocated.has(frontend.address ?? '')) again.push(frontend)
  const addresses = cluster.nodePortAddresses
  for (const { before, after = before } of changes) {
    const beside = after?.address !== undefined && addresses.includes(after.address) && cluster.nodePortAt(after)
    if (beside) again.push(beside)
  }
  return again.map(frontend => ({ key: frontendKey(frontend), before: frontend, after: frontend }))
}
