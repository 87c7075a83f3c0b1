/** All cases. What unloads modules comes last. */
import type { Case } from '../support/case.js'
import * as errors from './errors.js'
import * as realServer from './real-server.js'
import * as settings from './settings.js'
import * as syncDaemon from './sync-daemon.js'
import * as virtualServer from './virtual-server.js'

export const conformance: readonly Case[] = [virtualServer, realServer, syncDaemon, settings, errors].flatMap(
  ({ cases }) => cases,
)
