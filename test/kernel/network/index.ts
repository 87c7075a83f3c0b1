import type { Case } from './case.js'
import * as addresses from './route/addresses.js'
import * as links from './route/links.js'
import * as refusals from './route/refusals.js'
import * as routes from './route/routes.js'
import * as rules from './route/rules.js'

/** All of them, in the order in which they run. */
export const cases: readonly Case[] = [links, addresses, routes, rules, refusals].flatMap(part => part.cases)
