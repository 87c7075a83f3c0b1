/**
 * Real packets through a director: what is forwarded, balanced, counted and drained is seen by clients and servers. Run it under a kernel:
 * `scripts/vm -- node build/js/test/kernel/guest.js traffic`.
 */
import type { Case } from '../support/case.js'
import { cases as forwarding } from './forwarding.js'

export const traffic: readonly Case[] = [...forwarding]
