/** What a case of the conformance suites of routes and connection tracking is, and what it runs in. */

import type { ConntrackClient } from '../../../lib/conntrack/index.js'
import type { Transport } from '../../../lib/netlink/index.js'
import type { RouteClient } from '../../../lib/route/index.js'
import type { MemoryKernel } from '../../../lib/testing/index.js'

/** What clients are opened with. */
export interface Options {
  readonly deadline?: number
  readonly transport?: Transport
}

/** A namespace in which there is only lo, which is up, and nothing is tracked. */
export interface Context {
  readonly kernel: 'linux' | 'memory'
  /** A client, closed after the case. */
  route(options?: Options): Promise<RouteClient>
  conntrack(options?: Options): Promise<ConntrackClient>
  /** Sockets of this kernel. */
  transport(): Transport
  /** Runs after the case, last first. */
  after(undo: () => unknown): void
}

/** Where a case runs that needs more than netlink: the ip command, packets, other namespaces. */
export interface LinuxContext extends Context {
  readonly kernel: 'linux'
  /** Name of the network namespace that the case has for itself. */
  readonly netns: string
  /** Runs a shell command and returns what it printed. */
  sh(command: string): Promise<string>
  /** The same inside the namespace: `inside('ip -j route')`. */
  inside(command: string): Promise<string>
  /** One more namespace with lo up, removed after the case. */
  another(): Promise<string>
}

/** The memory kernel, to be told to misbehave. */
export interface MemoryContext extends Context {
  readonly kernel: 'memory'
  readonly memory: MemoryKernel
}

/** A case: its name is the sentence that it proves. */
export type Case =
  | { readonly name: string; readonly needs?: undefined; run(context: Context): Promise<void> }
  | { readonly name: string; readonly needs: 'linux'; run(context: LinuxContext): Promise<void> }
  | { readonly name: string; readonly needs: 'memory'; run(context: MemoryContext): Promise<void> }

/** Thrown by a case that this kernel can not run, after asking the kernel: printed with its reason. */
export class Skip extends Error {}
