/** The command line against the kernel, and in a terminal: `scripts/vm --kernel uml -- node build/js/test/kernel/guest.js cli`. */
import type { Case } from '../support/case.js'
import { cases as screens } from './screens.js'

export const cli: readonly Case[] = [...screens]
