/** The commands of the IPVS family, each with the kernel's order of checks (ip_vs_ctl.c, ip_vs_genl_set_cmd, …_get_cmd, …_dump_…). */
import { command, info, request } from '../ipvs/wire.js'
import { EINVAL, Errno, ESRCH } from './errno.js'
import type { Call, KernelFamily, Operation } from './genetlink.js'
import type { Ipvs, Service } from './ipvs.js'
import { encodeDaemon, encodeDestination, encodeService } from './ipvs-replies.js'
import {
  commandPolicy,
  parseDaemon,
  parseDestinationKey,
  parseDestinationSettings,
  parseServiceKey,
  parseServiceSettings,
} from './ipvs-requests.js'
import type { Dump } from './netlink.js'
import type { Payload } from './policy.js'

/** IP_VS_VERSION_CODE */
const VERSION = 0x010201
const MASTER = 1
const BACKUP = 2

type Top = Map<number, Payload>

/** The family as a kernel with this state answers it. */
export function ipvsCommands(ipvs: Ipvs): KernelFamily {
  const { options } = ipvs
  const change = (apply: (call: Call, top: Top) => void): Operation => ({ do: call => apply(call, call.parse(commandPolicy)) })
  const withService = (apply: (service: Service, call: Call, top: Top) => void): Operation =>
    change((call, top) => apply(serviceOf(ipvs, call, top), call, top))

  const operations: Record<number, Operation> = {
    [command.newService]: change((call, top) => {
      const key = checkedKey(ipvs, call, top)
      ipvs.addService(key, parseServiceSettings(call, top))
    }),
    [command.setService]: change((call, top) => {
      const key = checkedKey(ipvs, call, top)
      const settings = parseServiceSettings(call, top)
      ipvs.editService(found(ipvs.find(key)), settings)
    }),
    [command.delService]: withService(service => ipvs.removeService(service)),
    [command.getService]: {
      do: call => {
        const service = serviceOf(ipvs, call, call.parse(commandPolicy))
        call.reply(command.newService, writer => encodeService(writer, service, options))
      },
      dump: call => dumpServices(ipvs, call),
    },
    [command.newDest]: withService((service, call, top) =>
      ipvs.addDestination(service, ...destinationOf(ipvs, service, call, top)),
    ),
    [command.setDest]: withService((service, call, top) =>
      ipvs.editDestination(service, ...destinationOf(ipvs, service, call, top)),
    ),
    [command.delDest]: withService((service, call, top) => {
      const key = parseDestinationKey(call, top, { ...options, addressFamily: service.addressFamily })
      ipvs.checkFamily(key.addressFamily)
      ipvs.removeDestination(service, key)
    }),
    [command.getDest]: { dump: call => dumpDestinations(ipvs, call) },
    [command.newDaemon]: change((call, top) => startDaemon(ipvs, call, top)),
    [command.delDaemon]: change((call, top) => {
      const { state } = parseDaemon(call, top)
      if (state === undefined) throw new Errno(EINVAL)
      ipvs.daemons.stop(state)
    }),
    [command.getDaemon]: { dump: call => dumpDaemons(ipvs, call) },
    [command.setConfig]: change((call, top) => setTimeouts(ipvs, call, top)),
    [command.getConfig]: change(call => {
      const { tcp, tcpFin, udp } = ipvs.timeouts
      const timeouts = { tcpTimeout: tcp, tcpFinTimeout: tcpFin, udpTimeout: udp }
      call.reply(command.setConfig, writer => request.encode(writer, timeouts))
    }),
    [command.getInfo]: change(call => {
      const { connectionTableSize } = options
      call.reply(command.setInfo, writer => info.encode(writer, { version: VERSION, connectionTableSize }))
    }),
    [command.zero]: change((call, top) => ipvs.zero(top.has(1) ? serviceOf(ipvs, call, top) : undefined)),
    [command.flush]: change(() => ipvs.flush()),
  }
  return { name: 'IPVS', version: 1, policy: commandPolicy, maximumAttribute: 6, privileged: true, operations }
}

function found(service: Service | undefined): Service {
  if (!service) throw new Errno(ESRCH)
  return service
}

function checkedKey(ipvs: Ipvs, call: Call, top: Top) {
  const key = parseServiceKey(call, top)
  ipvs.checkFamily(key.addressFamily)
  return key
}

function serviceOf(ipvs: Ipvs, call: Call, top: Top): Service {
  return found(ipvs.find(checkedKey(ipvs, call, top)))
}

function destinationOf(ipvs: Ipvs, service: Service, call: Call, top: Top) {
  const context = { ...ipvs.options, addressFamily: service.addressFamily }
  const key = parseDestinationKey(call, top, context)
  const settings = parseDestinationSettings(call, top, context)
  ipvs.checkFamily(key.addressFamily)
  ipvs.checkMixedFamily(service, key, settings)
  return [key, settings] as const
}

/** The cursor is an index: what is removed behind it makes the dump pass over what is still there, and nothing tells. */
function dumpServices(ipvs: Ipvs, call: Call): Dump {
  let done = 0
  return page => {
    for (const service of [...ipvs.services()].slice(done)) {
      if (!call.put(page, command.newService, writer => encodeService(writer, service, ipvs.options))) return
      done++
    }
  }
}

/** A virtual server that is not there, or is not named well, has an empty list; its request is read again for every page. */
function dumpDestinations(ipvs: Ipvs, call: Call): Dump {
  let done = 0
  return (page, report) => {
    let service: Service
    try {
      service = serviceOf(ipvs, call, call.parse(commandPolicy, report))
    } catch (error) {
      if (error instanceof Errno) return
      throw error
    }
    for (const destination of [...ipvs.destinations(service)].slice(done)) {
      if (!call.put(page, command.newDest, writer => encodeDestination(writer, destination, ipvs.options))) return
      done++
    }
  }
}

function dumpDaemons(ipvs: Ipvs, call: Call): Dump {
  const waiting = new Set([MASTER, BACKUP])
  return page => {
    for (const state of waiting) {
      const record = ipvs.daemons.get(state)
      if (record && call.put(page, command.newDaemon, writer => encodeDaemon(writer, record))) waiting.delete(state)
    }
  }
}

/** ip_vs_genl_new_daemon */
function startDaemon(ipvs: Ipvs, call: Call, top: Top): void {
  const record = parseDaemon(call, top)
  const { state, interface: name, syncId, group, group6 } = record
  if (state === undefined || name === undefined || syncId === undefined) throw new Errno(EINVAL)
  const isMulticast = group ? ((group[0] ?? 0) & 0xf0) === 0xe0 : !group6 || group6[0] === 0xff
  if (!isMulticast || ipvs.hasMixedFamilies) throw new Errno(EINVAL)
  ipvs.daemons.start(record)
}

/** ip_vs_genl_set_config: what the request does not name stays. */
function setTimeouts(ipvs: Ipvs, call: Call, top: Top): void {
  const { timeouts } = ipvs
  const at = (id: number, current: number): number => {
    const payload = top.get(id)
    return payload ? (call.reader.u32[payload.start >> 2] as number) : current
  }
  ipvs.setTimeouts({ tcp: at(4, timeouts.tcp), tcpFin: at(5, timeouts.tcpFin), udp: at(6, timeouts.udp) })
}
