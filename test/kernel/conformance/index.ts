/** All cases. What unloads modules comes last. */
import type { Case } from '../support/case.js'
import * as virtualServer from './virtual-server.js'

export const conformance: readonly Case[] = [...virtualServer.cases]
