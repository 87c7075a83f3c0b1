/** What runs inside a kernel of the bench's own. */
import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { Operation } from '../../../lib/ipvs/batch.js'
import type { IpvsClient } from '../../../lib/ipvs/client.js'
import { open } from '../../../lib/ipvs/open.js'
import { nativeTransport } from '../../../lib/netlink/native.js'
import type { Transport } from '../../../lib/netlink/transport.js'

/**
 * Runs programs by way of a shell that was started once, for a fork of this process would write-protect all of its memory, and the
 * page faults after that would be counted as the library's time.
 */
class Shell {
  readonly #shell = spawn('sh', { stdio: ['pipe', 'pipe', 'inherit'] })
  readonly #output = this.#shell.stdout.setEncoding('utf8')[Symbol.asyncIterator]()

  /** What `line` prints. Rejects when it fails. */
  async run(line: string): Promise<string> {
    this.#shell.stdin.write(`${line}\nprintf '\\0%s\\n' $?\n`)
    let output = ''
    for (;;) {
      const { value, done } = await this.#output.next()
      if (done) throw new Error(`${line}: the shell has ended`)
      output += value
      const [text = '', status] = output.split('\0')
      if (status === undefined || !status.endsWith('\n')) continue
      if (status !== '0\n') throw new Error(`${line}: exit status ${status.trim()}`)
      return text
    }
  }

  end(): void {
    this.#shell.stdin.end()
  }
}

export const shell = new Shell()

export async function loadModules(): Promise<void> {
  await shell.run('PATH=$PATH:/usr/sbin:/sbin; modprobe -a ip_vs ip_vs_rr')
}

export interface Namespace {
  readonly name: string
  readonly path: string
}

let count = 0

/**
 * A namespace for one run. It is always a new one: a real server that was removed stays in IPVS' trash for minutes, and every later
 * addition searches the trash (ip_vs_ctl.c, ip_vs_trash_get_dest).
 */
export async function inNewNamespace<T>(use: (netns: Namespace) => Promise<T>): Promise<T> {
  const name = `bench-${++count}`
  await shell.run(`ip netns add ${name}`)
  try {
    await shell.run(`ip -n ${name} link set lo up`)
    return await use({ name, path: `/run/netns/${name}` })
  } finally {
    await shell.run(`ip netns del ${name}`)
    await quiet()
  }
}

/** Waits until the processors are idle: the kernel takes a namespace apart when `ip netns del` has long returned. */
async function quiet(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const before = processorTime()
    await setTimeout(100)
    const after = processorTime()
    if (after.busy - before.busy <= 0.1 * (after.all - before.all)) return
  }
}

function processorTime(): { busy: number; all: number } {
  const times = cpus().map(cpu => cpu.times)
  const idle = times.reduce((sum, time) => sum + time.idle, 0)
  const busy = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.irq, 0)
  return { busy, all: busy + idle }
}

/** A client of a namespace that has asked for the family already, as any client has that is not new. */
export async function connect(netns: Namespace, around = (transport: Transport): Transport => transport): Promise<IpvsClient> {
  const lvs = await open({ transport: around(nativeTransport({ name: netns.name })) })
  await lvs.info()
  return lvs
}

/** Milliseconds that a batch takes, all of which has to succeed. */
export async function timeRun(lvs: IpvsClient, batch: readonly Operation[]): Promise<number> {
  const start = performance.now()
  const results = await lvs.run(batch)
  const time = performance.now() - start
  const failed = results.find(result => !result.ok)
  if (failed) throw failed.error
  return time
}

/** Milliseconds that a line takes in the shell. */
export async function timed(line: string): Promise<number> {
  const start = performance.now()
  await shell.run(line)
  return performance.now() - start
}

/** The tables of a namespace as ipvsadm would restore them. */
export function save(netns: Namespace): Promise<string> {
  return shell.run(`nsenter --net=${netns.path} ipvsadm -Sn`)
}

/** Says how far it is. What is measured goes to standard output, once, as JSON. */
export function say(text: string): void {
  process.stderr.write(`  ${text}\n`)
}
