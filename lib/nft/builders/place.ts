/** Where a statement may stand: known to the compiler, absent at run time. */
import type { Statement } from '../json/index.js'
import type { Family } from '../types.js'

/** A base chain's type and hook; `regular` is a chain that others jump to. */
export type Place =
  | 'filter ingress'
  | 'filter egress'
  | 'filter prerouting'
  | 'filter input'
  | 'filter forward'
  | 'filter output'
  | 'filter postrouting'
  | 'nat prerouting'
  | 'nat input'
  | 'nat output'
  | 'nat postrouting'
  | 'route output'
  | 'regular'

declare const place: unique symbol

/** A statement for tables of these families, in chains of these places. The kernel checks the same when it is committed. */
export type Placed<F extends Family = Family, P extends Place = Place> = Statement & {
  readonly [place]?: ((family: F, place: P) => void) | undefined
}

export const placed = <F extends Family, P extends Place>(statement: Statement): Placed<F, P> => statement as Placed<F, P>
