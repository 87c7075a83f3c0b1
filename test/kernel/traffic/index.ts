/**
 * Real packets through a director: what is forwarded, balanced, counted and drained is seen by clients and servers. Run it under a kernel:
 * `scripts/vm -- node build/js/test/kernel/guest.js traffic`.
 */
import type { Case } from '../support/case.js'
import { cases as forwarding } from './forwarding.js'
import { cases as removal } from './removal.js'
import { cases as scheduling } from './scheduling.js'
import { cases as sctp } from './sctp.js'
import { cases as statistics } from './statistics.js'

export const traffic: readonly Case[] = [...forwarding, ...sctp, ...scheduling, ...statistics, ...removal]
