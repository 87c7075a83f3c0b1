/** All cases. */

import * as proxy from '../proxy/index.js'
import * as alike from './alike.js'
import * as basics from './basics.js'
import * as capabilities from './capabilities.js'
import type { Case } from './case.js'
import * as corpus from './corpus.js'
import * as elements from './elements.js'
import * as errors from './errors/index.js'
import * as expressions from './expressions.js'
import * as flowtables from './flowtables.js'
import * as hooks from './hooks.js'
import * as listing from './listing.js'
import * as objects from './objects.js'
import * as ownership from './ownership.js'
import * as plans from './plans.js'
import * as reading from './reading.js'
import * as readme from './readme.js'
import * as resets from './resets.js'
import * as sets from './sets.js'
import * as setsOfNft from './sets-of-nft.js'
import * as snapshots from './snapshots.js'
import * as traffic from './traffic/index.js'
import * as transactions from './transactions.js'
import * as watch from './watch.js'

export const nft: readonly Case[] = [
  readme,
  alike,
  basics,
  corpus,
  elements,
  capabilities,
  errors,
  expressions,
  flowtables,
  hooks,
  listing,
  objects,
  ownership,
  plans,
  proxy,
  reading,
  resets,
  sets,
  setsOfNft,
  snapshots,
  traffic,
  transactions,
  watch,
].flatMap(({ cases }): readonly Case[] => cases)
