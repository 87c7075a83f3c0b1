/** Errors that point. */
import type { Case } from '../case.js'
import * as buffers from './buffers.js'
import { cascades, objects } from './others.js'
import * as owner from './owner.js'
import * as permissions from './permissions.js'
import { refusing } from './row.js'
import { rules } from './rules.js'
import { elements, sets } from './sets.js'
import { chains, tables } from './tables-and-chains.js'

export const cases: readonly Case[] = [
  refusing('what is refused of tables is told with its place, why, and what to do; nothing is changed', tables),
  refusing('what is refused of chains is told with its place, why, and what to do; nothing is changed', chains),
  refusing('what is refused of rules is told with its expression, why, and what to do; nothing is changed', rules),
  refusing('what is refused of sets is told with its place, why, and what to do; nothing is changed', sets),
  refusing('what is refused of elements is told with the element, why, and what to do; nothing is changed', elements),
  refusing('what is refused of stateful objects is told with its place, why, and what to do; nothing is changed', objects),
  refusing('failures that follow from others are told apart by what they name', cascades),
  ...buffers.cases,
  ...owner.cases,
  ...permissions.cases,
]
