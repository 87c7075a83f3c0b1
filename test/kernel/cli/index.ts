/** The command line against the kernel, against ipvsadm, and in a terminal: `scripts/vm --kernel uml -- node build/js/test/kernel/guest.js cli`. */
import type { Case } from '../support/case.js'
import { cases as apply } from './apply.js'
import { cases as differences } from './differences.js'
import { cases as doctor } from './doctor.js'
import { cases as forwarding } from './forwarding.js'
import { cases as legality } from './legality.js'
import { cases as listings } from './listings.js'
import { cases as screens } from './screens.js'
import { cases as syntax } from './syntax.js'

/** The doctor's come first: they unload ip_vs, and the peers of others keep namespaces that use it. */
export const cli: readonly Case[] = [
  ...doctor,
  ...syntax,
  ...legality,
  ...listings,
  ...differences,
  ...forwarding,
  ...apply,
  ...screens,
]
