/** What the command line needs of the world: a process gives its own, a test what it likes. */
import type { Readable, Writable } from 'node:stream'
import { debuglog } from 'node:util'
import type { IpvsClient, OpenOptions } from '../ipvs/index.js'
import type { Transport } from '../netlink/index.js'
import type { NftClient, OpenOptions as NftOpenOptions } from '../nft/index.js'

/** An output, which may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number; readonly rows?: number }

/** An input, which may be a terminal. */
export type Input = Readable & { readonly isTTY?: boolean | undefined; setRawMode?(raw: boolean): unknown }

export interface Io {
  /** Name that the program was called by: `ts-ipvs`, or `ipvsadm` where it takes the place of that. */
  readonly program: string
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Aborted when a signal asks the program to end (SIGINT, SIGTERM, SIGHUP, SIGQUIT). Until a command asks for it, signals end the process
   * at once: ask before there is something to tidy up, and not without that.
   */
  readonly signal: AbortSignal
  /** Stops the process, as Ctrl-Z does, until it gets SIGCONT. */
  suspend(): void
  /** Opens a client of the kernel. */
  open(options: OpenOptions): Promise<IpvsClient>
  /** Opens a client of the kernel's nftables. */
  openNft(options: NftOpenOptions): Promise<NftClient>
  /** For commands that open clients of several kinds: another kernel than this machine's. */
  readonly transport?: Transport | undefined
}

/** Exit statuses of the subcommands. The grammar of ipvsadm has its own. */
export const SUCCESS = 0
/** The kernel refused, or something was not found. `diff`: there are differences. */
export const FAILURE = 1
/** The command line or a file is wrong: nothing was done. */
export const USAGE = 2

/** Something that the user can mend: its message is printed as it is, without a stack. */
export class CommandError extends Error {
  readonly status: number

  constructor(message: string, status = USAGE) {
    super(message)
    this.status = status
  }
}

/** A sentence for the user; with NODE_DEBUG=ts-ipvs also where it comes from. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return (debuglog('ts-ipvs').enabled && error.stack) || error.message
}

/** Writes all of it. Resolves when the reader has taken it, rejects with EPIPE when there is none any more. */
export function write(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => output.write(text, error => (error ? reject(error) : resolve())))
}

/** Whether to colour what goes to this output: a terminal, and nobody said no (https://no-color.org). */
export function hasColours(io: Io, output: Output): boolean {
  return output.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb'
}

/** Whether the locale has more than ASCII: what a terminal shows of it is up to that (locale(7): the first of these that is set counts). */
export function hasUnicode({ env }: Io): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '')
}
