/** A proxy in the router's namespace, between a client and three servers that are pods; the first one is on the router's node. */
import { ServiceProxy, type ServiceProxyOptions } from '../../../lib/proxy/proxy.js'
import { type Cidr, cidrOf, type EndpointSlice, type Service } from '../../../lib/service/index.js'
import type { Source, SourceUpdate } from '../../../lib/source/source.js'
import type { LinuxContext } from '../nft/case.js'
import { addressOf, NUMBERS, SERVER_PORT, SERVICE, type ServerNumber, type Version } from '../nft/traffic/network.js'

export const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts.map(cidrOf).filter(cidr => cidr !== undefined)

/** Addresses of Services: nobody has them. */
export const SERVICES = cidrs('198.51.100.0/24', '2001:db8:5::/64')
export const PODS = cidrs('10.1.0.0/16', '2001:db8:2::/48')
/** One of the range that no Service has. */
export const NOBODY: Readonly<Record<Version, string>> = { ip: '198.51.100.77', ip6: '2001:db8:5::77' }
export const EXTERNAL: Readonly<Record<Version, string>> = { ip: '198.18.0.1', ip6: '2001:db8:6::1' }

/** A source that tells what it is given. */
export class TestSource implements Source {
  readonly name = 'test'
  readonly #updates: SourceUpdate[] = []
  #wake: (() => void) | undefined

  tell(...objects: readonly (Service | EndpointSlice)[]): void {
    const changes = objects.map(object => {
      const kind = 'addressType' in object ? ('EndpointSlice' as const) : ('Service' as const)
      return { kind, name: `default/${object.metadata.name}`, object: { kind, ...object } as never }
    })
    this.#push({ complete: true, changes, problems: [] })
  }

  forget(name: string): void {
    this.#push({ complete: true, changes: [{ kind: 'Service', name: `default/${name}`, object: undefined }], problems: [] })
  }

  #push(update: SourceUpdate): void {
    this.#updates.push(update)
    this.#wake?.()
  }

  async *updates(signal: AbortSignal): AsyncGenerator<SourceUpdate, void, void> {
    for (let at = 0; !signal.aborted; ) {
      const update = this.#updates[at]
      if (update) {
        at++
        yield update
      } else
        await new Promise<void>(resolve => {
          this.#wake = resolve
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
    }
  }
}

export function service(version: Version, spec: Partial<Service['spec']> = {}, name = 'web'): Service {
  const port = (protocol: 'TCP' | 'UDP') => ({ name: protocol.toLowerCase(), port: 80, protocol })
  return {
    metadata: { name },
    spec: { clusterIP: SERVICE[version], ports: [port('TCP'), port('UDP')], ...spec },
  }
}

/** @param servers the first one is on this node */
export function slice(version: Version, servers: readonly ServerNumber[] = NUMBERS, name = 'web'): EndpointSlice {
  return {
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: version === 'ip' ? 'IPv4' : 'IPv6',
    ports: (['TCP', 'UDP'] as const).map(protocol => ({ name: protocol.toLowerCase(), protocol, port: SERVER_PORT })),
    endpoints: servers.map(number => ({
      addresses: [addressOf(number, version)],
      nodeName: number === 1 ? 'router' : 'elsewhere',
    })),
  }
}

/** Opens a proxy in the router's namespace: closed, and what it made removed, after the case. */
export async function proxyIn(
  context: LinuxContext,
  source: Source,
  options: Partial<ServiceProxyOptions> = {},
): Promise<ServiceProxy> {
  const proxy = await ServiceProxy.open({
    netns: { name: context.netns },
    node: 'router',
    clusterCidrs: PODS,
    serviceCidrs: SERVICES,
    source,
    ...options,
  })
  context.after(async () => {
    await proxy.cleanup()
    await proxy.close()
  })
  return proxy
}
