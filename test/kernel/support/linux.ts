/** Cases under a real kernel: each has a network namespace of its own. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type IpvsClient, type OpenOptions, open } from '../../../lib/ipvs/index.js'
import { nativeTransport, type Transport } from '../../../lib/netlink/index.js'
import { Cleanup, type LinuxContext } from './case.js'
import { type Kernel, thisKernel } from './kernels.js'
import { Raw } from './raw.js'

const run = promisify(execFile)

async function sh(command: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', command])
  return stdout
}

/** How many namespaces one command makes or removes: under emulation a process of Node takes a tenth of a second to start another. */
const AT_ONCE = 16

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

  async close(): Promise<void> {
    await this.#making
    this.#used.push(...this.#ready.splice(0))
    this.#remove()
    await this.#removing
  }

  #name(): string {
    return `conformance-${this.#count++}`
  }

  #make(): Promise<void> {
    this.#making ??= (async () => {
      const names = Array.from({ length: AT_ONCE }, () => this.#name())
      await sh(`${batch('add', names)} && for name in ${names.join(' ')}; do ip -n $name link set lo up || exit; done`)
      this.#ready.push(...names)
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

  async #makeLink(): Promise<string> {
    const ip = `ip -n ${this.netns}`
    await sh(`${ip} link add dummy0 type dummy && ${ip} link set dummy0 multicast on up`)
    await sh(`${ip} address add 192.0.2.1/24 dev dummy0 && ${ip} address add 2001:db8:1::1/64 dev dummy0 nodad`)
    return 'dummy0'
  }

  close(): Promise<void> {
    return this.#cleanup.run()
  }
}
