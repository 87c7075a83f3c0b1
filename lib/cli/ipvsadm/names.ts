/** Names of hosts and ports, as the C library finds them: hosts through getaddrinfo and getnameinfo, ports in /etc/services. */
import { readFileSync } from 'node:fs'
import type { Names, Protocol, Unnamed } from '../../ipvs/index.js'

interface Services {
  /** Number of `name/protocol`. */
  readonly ports: ReadonlyMap<string, number>
  /** Name of `number/protocol`. */
  readonly names: ReadonlyMap<string, string>
}

/** services(5): a name, a number with a protocol, other names. The first line that fits counts. */
function readServices(): Services {
  const ports = new Map<string, number>()
  const names = new Map<string, string>()
  let text = ''
  try {
    text = readFileSync('/etc/services', 'latin1')
  } catch {} // without the file no port has a name
  for (const line of text.split('\n')) {
    const [name, entry, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    const [number, protocol] = entry?.split('/') ?? []
    if (!name || protocol === undefined) continue
    if (!names.has(`${Number(number)}/${protocol}`)) names.set(`${Number(number)}/${protocol}`, name)
    for (const word of [name, ...aliases]) if (!ports.has(`${word}/${protocol}`)) ports.set(`${word}/${protocol}`, Number(number))
  }
  return { ports, names }
}

let services: Services | undefined

function knownServices(): Services {
  services ??= readServices()
  return services
}

/** Number of a port by its name; undefined when there is none, or no protocol. */
export function portOf(name: string, protocol: Protocol | undefined): number | undefined {
  return knownServices().ports.get(`${name}/${protocol}`)
}

/** The first IPv4 address of a host (gethostbyname knows no IPv6). */
export async function addressOf(host: string): Promise<string | undefined> {
  if (host === '') return undefined // Node.js finds null for it
  const { lookup } = await import('node:dns/promises')
  return lookup(host, { family: 4 }).then(
    ({ address, family }) => (family === 4 ? address : undefined), // an IPv6 address comes back as it is, whatever was asked for
    () => undefined,
  )
}

/** How many names are asked for at the same time. */
const AT_ONCE = 16

/** Names of hosts, each asked for once. */
export class HostNames {
  readonly #hosts = new Map<string, Promise<string>>()

  /** Names of these addresses, and of all ports. */
  async namesFor(addresses: Iterable<string>): Promise<Names> {
    const { names } = knownServices()
    const hosts = new Map<string, string>()
    const left = new Set(addresses).values()
    const work = async (): Promise<void> => {
      for (const address of left) hosts.set(address, await this.#nameOf(address))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return {
      host: address => hosts.get(address) ?? address,
      port: (port: number, protocol: Protocol | Unnamed | undefined) => names.get(`${port}/${protocol}`) ?? String(port),
    }
  }

  #nameOf(address: string): Promise<string> {
    const known = this.#hosts.get(address)
    if (known) return known
    const asked = hostOf(address)
    this.#hosts.set(address, asked)
    return asked
  }
}

async function hostOf(address: string): Promise<string> {
  const { lookupService } = await import('node:dns/promises')
  return lookupService(address, 0).then(
    ({ hostname }) => hostname,
    () => address,
  )
}
