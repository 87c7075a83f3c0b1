/** The proxy that is measured, and what it is told. */
import type { ServiceProxyOptions } from '../../../lib/proxy/options.js'
import { ServiceProxy } from '../../../lib/proxy/proxy.js'
import { type Cidr, cidrOf } from '../../../lib/service/index.js'
import { quantile } from '../pairs.js'
import { objectsOf, type Size, slice, Told, told } from './objects.js'

/** Milliseconds. */
export interface Times {
  /** Of the first run of the process. */
  readonly cold: number
  readonly median: number
}

/** What serves, and where. Default: rules of nftables, in the namespace of this process. */
export type Subject = Pick<ServiceProxyOptions, 'backend' | 'netns'>

/** Runs until V8 has compiled what is measured. */
export const WARM = 3

const range = (text: string): Cidr => cidrOf(text) as Cidr

export function open(source: Told, subject: Subject = {}): Promise<ServiceProxy> {
  return ServiceProxy.open({
    backend: 'nftables',
    source,
    node: 'here',
    standalone: false,
    clusterCidrs: [range('10.128.0.0/9')],
    serviceCidrs: [range('10.96.0.0/12')],
    ...subject,
  })
}

export async function timed(task: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await task()
  return performance.now() - start
}

export interface Loaded {
  readonly proxy: ServiceProxy
  readonly source: Told
  /** Milliseconds from parsed objects until the kernel has all, and of these from when the proxy had taken note of them. */
  readonly took: number
  readonly sync: number
}

/** A proxy that serves all. */
export async function loaded(size: Size, subject?: Subject): Promise<Loaded> {
  const source = new Told()
  const proxy = await open(source, subject)
  const changes = objectsOf(size).map(told)
  const read = await timed(() => {
    source.tell(changes)
    return proxy.read()
  })
  const sync = await timed(() => proxy.sync())
  return { proxy, source, took: read + sync, sync }
}

/** One endpoint of a Service becomes another one, again and again: from the source's event until the kernel has it. */
export async function changed(proxy: ServiceProxy, source: Told, size: Size, runs: number): Promise<Times> {
  let synced = (): void => {}
  const ending = new AbortController()
  const running = proxy.run(ending.signal, () => synced())
  const times: number[] = []
  for (let i = 1; i <= WARM + runs; i++) {
    const change = told(slice((i * 97) % size.services, size, i))
    const done = new Promise<void>(resolve => {
      synced = resolve
    })
    times.push(
      await timed(() => {
        source.tell([change])
        return done
      }),
    )
  }
  ending.abort()
  await running
  return { cold: times[0] as number, median: quantile(times.slice(WARM), 0.5) }
}

/** Bytes: the most that this process had of the machine's memory. */
export const mostMemory = (): number => process.resourceUsage().maxRSS * 1024
