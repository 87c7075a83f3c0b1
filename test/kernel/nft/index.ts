/** All cases. */
import * as basics from './basics.js'
import type { Case } from './case.js'
import * as corpus from './corpus.js'
import * as expressions from './expressions.js'
import * as flowtables from './flowtables.js'
import * as objects from './objects.js'
import * as reading from './reading.js'
import * as readme from './readme.js'
import * as sets from './sets.js'
import * as traffic from './traffic/index.js'
import * as watch from './watch.js'

export const nft: readonly Case[] = [
  readme,
  basics,
  corpus,
  expressions,
  flowtables,
  objects,
  reading,
  sets,
  traffic,
  watch,
].flatMap(({ cases }): readonly Case[] => cases)
