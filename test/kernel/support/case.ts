/** What a case of the conformance suite is, and what it runs in. */
import type { IpvsClient, OpenOptions } from '../../../lib/ipvs/index.js'
import type { Transport } from '../../../lib/netlink/index.js'
import type { MemoryKernel } from '../../../lib/testing/index.js'
import type { Kernel } from './kernels.js'
import type { Raw } from './raw.js'

/** A kernel whose IPVS tables are empty and nobody else's. */
export interface Context {
  readonly kernel: Kernel
  /** A client, closed after the case. */
  open(options?: Pick<OpenOptions, 'deadline' | 'transport'>): Promise<IpvsClient>
  /** Messages that a client refuses to send. */
  raw(): Raw
  /** Sockets and files of this kernel, for a client that has something in between. */
  transport(): Transport
  /** The name of an interface that is up, has addresses of both families, and can multicast. */
  link(): Promise<string>
  /** Runs after the case, last first. */
  after(undo: () => unknown): void
}

/** Where a case runs when it needs more than netlink: processes, namespaces, modules, packets. */
export interface LinuxContext extends Context {
  /** Name of the network namespace that the case has for itself, as `ip netns` has it. */
  readonly netns: string
  /** Runs a command here and returns what it printed. Words are separated by spaces. */
  sh(command: string): Promise<string>
  /** The same inside the namespace. */
  inside(command: string): Promise<string>
  /** One more namespace with lo up, removed after the case. */
  another(): Promise<string>
  /** Unloads ip_vs and all that belongs to it, once no namespace of other cases uses it any more. This one's tables have to be empty. */
  unloadModules(): Promise<void>
}

/** The kernel itself, to be told to misbehave. */
export interface MemoryContext extends Context {
  readonly memory: MemoryKernel
}

/** A case: its name is the sentence that it proves. */
export type Case = AnywhereCase | LinuxCase | MemoryCase

export interface AnywhereCase {
  readonly name: string
  readonly needs?: undefined
  run(context: Context): Promise<void>
}

/** A case that can not exist on the memory kernel. */
export interface LinuxCase {
  readonly name: string
  readonly needs: 'linux'
  /** No interface of the namespace was ever up, lo included. Default: lo is up. */
  readonly lo?: 'down'
  run(context: LinuxContext): Promise<void>
}

/** A case that only a kernel can do that is told to misbehave. */
export interface MemoryCase {
  readonly name: string
  readonly needs: 'memory'
  run(context: MemoryContext): Promise<void>
}

/** Undoing in reverse order; every undo runs, and the first failure is told. */
export class Cleanup {
  readonly #undo: (() => unknown)[] = []

  after(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  async run(): Promise<void> {
    const failures: unknown[] = []
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) {
      try {
        await undo()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
