/** Real packets through real rules: what the rules of a proxy do is seen by clients and servers. */
import type { Case } from '../case.js'
import { cases as balancing } from './balancing.js'
import { cases as limits } from './limits.js'
import { cases as refusals } from './refusals.js'
import { cases as sets } from './sets.js'
import { cases as tracking } from './tracking.js'
import { cases as translation } from './translation.js'

export const cases: readonly Case[] = [...translation, ...balancing, ...refusals, ...limits, ...sets, ...tracking]
