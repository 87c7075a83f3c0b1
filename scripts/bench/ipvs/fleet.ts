/** What is measured with: plain objects with string addresses, as a caller has them. */

import type { Operation } from '../../../lib/ipvs/batch.js'
import type { DesiredVirtualServer } from '../../../lib/ipvs/desired.js'
import type { RealServerConfig } from '../../../lib/ipvs/types.js'

export interface Size {
  readonly virtualServers: number
  readonly realServers: number
}

/** Every call makes new objects, and new strings. */
export function fleet({ virtualServers, realServers }: Size): DesiredVirtualServer[] {
  return Array.from({ length: virtualServers }, (_, i) => ({
    protocol: 'tcp',
    address: `10.96.${i >> 8}.${i & 255}`,
    port: 80,
    scheduler: 'rr',
    realServers: Array.from({ length: realServers }, (_, j): RealServerConfig => {
      const n = i * realServers + j
      return { address: `10.${128 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`, port: 8080, weight: 1, forwarding: 'masquerade' }
    }),
  }))
}

/** All of it as operations on an empty table. */
export function additions(desired: readonly DesiredVirtualServer[]): Operation[] {
  return desired.flatMap(({ realServers = [], ...virtualServer }): Operation[] => [
    { operation: 'addVirtualServer', virtualServer },
    ...realServers.map((realServer): Operation => ({ operation: 'addRealServer', virtualServer, realServer })),
  ])
}

/** The same but for the weight of one real server in the middle. */
export function withWeight(desired: readonly DesiredVirtualServer[], weight: number): DesiredVirtualServer[] {
  return desired.map((virtualServer, i) =>
    i === desired.length >> 1
      ? { ...virtualServer, realServers: virtualServer.realServers?.map((rs, j) => (j === 0 ? { ...rs, weight } : rs)) }
      : virtualServer,
  )
}
