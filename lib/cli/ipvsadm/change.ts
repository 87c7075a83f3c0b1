/** Commands that change something. */
import type { IpvsClient, Operation, Result } from '../../ipvs/index.js'
import { explain, messageOf } from './messages.js'
import type { Request } from './parse.js'

/** The operation of a batch that a command is; undefined for those that are none. */
export function operationOf(request: Request): Operation | undefined {
  switch (request.command) {
    case 'add-service':
      return { operation: 'addVirtualServer', virtualServer: request.virtualServer }
    case 'edit-service':
      return { operation: 'updateVirtualServer', virtualServer: request.virtualServer }
    case 'delete-service':
      return { operation: 'removeVirtualServer', virtualServer: request.virtualServer }
    case 'add-server':
      return { operation: 'addRealServer', virtualServer: request.virtualServer, realServer: request.realServer }
    case 'edit-server':
      return { operation: 'updateRealServer', virtualServer: request.virtualServer, realServer: request.realServer }
    case 'delete-server':
      return { operation: 'removeRealServer', virtualServer: request.virtualServer, realServer: request.realServer }
    case 'zero':
      return { operation: 'zero', virtualServer: request.virtualServer }
    case 'flush':
      return { operation: 'flush' }
    default:
      return undefined
  }
}

/** Carries out a command that is no operation of a batch. False when it was none of these. */
async function changeSettings(lvs: IpvsClient, request: Request): Promise<boolean> {
  switch (request.command) {
    case 'set':
      await lvs.setTimeouts(Object.fromEntries(Object.entries(request.timeouts).filter(([, seconds]) => seconds > 0)))
      return true
    case 'start-daemon':
      await lvs.startSyncDaemon(request.daemon)
      return true
    case 'stop-daemon':
      if (!(await lvs.stopSyncDaemon(request.role))) throw new NoDaemon()
      return true
    default:
      return false
  }
}

class NoDaemon extends Error {}

/** What went wrong with an operation, in ipvsadm's words; undefined when nothing did. */
export async function problemOf(lvs: IpvsClient, request: Request, result: Result): Promise<string | undefined> {
  if (!result.ok) return explain(lvs, request, result.error)
  if (result.found !== false) return undefined
  return messageOf(request.command, result.missing === 'virtual-server' ? 'ESRCH' : 'ENOENT')
}

/** Carries out one command. Returns what went wrong, or undefined. Rejects when IPVS can not be used. */
export async function change(lvs: IpvsClient, request: Request, signal: AbortSignal): Promise<Result> {
  const operation = operationOf(request)
  if (operation) return (await lvs.run([operation], { signal }))[0] as Result
  try {
    await changeSettings(lvs, request)
    return { ok: true }
  } catch (error) {
    if (error instanceof NoDaemon) return { ok: true, found: false, missing: 'virtual-server' }
    return { ok: false, error: error as Error }
  }
}
