/** Machines of memory with a proxy on IPVS, and what is told to it. */
import { type IpvsClient, open as openIpvs, type VirtualServerWithRealServers } from '../../lib/ipvs/index.js'
import { type NftClient, open as openNft } from '../../lib/nft/index.js'
import type { Backend, Synced } from '../../lib/proxy/backend.js'
import type { ServiceProxyOptions } from '../../lib/proxy/options.js'
import { ServiceProxy } from '../../lib/proxy/proxy.js'
import { cidrOf, type EndpointSlice, type Service } from '../../lib/service/index.js'
import type { KubernetesObject } from '../../lib/source/kubernetes.js'
import type { ObjectChange, Source, SourceUpdate } from '../../lib/source/source.js'
import { type MemoryKernel, memoryKernel } from '../../lib/testing/index.js'

export type Told = readonly (Service | EndpointSlice | Extract<KubernetesObject, { kind: 'Node' }> | { readonly gone: string })[]

/** Tells all that it was told, in order, and then nothing. */
class Teller implements Source {
  readonly name = 'test'
  readonly #told: Told[] = []

  tell(...told: Told): void {
    this.#told.push(told)
  }

  async *updates(): AsyncGenerator<SourceUpdate, void, void> {
    const changes = this.#told.splice(0).flatMap(told =>
      told.flatMap((one): ObjectChange[] => {
        if ('gone' in one)
          return [
            { kind: 'Service', name: `default/${one.gone}`, object: undefined },
            { kind: 'EndpointSlice', name: `default/${one.gone}-1`, object: undefined },
          ]
        if ('kind' in one) return [{ kind: one.kind, name: one.metadata.name, object: one }]
        const kind = 'addressType' in one ? 'EndpointSlice' : 'Service'
        return [{ kind, name: `default/${one.metadata.name}`, object: { kind, ...one } as never }]
      }),
    )
    yield { complete: true, changes, problems: [] }
  }
}

export const service = (name: string, number: number, more: Partial<Service['spec']> = {}, annotations = {}): Service => ({
  metadata: { name, annotations },
  spec: { clusterIP: `10.96.${number >> 8}.${number & 255}`, ports: [{ port: 80 }], ...more },
})
export const slice = (name: string, ...addresses: readonly string[]): EndpointSlice => ({
  metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: '', port: 8080 }],
  endpoints: addresses.map(address => ({ addresses: [address] })),
})

/** A kernel, and proxies in it one after the other. */
export class Machine {
  readonly kernel: MemoryKernel
  readonly source = new Teller()

  constructor(kernel = memoryKernel({ interfaces: { lo: 65536 } })) {
    this.kernel = kernel
  }

  open(options: Partial<ServiceProxyOptions> = {}): Promise<ServiceProxy> {
    const range = cidrOf('10.96.0.0/16')
    return ServiceProxy.open({
      source: this.source,
      transport: this.kernel,
      node: 'here',
      serviceCidrs: range ? [range] : [],
      backend: 'ipvs',
      ...options,
    })
  }

  async with<T>(use: (clients: { readonly lvs: IpvsClient; readonly nft: NftClient }) => Promise<T>): Promise<T> {
    await using lvs = await openIpvs({ transport: this.kernel })
    await using nft = await openNft({ transport: this.kernel })
    return await use({ lvs, nft })
  }

  servers(): Promise<readonly string[]> {
    return this.with(async ({ lvs }) => (await lvs.snapshot()).virtualServers.map(serverText).sort())
  }

  /** Elements of a set. */
  elements(name: string): Promise<readonly string[]> {
    return this.with(async ({ nft }) => {
      const { elements } = await nft.snapshot({ family: 'ip', table: 'ts-ipvs' })
      return (elements.find(({ set }) => set.name === name)?.elements ?? []).map(({ key }) => [key].flat().join(' ')).sort()
    })
  }

  /** Virtual servers of the ledger, and whose they are. */
  ledger(): Promise<Readonly<Record<string, string | undefined>>> {
    return this.with(async ({ nft }) => {
      const { elements } = await nft.snapshot({ family: 'ip', table: 'ts-ipvs' })
      const entered = elements.find(({ set }) => set.name === 'virtual-servers')?.elements ?? []
      return Object.fromEntries(entered.map(({ key, comment }) => [[key].flat().join(' '), comment]))
    })
  }

  sysctl(name: string): Promise<unknown> {
    return this.with(({ lvs }) => lvs.sysctl(name as 'conntrack'))
  }
}

/** `10.96.0.1 tcp 80 rr: 10.244.0.1 1, 10.244.0.2 0` */
function serverText(server: VirtualServerWithRealServers): string {
  const name = 'protocol' in server ? `${server.address} ${server.protocol} ${server.port}` : `mark ${server.firewallMark}`
  const servers = server.realServers.map(({ address, weight }) => `${address} ${weight}`).sort()
  return `${name} ${server.scheduler}${server.persistence ? ` ${server.persistence.timeout}` : ''}: ${servers.join(', ')}`
}

export async function synced(machine: Machine, proxy: ServiceProxy, ...told: Told): Promise<readonly string[]> {
  machine.source.tell(...told)
  await proxy.once()
  return machine.servers()
}

/** Both halves of a sync of one family. */
export const syncOf = async (backend: Backend, signal?: AbortSignal): Promise<Synced> =>
  backend.balance(await backend.guard(signal), signal)
