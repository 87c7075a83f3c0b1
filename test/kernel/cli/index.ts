/** The command line on a real kernel: `node guest.js cli`. */
import type { Case } from '../support/case.js'
import { cases as differences } from './differences.js'
import { cases as forwarding } from './forwarding.js'
import { cases as legality } from './legality.js'
import { cases as listings } from './listings.js'
import { cases as syntax } from './syntax.js'

export const cli: readonly Case[] = [...syntax, ...legality, ...listings, ...differences, ...forwarding]
