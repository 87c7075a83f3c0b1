/** All cases. What unloads modules comes last. */
import type { Case } from '../support/case.js'
import * as batch from './batch.js'
import * as connections from './connections.js'
import * as daemonsRaw from './daemons-raw.js'
import * as drain from './drain.js'
import * as errors from './errors.js'
import * as faults from './faults.js'
import * as messages from './messages.js'
import * as model from './model.js'
import * as modules from './modules.js'
import * as namespaces from './namespaces.js'
import * as oldKernels from './old-kernels.js'
import * as plan from './plan.js'
import * as privileges from './privileges.js'
import * as reading from './reading.js'
import * as realServer from './real-server.js'
import * as required from './required.js'
import * as settings from './settings.js'
import * as syncDaemon from './sync-daemon.js'
import * as values from './values.js'
import * as virtualServer from './virtual-server.js'
import * as watch from './watch.js'

const casesOf = (files: readonly { readonly cases: readonly Case[] }[]): readonly Case[] => files.flatMap(({ cases }) => cases)

/** What one version of Linux may do otherwise than another. */
const LINUX = [virtualServer, realServer, syncDaemon, settings, reading, watch, drain, connections]

export const essentials: readonly Case[] = casesOf(LINUX)

export const conformance: readonly Case[] = casesOf([
  ...LINUX,
  errors,
  required,
  values,
  daemonsRaw,
  messages,
  batch,
  model,
  plan,
  faults,
  oldKernels,
  namespaces,
  privileges,
  modules,
])
