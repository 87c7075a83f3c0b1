/** What is to be done in IPVS, in words. */

import { describeOperation } from '../../ipvs/describe.js'
import type { Operation } from '../../ipvs/index.js'

/** A line an operation: `ipvs + tcp 10.96.0.1:80 → 10.244.1.7:8080  weight 1 masquerade`. */
export const describePlan = (operations: readonly Operation[]): string =>
  operations.map(operation => `ipvs ${describeOperation(operation, undefined)}\n`).join('')
