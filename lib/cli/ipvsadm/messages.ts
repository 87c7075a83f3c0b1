/** What ipvsadm says when the kernel refuses: a text for a command and an errno. */
import { type IpvsClient, NetlinkError } from '../../ipvs/index.js'
import type { Command } from './options.js'
import type { Request } from './parse.js'

const NO_SERVICE = { ESRCH: 'No such service' }
const NO_ENGINE = { ENOENT: 'Scheduler or persistence engine not found' }
const NO_DESTINATION = { ESRCH: 'Service not defined', ENOENT: 'No such destination' }

const OF_COMMAND: Partial<Readonly<Record<Command, Readonly<Record<string, string>>>>> = {
  'add-service': { EEXIST: 'Service already exists', ...NO_ENGINE },
  'edit-service': { ...NO_SERVICE, ...NO_ENGINE },
  'delete-service': NO_SERVICE,
  zero: NO_SERVICE,
  list: NO_SERVICE,
  'add-server': { ESRCH: 'Service not defined', EEXIST: 'Destination already exists' },
  'edit-server': NO_DESTINATION,
  'delete-server': NO_DESTINATION,
  'start-daemon': { EEXIST: 'Daemon has already run' },
  'stop-daemon': { ESRCH: 'No daemon is running' },
}

/** For every command: its own words for some errors, the C library's for the others that IPVS can give. */
const OF_ALL: Readonly<Record<string, string>> = {
  EPERM: 'Permission denied (you must be root)',
  EINVAL: 'Invalid operation.  Possibly wrong module version, address not unicast, ...',
  ENOPROTOOPT: 'Protocol not available',
  ENOMEM: 'Memory allocation problem',
  ENOTSUP: 'Operation not supported with IPv6',
  EAFNOSUPPORT: 'Operation not supported with specified address family',
  EMSGSIZE: 'Module is wrong version',
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EINTR: 'Interrupted system call',
  ENETUNREACH: 'Network is unreachable',
  ENOBUFS: 'No buffer space available',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ERANGE: 'Numerical result out of range',
  ESRCH: 'No such process',
}

/** The text for an errno's name; undefined for one that IPVS never gives. */
export function messageOf(command: Request['command'], code: string): string | undefined {
  return OF_COMMAND[command as Command]?.[code] ?? OF_ALL[code]
}

/** What is wrong when IPVS can not be used at all: ipvsadm finds out before anything else. */
export function uninitialised(error: unknown): string | undefined {
  if (!(error instanceof NetlinkError)) return undefined
  const why = { 'not-permitted': 'EPERM', 'in-user-namespace': 'EPERM', 'family-unavailable': 'ENOPROTOOPT' }
  const code = why[error.problem as keyof typeof why]
  if (code === undefined || error.operation === 'open') return undefined
  return `Can't initialize ipvs: ${OF_ALL[code]}\nAre you sure that IP Virtual Server is built in the kernel or as module?`
}

/** The text for an operation that failed. What the library refused before it was sent, the kernel would have refused. */
export async function explain(lvs: IpvsClient, request: Request, error: Error): Promise<string> {
  if (error instanceof NetlinkError) return messageOf(request.command, error.code) ?? error.message
  const code = await refusalOf(lvs, request)
  return (code && messageOf(request.command, code)) ?? error.message
}

/** The errno that the kernel would give where the library found a value out of its range (ip_vs_genl_set_cmd: first it looks for the objects). */
async function refusalOf(lvs: IpvsClient, request: Request): Promise<string | undefined> {
  switch (request.command) {
    case 'add-service':
      return (await lvs.getVirtualServer(request.virtualServer)) ? 'EEXIST' : 'ENOENT'
    case 'edit-service':
      return (await lvs.getVirtualServer(request.virtualServer)) ? 'ENOENT' : 'ESRCH'
    case 'add-server':
    case 'edit-server':
      return (await lvs.getVirtualServer(request.virtualServer)) ? 'ERANGE' : 'ESRCH'
    case 'start-daemon':
      return 'ENODEV'
    default:
      return undefined
  }
}
