/** Runs the command line in this process, on a kernel in memory. */
import { PassThrough, Readable, Writable } from 'node:stream'
import type { Io } from '../../lib/cli/io.js'
import { main } from '../../lib/cli/main.js'
import { type IpvsClient, open } from '../../lib/ipvs/index.js'
import { open as openNft } from '../../lib/nft/index.js'
import { type MemoryKernel, memoryKernel } from '../../lib/testing/index.js'

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  /** Default `ts-ipvs`. */
  readonly program?: string
  readonly stdin?: string | Readable
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Opens clients. Default: of the kernel that `cli` was made for. */
  readonly open?: Io['open']
  readonly openNft?: Io['openNft']
  readonly transport?: Io['transport']
}

/** Keeps what is written to it. */
export class Text extends Writable {
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
    run: (argv, options = {}) =>
      runCli(argv, {
        open: () => open({ transport: kernel }),
        openNft: () => openNft({ transport: kernel }),
        transport: kernel,
        ...options,
      }),
  }
}

/** For what only declares or describes. */
export function ioOf(): Io {
  return ioFor({ open: () => Promise.reject(new Error('nothing is opened')) })
}

export async function runCli(argv: readonly string[], options: CliOptions & Pick<Io, 'open'>): Promise<Outcome> {
  const io = ioFor(options)
  const status = await main(argv, io)
  return { status, stdout: io.stdout.text, stderr: io.stderr.text }
}

/** A world without a terminal, whose outputs are kept. */
export function ioFor(options: CliOptions & Pick<Io, 'open'>): Io & { readonly stdout: Text; readonly stderr: Text } {
  return {
    program: options.program ?? 'ts-ipvs',
    stdin: typeof options.stdin === 'string' ? Readable.from([options.stdin]) : (options.stdin ?? new PassThrough().end()),
    stdout: new Text(),
    stderr: new Text(),
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
    suspend() {},
    open: options.open,
    openNft: options.openNft ?? (() => Promise.reject(new Error('nothing is opened'))),
    transport: options.transport,
  }
}
