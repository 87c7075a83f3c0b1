/** Runs the command line in this process, on a kernel in memory. */
import { PassThrough, Readable, Writable } from 'node:stream'
import type { Io } from '../../lib/cli/io.js'
import { main } from '../../lib/cli/main.js'
import { type IpvsClient, open } from '../../lib/ipvs/index.js'
import { type MemoryKernel, memoryKernel } from '../../lib/testing/index.js'

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  /** Default `ts-ipvs`. */
  readonly program?: string
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Opens clients. Default: of the kernel that `cli` was made for. */
  readonly open?: Io['open']
}

class Text extends Writable {
  text = ''

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

/** A command line on one kernel, and a client to look at what it did. */
export interface Cli {
  readonly kernel: MemoryKernel
  readonly lvs: IpvsClient
  run(argv: readonly string[], options?: CliOptions): Promise<Outcome>
}

export async function cli(kernel: MemoryKernel = memoryKernel({ interfaces: { lo: 65536, eth0: 1500 } })): Promise<Cli> {
  return {
    kernel,
    lvs: await open({ transport: kernel }),
    run: (argv, options = {}) => runCli(argv, { open: () => open({ transport: kernel }), ...options }),
  }
}

/** For what only declares or describes: its outputs go nowhere. */
export function ioOf(): Io {
  const refuse = (): never => {
    throw new Error('nothing is opened')
  }
  return {
    ...{ program: 'ts-ipvs', stdin: new PassThrough(), stdout: new Text(), stderr: new Text(), env: {} },
    ...{ signal: new AbortController().signal, open: refuse },
  }
}

export async function runCli(argv: readonly string[], options: CliOptions & Pick<Io, 'open'>): Promise<Outcome> {
  const stdout = new Text()
  const stderr = new Text()
  const status = await main(argv, {
    program: options.program ?? 'ts-ipvs',
    stdin: options.stdin === undefined ? new PassThrough().end() : Readable.from([options.stdin]),
    stdout,
    stderr,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
    open: options.open,
  })
  return { status, stdout: stdout.text, stderr: stderr.text }
}
