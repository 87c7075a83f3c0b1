/** All cases. */
import * as basics from './basics.js'
import type { Case } from './case.js'

export const nft: readonly Case[] = [basics].flatMap(({ cases }): readonly Case[] => cases)
