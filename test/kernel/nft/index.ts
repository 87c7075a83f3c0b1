/** All cases. */
import * as basics from './basics.js'
import type { Case } from './case.js'
import * as expressions from './expressions.js'

export const nft: readonly Case[] = [basics, expressions].flatMap(({ cases }): readonly Case[] => cases)
