/** Suites whose cases run under Linux and on the memory kernel: what a case is, and what it has, whatever its clients are. */
import type { Transport } from '../../../lib/netlink/index.js'
import type { MemoryKernel } from '../../../lib/testing/index.js'

export interface Context {
  readonly kernel: 'linux' | 'memory'
  /** Sockets of this kernel. */
  transport(): Transport
  /** Runs after the case, last first. */
  after(undo: () => unknown): void
}

/** Where a case runs that needs more than netlink: other programs, packets, other namespaces. */
export interface LinuxContext extends Context {
  readonly kernel: 'linux'
  /** Name of the network namespace that the case has for itself, lo is up. */
  readonly netns: string
  /** Runs a shell command here and returns what it printed. */
  sh(command: string): Promise<string>
  /** The same inside the namespace: `inside('nft list ruleset')`. */
  inside(command: string): Promise<string>
  /** One more namespace with lo up, removed after the case. */
  another(): Promise<string>
}

/** The memory kernel, to be told to misbehave. */
export interface MemoryContext extends Context {
  readonly kernel: 'memory'
  readonly memory: MemoryKernel
}

/** A case: its name is the sentence that it proves. `C`: what opens clients, which are closed after the case. */
export type Case<C> =
  | { readonly name: string; readonly needs?: undefined; run(context: Context & C): Promise<void> }
  | { readonly name: string; readonly needs: 'linux'; run(context: LinuxContext & C): Promise<void> }
  | { readonly name: string; readonly needs: 'memory'; run(context: MemoryContext & C): Promise<void> }

/** Thrown by a case that this kernel can not run, after asking the kernel: printed with its reason. */
export class Skip extends Error {}

/** What clients are opened with. */
export interface Options {
  readonly deadline?: number
  readonly transport?: Transport
  readonly netns?: { readonly name: string }
}

/** Opens clients of a kernel: `on` adds to their options which, `closed` has them closed after the case. */
export type ClientsOf<C> = (
  on: (options: Options | undefined) => Options,
  closed: <T extends { close(): Promise<void> }>(client: Promise<T>) => Promise<T>,
) => C
