/** Settings of the kernel that IPVS needs to serve Services (Documentation/networking/ipvs-sysctl.rst, ip-sysctl.rst). */
import type { Transport } from '../../netlink/index.js'

export interface Setting {
  /** Below /proc/sys/net/ipv4/. */
  readonly name: string
  readonly value: string
  readonly why: string
}

/** The kernel's since which a client's port that is used again makes no connection wait for a second (5.9, ip_vs_core.c, ip_vs_in). */
const REUSE = [5, 9] as const

/** @param release of the kernel, as `uname -r` prints it */
export function settingsFor(release: string): readonly Setting[] {
  const [major = 0, minor = 0] = release.split('.').map(part => Number.parseInt(part, 10))
  const young = major > REUSE[0] || (major === REUSE[0] && minor >= REUSE[1])
  return [
    { name: 'ip_forward', value: '1', why: 'answers of endpoints go through this node' },
    { name: 'vs/conntrack', value: '1', why: 'connections are masqueraded, and told apart by the address that was asked for' },
    { name: 'vs/expire_nodest_conn', value: '1', why: 'clients of an endpoint that is gone go over to another one' },
    {
      name: 'vs/expire_quiescent_template',
      value: '1',
      why: 'clients with affinity leave an endpoint that takes no new connections',
    },
    {
      name: 'vs/conn_reuse_mode',
      value: young ? '1' : '0',
      why: young
        ? "a client's port that is used again is balanced anew"
        : "before Linux 5.9 a client's port that is used again would lose its first packet",
    },
  ]
}

/** Those that were changed, with what they were: `vs/conntrack=0 ip_forward=0`. */
export type Remembered = string

/** Changes settings, and gives them back what they were. */
export class Settings {
  readonly #files: Pick<Transport, 'readFile' | 'writeFile'>
  readonly #settings: readonly Setting[]
  readonly #before = new Map<string, string>()
  #changes: readonly Setting[] = []

  constructor(files: Pick<Transport, 'readFile' | 'writeFile'>, settings: readonly Setting[]) {
    this.#files = files
    this.#settings = settings
  }

  /** What was remembered by an earlier proxy. */
  adopt(remembered: Remembered | undefined): void {
    for (const pair of remembered?.split(' ') ?? []) {
      const [name, value] = pair.split('=')
      if (name && value !== undefined) this.#before.set(name, value)
    }
  }

  /** Of those that were changed, or are to be. */
  get remembered(): Remembered {
    return [...this.#before].map(([name, value]) => `${name}=${value}`).join(' ')
  }

  /** Finds out what is to be changed: before it is, `remembered` has to be kept. What this kernel has not got is left out. */
  async prepare(): Promise<void> {
    const changes: Setting[] = []
    for (const setting of this.#settings) {
      const value = await this.#read(setting.name)
      if (value === undefined || value === setting.value) continue
      changes.push(setting)
      if (!this.#before.has(setting.name)) this.#before.set(setting.name, value)
    }
    this.#changes = changes
  }

  /** Changes what `prepare` found. Returns what was changed. */
  async apply(): Promise<readonly (Setting & { readonly before: string | undefined })[]> {
    const changes = this.#changes
    await Promise.all(changes.map(({ name, value }) => this.#files.writeFile(pathOf(name), value)))
    this.#changes = []
    return changes.map(setting => ({ ...setting, before: this.#before.get(setting.name) }))
  }

  /** All as it was, but for what somebody else has changed since. */
  async restore(): Promise<void> {
    for (const { name, value } of this.#settings) {
      const before = this.#before.get(name)
      if (before !== undefined && (await this.#read(name)) === value) await this.#files.writeFile(pathOf(name), before)
    }
    this.#before.clear()
  }

  async #read(name: string): Promise<string | undefined> {
    let text = ''
    try {
      for await (const chunk of this.#files.readFile(pathOf(name))) text += Buffer.from(chunk).toString('latin1')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    return text.trim()
  }
}

const pathOf = (name: string): string => `/proc/sys/net/ipv4/${name}`
