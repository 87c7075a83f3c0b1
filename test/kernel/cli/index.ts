/** The command line under a real kernel. */
import type { Case } from '../support/case.js'
import * as apply from './apply.js'

export const cli: readonly Case[] = [apply].flatMap(({ cases }): readonly Case[] => cases)
