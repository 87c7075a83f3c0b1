/** Real packets through real rules: what the rules of a proxy do is seen by clients and servers. */
import type { Case } from '../case.js'
import { cases as translation } from './translation.js'

export const cases: readonly Case[] = [...translation]
