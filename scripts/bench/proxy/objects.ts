/** A cluster to measure with: Services over TCP, each with one slice, as a source hands them over. */
import type { KubernetesObject } from '../../../lib/source/kubernetes.js'
import type { ObjectChange, Source, SourceUpdate } from '../../../lib/source/source.js'

export interface Size {
  readonly services: number
  /** Of each Service. */
  readonly endpoints: number
}

const address = (first: number, i: number): string => `10.${first + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`

const service = (i: number): KubernetesObject => ({
  kind: 'Service',
  metadata: { name: `service-${i}`, namespace: 'default' },
  spec: {
    clusterIP: address(96, i + 1),
    clusterIPs: [address(96, i + 1)],
    ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
  },
})

/** @param moved by so many addresses, of which no other Service has one */
export const slice = (i: number, { endpoints }: Size, moved = 0): KubernetesObject => ({
  kind: 'EndpointSlice',
  metadata: { name: `service-${i}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': `service-${i}` } },
  addressType: 'IPv4',
  ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  endpoints: Array.from({ length: endpoints }, (_, number) => ({
    addresses: [address(moved > 0 && number === 0 ? 192 : 128, moved > 0 && number === 0 ? moved : i * endpoints + number)],
    conditions: { ready: true },
    nodeName: number % 2 === 0 ? 'here' : 'there',
  })),
})

/** Every call makes new objects, and new strings. */
export const objectsOf = (size: Size): readonly KubernetesObject[] =>
  Array.from({ length: size.services }, (_, i) => [service(i), slice(i, size)]).flat()

export const told = (object: KubernetesObject): ObjectChange => ({
  kind: object.kind,
  name: `default/${object.metadata.name}`,
  object,
})
export const gone = ({ kind, name }: ObjectChange): ObjectChange => ({ kind, name, object: undefined })

/** Tells what it is given. */
export class Told implements Source {
  readonly name = 'bench'
  #next: SourceUpdate | undefined
  #wake: (() => void) | undefined

  tell(changes: readonly ObjectChange[]): void {
    this.#next = { complete: true, changes, problems: [] }
    this.#wake?.()
  }

  async *updates(signal: AbortSignal): AsyncGenerator<SourceUpdate, void, void> {
    const ended = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    while (!signal.aborted) {
      const update = this.#next
      this.#next = undefined
      if (update) yield update
      else
        await Promise.race([
          ended,
          new Promise<void>(resolve => {
            this.#wake = resolve
          }),
        ])
    }
  }
}
