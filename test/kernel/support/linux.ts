/** Cases under a real kernel: each has a network namespace of its own. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type IpvsClient, open } from '../../../lib/ipvs/index.js'
import { nativeTransport, type Transport } from '../../../lib/netlink/index.js'
import { Cleanup, type LinuxCase, type LinuxContext } from './case.js'
import { type Kernel, thisKernel } from './kernels.js'
import { Raw } from './raw.js'

const run = promisify(execFile)
let namespaces = 0

async function sh(command: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', command])
  return stdout
}

async function makeNamespace(lo: 'up' | 'down'): Promise<string> {
  const name = `conformance-${process.pid}-${namespaces++}`
  await sh(`ip netns add ${name}${lo === 'up' ? ` && ip -n ${name} link set lo up` : ''}`)
  return name
}

/** The next namespace is made while a case runs: making one takes longer than most cases. */
export class Namespaces {
  #next: Promise<string> = makeNamespace('up')

  async take(lo: LinuxCase['lo']): Promise<string> {
    if (lo === 'down') return makeNamespace('down')
    const name = await this.#next
    this.#next = makeNamespace('up')
    this.#next.catch(() => {}) // told when it is taken
    return name
  }

  async close(): Promise<void> {
    await removeNamespace(await this.#next)
  }
}

async function removeNamespace(name: string): Promise<void> {
  await sh(`ip netns delete ${name}`)
}

export class Linux implements LinuxContext {
  readonly kernel: Kernel = thisKernel()
  readonly netns: string
  readonly sh = sh
  readonly #cleanup = new Cleanup()
  #link: Promise<string> | undefined

  constructor(netns: string) {
    this.netns = netns
    this.after(() => removeNamespace(netns))
  }

  readonly after = (undo: () => unknown): void => this.#cleanup.after(undo)

  readonly open = async (options: { deadline?: number | undefined } = {}): Promise<IpvsClient> => {
    const client = await open({ ...options, netns: { name: this.netns } })
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
    const name = await makeNamespace('up')
    this.after(() => removeNamespace(name))
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
