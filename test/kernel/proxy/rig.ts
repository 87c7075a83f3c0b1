/** A proxy in the router's namespace, between a client and three servers that are pods; the first one is on the router's node. */
import { setTimeout } from 'node:timers/promises'
import { ServiceProxy, type ServiceProxyOptions } from '../../../lib/proxy/index.js'
import { type Cidr, cidrOf, type EndpointSlice, type Service } from '../../../lib/service/index.js'
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import type { ObjectChange, Source, SourceUpdate } from '../../../lib/source/source.js'
import type { Case, LinuxContext } from '../nft/case.js'
import { addressOf, NUMBERS, SERVER_PORT, SERVICE, type ServerNumber, VERSIONS, type Version } from '../nft/traffic/network.js'

export const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts.map(cidrOf).filter(cidr => cidr !== undefined)

/** Addresses of Services: nobody has them. */
export const SERVICES = cidrs('198.51.100.0/24', '2001:db8:5::/64')
export const PODS = cidrs('10.1.0.0/16', '2001:db8:2::/48')
/** One of the range that no Service has. */
export const NOBODY: Readonly<Record<Version, string>> = { ip: '198.51.100.77', ip6: '2001:db8:5::77' }
/** For another Service. */
export const OTHER: Readonly<Record<Version, string>> = { ip: '198.51.100.78', ip6: '2001:db8:5::78' }
export const EXTERNAL: Readonly<Record<Version, string>> = { ip: '198.18.0.1', ip6: '2001:db8:6::1' }

/** A source that tells what it is given, to each who reads it. */
export class TestSource implements Source {
  readonly name = 'test'
  readonly #updates: SourceUpdate[] = []
  readonly #waiting = new Set<() => void>()

  /** Objects without a kind are Services, or slices. */
  tell(...objects: readonly (Service | EndpointSlice | KubernetesObject)[]): void {
    this.#push(objects.map(changeTo))
  }

  forget(name: string): void {
    this.#push([{ kind: 'Service', name: `default/${name}`, object: undefined }])
  }

  #push(changes: readonly ObjectChange[]): void {
    this.#updates.push({ complete: true, changes, problems: [] })
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  async *updates(signal: AbortSignal): AsyncGenerator<SourceUpdate, void, void> {
    for (let at = 0; !signal.aborted; ) {
      const update = this.#updates[at]
      if (update) {
        at++
        yield update
      } else
        await new Promise<void>(resolve => {
          this.#waiting.add(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
    }
  }
}

export function changeTo(given: Service | EndpointSlice | KubernetesObject): ObjectChange {
  const kind = 'addressType' in given ? 'EndpointSlice' : 'Service'
  const object = { kind, ...given } as KubernetesObject
  const { name } = object.metadata
  return { kind: object.kind, name: object.kind === 'Node' ? name : `default/${name}`, object }
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

/** The same, when it has brought to the kernel what it is told. */
export async function served(context: LinuxContext, ...told: readonly (Service | EndpointSlice)[]) {
  const source = new TestSource()
  source.tell(...told)
  const proxy = await proxyIn(context, source)
  return { source, proxy, report: await proxy.once() }
}

/** Waits until it holds: a running proxy syncs on its own. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await holds()); await setTimeout(50))
    if (performance.now() > end) throw new Error(`not in a minute: ${what}`)
}

export const perVersion = (name: string, run: (context: LinuxContext, version: Version) => Promise<void>): readonly Case[] =>
  VERSIONS.map(
    (version): Case => ({ name: `proxy: ${name} (${version})`, needs: 'linux', run: context => run(context, version) }),
  )

/** Another address of the client's. */
export const other = (version: Version): string => (version === 'ip' ? '192.0.2.21' : '2001:db8:1::21')
