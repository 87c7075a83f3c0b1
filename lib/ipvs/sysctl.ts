/** The sysctls of IPVS, /proc/sys/net/ipv4/vs/ (Documentation/networking/ipvs-sysctl.rst). They belong to a network namespace. */
import { NetlinkError } from '../netlink/error.js'
import type { Transport } from '../netlink/transport.js'
import { integer } from './validate.js'

type Range = readonly [minimum: number, maximum: number]
const INT: Range = [-0x80000000, 0x7fffffff]
const COUNT: Range = [0, 0x7fffffff]
const SWITCH: Range = [0, 1]

/** Whole numbers, by the kernel's names. */
const NUMBERS = {
  am_droprate: COUNT,
  amemthresh: COUNT,
  backup_only: SWITCH,
  cache_bypass: SWITCH,
  conn_lfactor: INT,
  conn_max: COUNT,
  conn_reuse_mode: COUNT,
  conntrack: SWITCH,
  debug_level: COUNT,
  drop_entry: [0, 3],
  drop_packet: [0, 3],
  est_nice: [-20, 19],
  expire_nodest_conn: SWITCH,
  expire_quiescent_template: SWITCH,
  ignore_tunneled: SWITCH,
  nat_icmp_send: SWITCH,
  pmtu_disc: SWITCH,
  run_estimation: SWITCH,
  schedule_icmp: SWITCH,
  secure_tcp: [0, 3],
  sloppy_sctp: SWITCH,
  sloppy_tcp: SWITCH,
  snat_reroute: SWITCH,
  svc_lfactor: INT,
  sync_persist_mode: COUNT,
  sync_ports: COUNT,
  sync_qlen_max: INT,
  sync_refresh_period: COUNT,
  sync_retries: [0, 3],
  sync_sock_size: COUNT,
  sync_version: SWITCH,
} as const satisfies Record<string, Range>

/**
 * The sysctls by name. `sync_threshold` is a pair (packets before, packets between), `est_cpulist` a list of CPUs as `0-3,8`. A kernel has
 * not all of them: est_* since 6.2, conn_lfactor, svc_lfactor and conn_max since 7.0.
 */
export type Sysctls = { readonly [K in keyof typeof NUMBERS]: number } & {
  readonly sync_threshold: readonly [number, number]
  readonly est_cpulist: string
}
export type SysctlName = keyof Sysctls

/** All names. */
export const SYSCTLS: readonly SysctlName[] = [...(Object.keys(NUMBERS) as SysctlName[]), 'sync_threshold', 'est_cpulist']

const path = (name: string): string => `/proc/sys/net/ipv4/vs/${name}`

function known(name: string): asserts name is SysctlName {
  if (!(SYSCTLS as readonly string[]).includes(name))
    throw new RangeError(`sysctl: ${JSON.stringify(name)} is none of IPVS: ${SYSCTLS.join(', ')}`)
}

function parse(name: SysctlName, text: string): Sysctls[SysctlName] {
  if (name === 'est_cpulist') return text
  const values = text.split(/\s+/).map(Number)
  return name === 'sync_threshold' ? [values[0] ?? 0, values[1] ?? 0] : (values[0] ?? 0)
}

function format(name: SysctlName, value: unknown): string {
  if (name === 'est_cpulist') {
    if (typeof value !== 'string' || !/^[0-9,-]*$/.test(value))
      throw new RangeError(`sysctl ${name}: ${String(value)} is no list of CPUs: give '0-3,8'`)
    return value === '' ? '\n' : value
  }
  if (name === 'sync_threshold') {
    if (!Array.isArray(value) || value.length !== 2) throw new TypeError(`sysctl ${name}: give a pair of numbers, [3, 50]`)
    return value.map((part, i) => integer(part, `sysctl ${name}[${i}]`, 0, 0x7fffffff)).join(' ')
  }
  const [minimum, maximum] = NUMBERS[name]
  return String(integer(value, `sysctl ${name}`, minimum, maximum))
}

/** Reads one; undefined when this kernel has not got it. */
export async function readSysctl<K extends SysctlName>(transport: Transport, name: K): Promise<Sysctls[K] | undefined> {
  known(name)
  const text = await readText(transport, path(name))
  return text === undefined ? undefined : (parse(name, text.trim()) as Sysctls[K])
}

/** The text of a file below /proc; undefined when there is none. */
export async function readText(transport: Transport, path: string): Promise<string | undefined> {
  let text = ''
  try {
    for await (const chunk of transport.readFile(path)) text += Buffer.from(chunk).toString('latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return text
}

/** Reads all that this kernel has. Empty without the ip_vs module. */
export async function readSysctls(transport: Transport): Promise<Partial<Sysctls>> {
  const entries = await Promise.all(SYSCTLS.map(async name => [name, await readSysctl(transport, name)] as const))
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** Writes one. */
export async function writeSysctl<K extends SysctlName>(transport: Transport, name: K, value: Sysctls[K]): Promise<void> {
  known(name)
  const text = format(name, value)
  try {
    await transport.writeFile(path(name), text)
  } catch (cause) {
    throw sysctlError(name, text, cause as NodeJS.ErrnoException)
  }
}

function sysctlError(name: string, text: string, cause: NodeJS.ErrnoException): NetlinkError {
  const common = { errno: Math.abs(cause.errno ?? 0), syscall: cause.syscall, operation: 'setSysctl', target: name, cause }
  switch (cause.code) {
    case 'ENOENT':
      return new NetlinkError({
        ...common,
        problem: 'not-supported',
        reason: 'this kernel has no such sysctl, or the ip_vs module is not loaded (modprobe ip_vs)',
      })
    case 'EACCES':
    case 'EPERM':
      return new NetlinkError({
        ...common,
        problem: 'not-permitted',
        reason: 'it may not be written: run as root of the initial user namespace',
      })
    case 'EROFS':
      return new NetlinkError({
        ...common,
        problem: 'not-permitted',
        reason: '/proc/sys is mounted read-only here, as in an unprivileged container',
      })
    case 'EINVAL':
      return new NetlinkError({ ...common, problem: 'invalid', reason: `the kernel does not take ${JSON.stringify(text)}` })
    default:
      return new NetlinkError({ ...common, problem: 'other', reason: 'it could not be written' })
  }
}
