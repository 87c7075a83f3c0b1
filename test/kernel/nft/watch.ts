/** Changes, as the kernel tells them. */
import type { Case } from './case.js'
import * as elements from './watch/elements.js'
import * as events from './watch/events.js'
import * as linux from './watch/linux.js'
import * as overruns from './watch/overruns.js'

export const cases: readonly Case[] = [elements, events, linux, overruns].flatMap(({ cases }): readonly Case[] => cases)
