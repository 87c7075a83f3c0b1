/** The command line against the kernel, and in a terminal: `scripts/vm --kernel uml -- node build/js/test/kernel/guest.js cli`. */
import type { Case } from '../support/case.js'
import { cases as doctor } from './doctor.js'
import { cases as screens } from './screens.js'

/** The doctor's come first: they unload ip_vs, and the peers of the screens keep namespaces that use it. */
export const cli: readonly Case[] = [...doctor, ...screens]
