/** Cases under a real kernel: each has a network namespace of its own. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { type IpvsClient, type OpenOptions, open } from '../../../lib/ipvs/index.js'
import {
  beginMessage,
  endMessage,
  MessageWriter,
  NETLINK_ROUTE,
  NLM_F_ACK,
  NLM_F_REQUEST,
  nativeTransport,
  type Transport,
} from '../../../lib/netlink/index.js'
import { Cleanup, type LinuxContext } from './case.js'
import { eventually } from './expect.js'
import { type Kernel, thisKernel } from './kernels.js'
import { Raw } from './raw.js'

const run = promisify(execFile)

export async function sh(command: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', command])
  return stdout
}

/** How many namespaces one command makes or removes: under emulation a process of Node takes a tenth of a second to start another. */
const AT_ONCE = 16

/**
 * Loads the schedulers that keep something for each namespace. Left to the kernel, it would do so holding the mutex of IPVS, and wait for
 * the namespaces that are being removed, which wait for that mutex (ip_vs_lblc_init, cleanup_net, ip_vs_service_net_cleanup): for ever.
 */
export async function loadSchedulers(): Promise<void> {
  await sh('modprobe -a ip_vs_lblc ip_vs_lblcr')
}

/** Namespaces with lo up, made and removed while cases run. */
export class Namespaces {
  readonly #ready: string[] = []
  #used: string[] = []
  #making: Promise<void> | undefined
  #removing: Promise<unknown> = Promise.resolve()
  #count = 0

  async take(): Promise<string> {
    while (this.#ready.length === 0) await this.#make()
    const name = this.#ready.shift()
    if (this.#ready.length < AT_ONCE / 2) this.#make().catch(() => {}) // told to who finds none
    return name ?? this.take()
  }

  /** A namespace where nothing was ever up. */
  async takeDown(): Promise<string> {
    const name = this.#name()
    await sh(`ip netns add ${name}`)
    return name
  }

  /** Takes a namespace back. It may live a little longer. */
  give(name: string): void {
    this.#used.push(name)
    if (this.#used.length >= AT_ONCE) this.#remove()
  }

  /** Removes what was taken back. The kernel takes its time to clean up behind it. */
  async removeUsed(): Promise<void> {
    this.#remove()
    await this.#removing
  }

  async close(): Promise<void> {
    await this.#making
    this.#used.push(...this.#ready.splice(0))
    await this.removeUsed()
  }

  #name(): string {
    return `conformance-${this.#count++}`
  }

  #make(): Promise<void> {
    this.#making ??= (async () => {
      const names = Array.from({ length: AT_ONCE }, () => this.#name())
      await sh(batch('add', names))
      for (const name of names) {
        await setLoopbackUp(name)
        this.#ready.push(name)
      }
    })().finally(() => {
      this.#making = undefined
    })
    return this.#making
  }

  #remove(): void {
    const names = this.#used
    this.#used = []
    if (names.length > 0) this.#removing = Promise.all([this.#removing, sh(batch('delete', names))])
  }
}

function batch(verb: 'add' | 'delete', names: readonly string[]): string {
  return `printf 'netns ${verb} %s\\n' ${names.join(' ')} | ip -batch -`
}

/** Commands of `ip`, in a namespace, in one process. */
export async function ip(netns: string, commands: readonly string[]): Promise<void> {
  await sh(`printf '%s\\n' ${commands.map(command => `'${command}'`).join(' ')} | ip -n ${netns} -batch -`)
}

const RTM_NEWLINK = 16
const IFF_UP = 1

/** `ip link set lo up` without a process for it. Interface 1 is lo (struct ifinfomsg). */
async function setLoopbackUp(name: string): Promise<void> {
  const transport = nativeTransport({ name })
  const socket = transport.open({ protocol: NETLINK_ROUTE })
  const writer = new MessageWriter(64)
  const start = beginMessage(writer, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1)
  for (const word of [0, 1, IFF_UP, IFF_UP]) {
    writer.u32[writer.offset >> 2] = word
    writer.offset += 4
  }
  endMessage(writer, start)
  const { complete } = await socket.exchange(writer.written(), 1, 60_000)
  await socket.close()
  await transport.close()
  if (!complete) throw new Error(`lo of ${name} did not come up`)
}

export class Linux implements LinuxContext {
  readonly kernel: Kernel = thisKernel()
  readonly netns: string
  readonly sh = sh
  readonly #cleanup = new Cleanup()
  #link: Promise<string> | undefined

  readonly #namespaces: Namespaces

  constructor(netns: string, namespaces: Namespaces) {
    this.netns = netns
    this.#namespaces = namespaces
    this.after(() => namespaces.give(netns))
  }

  readonly after = (undo: () => unknown): void => this.#cleanup.after(undo)

  readonly open = async (options: OpenOptions = {}): Promise<IpvsClient> => {
    const client = await open(options.transport ? options : { ...options, netns: { name: this.netns } })
    this.after(() => client.close())
    return client
  }

  readonly transport = (): Transport => nativeTransport({ name: this.netns })

  readonly raw = (): Raw => {
    const transport = this.transport()
    const raw = new Raw(transport)
    this.after(async () => {
      await raw.close()
      await transport.close()
    })
    return raw
  }

  readonly inside = (command: string): Promise<string> => sh(`ip netns exec ${this.netns} ${command}`)

  readonly link = (): Promise<string> => (this.#link ??= this.#makeLink())

  readonly another = async (): Promise<string> => {
    const name = await this.#namespaces.take()
    this.after(() => this.#namespaces.give(name))
    return name
  }

  readonly unloadModules = async (): Promise<void> => {
    this.after(loadSchedulers)
    await this.#namespaces.removeUsed()
    await eventually('ip_vs can be unloaded', async () => {
      const loaded = [...readFileSync('/proc/modules', 'utf8').matchAll(/^ip_vs\w*/gm)].map(([name]) => name)
      // Those that use others come first in the list, but for what was loaded in another order.
      if (loaded.length > 0) await sh(`rmmod ${loaded.join(' ')} 2>/dev/null || true`)
      return loaded.length === 0
    })
  }

  async #makeLink(): Promise<string> {
    await ip(this.netns, [
      'link add dummy0 type dummy',
      'link set dummy0 multicast on up',
      'address add 192.0.2.1/24 dev dummy0',
      'address add 2001:db8:1::1/64 dev dummy0 nodad',
    ])
    return 'dummy0'
  }

  close(): Promise<void> {
    return this.#cleanup.run()
  }
}
