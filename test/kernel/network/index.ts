import type { Case } from './case.js'
import * as flows from './conntrack/flows.js'
import * as flowEvents from './conntrack/watch.js'
import * as faults from './faults.js'
import * as readme from './readme.js'
import * as addresses from './route/addresses.js'
import * as links from './route/links.js'
import * as refusals from './route/refusals.js'
import * as routes from './route/routes.js'
import * as rules from './route/rules.js'
import * as run from './route/run.js'
import * as watch from './route/watch.js'

/** All of them, in the order in which they run. */
export const cases: readonly Case[] = [
  links,
  addresses,
  routes,
  rules,
  refusals,
  run,
  watch,
  flows,
  flowEvents,
  faults,
  readme,
].flatMap(part => part.cases)
