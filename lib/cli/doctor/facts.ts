/** What the doctor finds out: about the machine, the process, the namespace, and what IPVS does when it is asked. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { promisify } from 'node:util'
import {
  type Capabilities,
  type IpvsClient,
  NetlinkError,
  SCHEDULERS,
  type VirtualServerWithRealServers,
} from '../../ipvs/index.js'

/** The machine and this process, which are the same for every network namespace. */
export interface Host {
  /** `v20.19.0` */
  readonly node: string
  /** Whether this Node.js is new enough. */
  readonly nodeServes: boolean
  /** Release of the kernel. */
  readonly release: string
  readonly root: boolean
  /** Of the processor, as `process.arch` calls it. */
  readonly arch: string
  /** The text of a file, or undefined when it can not be read. */
  read(path: string): string | undefined
  /** What `modprobe` would do with a module. */
  modprobe(module: string): Promise<Loadable>
}

/** `forbidden`: a file in /etc/modprobe.d has something else done instead. `unknown`: there is no modprobe here. */
export type Loadable = 'loadable' | 'absent' | 'forbidden' | 'unknown'

export type ModuleState = 'loaded' | 'built-in' | Loadable

export interface Facts {
  readonly host: Pick<Host, 'node' | 'nodeServes' | 'release' | 'root'>
  /** As it was given. */
  readonly netns: string | undefined
  /** Why there is no client: no addon, no such namespace. */
  readonly refused: NetlinkError | undefined
  /** Whether the kernel can load modules at all (CONFIG_MODULES). */
  readonly modular: boolean
  /** The kernel's helper for loading; empty when it has none. */
  readonly helper: string
  /** Whether this is a container, whose kernel is the host's. */
  readonly container: boolean
  /** The package that has a kernel with ip_vs, where apt-get can install one: on Debian. */
  readonly kernelPackage: string | undefined
  /** The modules of this kernel are installed. */
  readonly installed: boolean
  readonly modules: Readonly<Record<string, ModuleState>>
  readonly netAdmin: boolean
  readonly userNamespace: boolean
  readonly capabilities: Capabilities | undefined
  readonly virtualServers: readonly VirtualServerWithRealServers[]
  /** Sysctls of the namespace below net, by their names with dots; undefined where the kernel has not got them. */
  sysctl(name: string): number | undefined
  /** For each interface but lo: how strictly the kernel takes the source of a packet to be wrong, 0 to 2. */
  readonly reversePath: Readonly<Record<string, number>>
  /** Which interfaces the namespace has had up; undefined when that is not known. */
  readonly loopback: 'up' | 'down' | 'never-up' | undefined
}

/** Bit of CAP_NET_ADMIN (include/uapi/linux/capability.h). */
const CAP_NET_ADMIN = 12n

const SYSCTLS = [
  'ipv4.ip_forward',
  'ipv6.conf.all.forwarding',
  'ipv4.conf.all.rp_filter',
  'ipv4.conf.all.arp_ignore',
  'ipv4.conf.all.arp_announce',
  'ipv4.vs.conntrack',
  'ipv4.vs.conn_reuse_mode',
  'ipv4.vs.expire_nodest_conn',
  'ipv4.vs.expire_quiescent_template',
  'netfilter.nf_conntrack_max',
]

const run = promisify(execFile)

export function thisHost(): Host {
  return {
    node: process.version,
    nodeServes: (process.features as { require_module?: boolean }).require_module === true,
    release: release(),
    root: process.geteuid?.() === 0,
    arch: process.arch,
    read(path) {
      try {
        return readFileSync(path, 'latin1')
      } catch {
        return undefined
      }
    },
    modprobe: async module => {
      const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }
      try {
        const { stdout } = await run('modprobe', ['--dry-run', '--verbose', module], { env })
        return /^install /m.test(stdout) ? 'forbidden' : 'loadable'
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'unknown' : 'absent'
      }
    },
  }
}

/** Opens a client, or says why there is none. */
export async function gather(host: Host, netns: string | undefined, open: () => Promise<IpvsClient>): Promise<Facts> {
  let client: IpvsClient | undefined
  let refused: NetlinkError | undefined
  try {
    client = await open()
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error
    refused = error
  }
  try {
    // First of all: it may load modules.
    const capabilities = await client?.capabilities()
    const virtualServers = capabilities?.available && client ? (await client.snapshot()).virtualServers : []
    const readText = textReader(host, netns, client)
    const read = await namespaceReader(readText)
    return {
      ...machine(host),
      netns,
      refused,
      modules: await moduleStates(host, capabilities),
      capabilities,
      virtualServers,
      sysctl: name => read(`/proc/sys/net/${name.replaceAll('.', '/')}`)?.number,
      reversePath: await reversePathOf(readText),
      loopback: loopbackOf(read('/proc/net/fib_trie')?.text),
    }
  } finally {
    await client?.close()
  }
}

type Machine = 'host' | 'modular' | 'helper' | 'container' | 'kernelPackage' | 'installed' | 'netAdmin' | 'userNamespace'

function machine(host: Host): Pick<Facts, Machine> {
  const { node, nodeServes, release, root } = host
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(host.read('/proc/self/status') ?? '')?.[1] ?? '0'
  const map = host.read('/proc/self/uid_map')
  const container = CONTAINER.some(path => host.read(path) !== undefined)
  return {
    host: { node, nodeServes, release, root },
    modular: host.read('/proc/modules') !== undefined,
    helper: host.read('/proc/sys/kernel/modules_disabled')?.trim() === '1' ? '' : (host.read(HELPER)?.trim() ?? ''),
    container,
    kernelPackage: container ? undefined : kernelPackageOf(host),
    installed: host.read(`/lib/modules/${release}/modules.builtin`) !== undefined,
    netAdmin: ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n,
    userNamespace: map !== undefined && !/^\s*0\s+0\s+4294967295\s*$/.test(map),
  }
}

const HELPER = '/proc/sys/kernel/modprobe'

/** Files that say that this is a container: of systemd-nspawn and others, of Docker, of Podman. */
const CONTAINER = ['/run/systemd/container', '/.dockerenv', '/run/.containerenv']

/** Debian's names of processors, for those that it has kernels of this name for. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

function kernelPackageOf({ read, arch }: Host): string | undefined {
  const architecture = ARCHITECTURES[arch]
  const debian = /^ID=["']?debian["']?$/m.test(read('/etc/os-release') ?? '')
  return debian && architecture !== undefined ? `linux-image-${architecture}` : undefined
}

interface Read {
  readonly text: string
  readonly number: number
}

/** The text of a file of the namespace, or undefined when it can not be read. */
type ReadText = (path: string) => Promise<string | undefined>

function textReader(host: Host, netns: string | undefined, client: IpvsClient | undefined): ReadText {
  return async path => {
    // Without a client it can only be the namespace of this process.
    if (!client) return netns === undefined ? host.read(path) : undefined
    return client.readFile(path).catch(() => undefined)
  }
}

/** What of the namespace's files is looked at, read in advance. */
async function namespaceReader(read: ReadText): Promise<(path: string) => Read | undefined> {
  const paths = ['/proc/net/fib_trie', ...SYSCTLS.map(name => `/proc/sys/net/${name.replaceAll('.', '/')}`)]
  const texts = new Map(await Promise.all(paths.map(async path => [path, await read(path)] as const)))
  return path => {
    const text = texts.get(path)
    return text === undefined ? undefined : { text, number: Number.parseInt(text, 10) }
  }
}

/** The kernel takes the larger of the value for all and that of the interface (IN_DEV_RPFILTER). */
async function reversePathOf(read: ReadText): Promise<Record<string, number>> {
  const value = async (name: string): Promise<number> =>
    Number.parseInt((await read(`/proc/sys/net/ipv4/conf/${name}/rp_filter`)) ?? '0', 10)
  const all = await value('all')
  const names = [...((await read('/proc/net/dev')) ?? '').matchAll(/^ *([^ :|]+):/gm)].map(([, name = '']) => name)
  const others = names.filter(name => name !== 'lo')
  return Object.fromEntries(await Promise.all(others.map(async name => [name, Math.max(all, await value(name))] as const)))
}

/** Local addresses are listed once their interface is up. In a namespace where none ever was there are no tables (fib_trie_seq_show). */
function loopbackOf(trie: string | undefined): Facts['loopback'] {
  if (trie === undefined) return undefined
  if (trie === '') return 'never-up'
  return /\b127\.0\.0\.1\b/.test(trie) ? 'up' : 'down'
}

/** Of ip_vs, nf_tables, and of the schedulers and persistence engines that do not work. */
async function moduleStates(host: Host, capabilities: Capabilities | undefined): Promise<Record<string, ModuleState>> {
  const loaded = new Set([...(host.read('/proc/modules') ?? '').matchAll(/^\w+/gm)].map(([name]) => name))
  const list = host.read(`/lib/modules/${host.release}/modules.builtin`)
  // Where the list is not installed the kernel's symbols tell; those of loaded modules have the module's name behind them.
  const symbols = list === undefined ? (host.read('/proc/kallsyms') ?? '') : ''
  const builtIn = (name: string): boolean => list?.includes(`/${name}.ko`) ?? new RegExp(` ${name}_\\w+$`, 'm').test(symbols)
  const state = async (name: string): Promise<ModuleState> => {
    if (loaded.has(name)) return 'loaded'
    return builtIn(name) ? 'built-in' : host.modprobe(name)
  }
  const names = ['ip_vs', 'nf_tables', ...missingModules(capabilities)]
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await state(name)] as const)))
}

/** Modules of Linux that IPVS takes schedulers and persistence engines from, as far as they are not there. */
export function missingModules(capabilities: Capabilities | undefined): string[] {
  if (!capabilities?.available) return []
  return [
    ...SCHEDULERS.filter(name => !capabilities.schedulers.includes(name)).map(name => `ip_vs_${name}`),
    ...(capabilities.persistenceEngines.includes('sip') ? [] : ['ip_vs_pe_sip']),
  ]
}
