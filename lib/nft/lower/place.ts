/** Parts of the packet as the kernel loads them. */
import type { Expression } from '../expressions/index.js'
import type { Protocol } from '../vocabulary/protocol.js'
import type { Place } from './terms.js'

/** NFT_INNER_* that have a word. */
const TUNNELS: Readonly<Record<number, 'vxlan' | 'geneve'>> = { 1: 'vxlan', 2: 'geneve' }

/** What a tunnel is to the kernel's `inner`. */
export function wrapped(expression: Expression, tunnel: Protocol | undefined): Expression {
  if (tunnel?.tunnel === undefined || (expression.kind !== 'payload' && expression.kind !== 'meta')) return expression
  const { type, flags, headerSize } = tunnel.tunnel
  return { kind: 'inner', number: 0, type: TUNNELS[type] ?? type, flags, headerSize, expression }
}

/** Loads whole bytes. */
export function loadPlace({ base, offset, bits, tunnel }: Place, destination: number): Expression {
  return wrapped({ kind: 'payload', base, offset: offset >> 3, length: (bits + 7) >> 3, destination }, tunnel)
}
