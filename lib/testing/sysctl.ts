/** The sysctls of IPVS as Linux 6.1 has them (ip_vs_ctl.c, vs_vars): how they are read, and what may be written. */
import { EINVAL, Errno } from './errno.js'

interface Sysctl {
  values: number[]
  /** Whether the kernel takes these values. Default: any that fit in 32 bits with a sign. */
  readonly allows?: (...values: number[]) => boolean
  /** What the kernel makes of it. Of the levels against a shortage of memory it picks 1 while there is none (update_defense_level). */
  readonly becomes?: (value: number) => number
}

const between = (minimum: number, maximum: number) => (value: number) => value >= minimum && value <= maximum
const isLevel = between(0, 3)
const isPowerOf2 = (value: number): boolean => value >= 1 && (value & (value - 1)) === 0

function defaults(hz: number): Record<string, Sysctl> {
  const off = (): Sysctl => ({ values: [0] })
  const on = (): Sysctl => ({ values: [1] })
  const level = (): Sysctl => ({ values: [0], allows: isLevel, becomes: value => (value === 2 ? 1 : value) })
  return {
    amemthresh: { values: [1024] },
    am_droprate: { values: [10] },
    drop_entry: level(),
    drop_packet: level(),
    conntrack: off(),
    secure_tcp: level(),
    snat_reroute: on(),
    sync_version: { values: [1], allows: between(0, 1) },
    sync_ports: { values: [1], allows: isPowerOf2 },
    sync_persist_mode: off(),
    sync_qlen_max: { values: [16384], allows: between(0, Number.MAX_SAFE_INTEGER) },
    sync_sock_size: off(),
    cache_bypass: off(),
    expire_nodest_conn: off(),
    sloppy_tcp: off(),
    sloppy_sctp: off(),
    expire_quiescent_template: off(),
    sync_threshold: { values: [3, 50], allows: (a, b) => a >= 0 && b >= 0 && (a < b || b === 0) },
    sync_refresh_period: { values: [0], allows: value => value <= Math.floor(0x7fffffff / hz) },
    sync_retries: { values: [0], allows: isLevel },
    nat_icmp_send: off(),
    pmtu_disc: on(),
    backup_only: off(),
    conn_reuse_mode: on(),
    schedule_icmp: off(),
    ignore_tunneled: off(),
    run_estimation: on(),
  }
}

const NUMBER = /^[ \t\n]*(-?)(0[xX][0-9a-fA-F]+|[0-9]+)(?=[ \t\n\0]|$)/

export class Sysctls {
  readonly #sysctls: Map<string, Sysctl>

  constructor(hz: number) {
    this.#sysctls = new Map(Object.entries(defaults(hz)))
  }

  /** The text of the file, or undefined when there is none of that name. */
  read(name: string): string | undefined {
    const sysctl = this.#sysctls.get(name)
    return sysctl && `${sysctl.values.join('\t')}\n`
  }

  /**
   * Of a pair the second number may be missing. Where it is none at all the first is taken all the same, and it is an error (kernel/sysctl.c,
   * proc_dointvec; ip_vs_ctl.c, proc_do_sync_threshold).
   */
  write(name: string, text: string): void {
    const sysctl = this.#sysctls.get(name)
    if (!sysctl || text === '') return
    const { allows = between(-0x80000000, 0x7fffffff), becomes = value => value } = sysctl
    const { numbers, rest } = numbersOf(text, sysctl.values.length)
    const values = sysctl.values.map((value, i) => numbers[i] ?? value)
    if (numbers.length === 0 || !allows(...values)) throw new Errno(EINVAL)
    sysctl.values = values.map(becomes)
    if (numbers.length < values.length && rest.trim() !== '') throw new Errno(EINVAL)
  }
}

/** Up to `count` numbers, and what stands behind them. */
function numbersOf(text: string, count: number): { numbers: number[]; rest: string } {
  const numbers: number[] = []
  let rest = text
  while (numbers.length < count) {
    const match = NUMBER.exec(rest)
    if (!match) break
    numbers.push(numberOf(match[2] as string) * (match[1] ? -1 : 1))
    rest = rest.slice(match[0].length)
  }
  return { numbers, rest }
}

/** As C reads it: a leading 0 makes it octal. */
function numberOf(text: string): number {
  return /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text)
}
