/** Ports that lead nowhere: slices know a port of a Service by its name and protocol. */
import type { Family } from './address.js'
import { type EndpointsByPort, endpointKey, type Protocol } from './endpoints.js'
import { isServed } from './frontends.js'
import type { ObjectProtocol, Service } from './objects.js'

/** A port of a Service that its endpoints have not got, while they have others. */
export interface UnmatchedPort {
  /** `namespace/name` */
  readonly service: string
  /** Its place in `spec.ports`. */
  readonly index: number
  readonly portName: string
  readonly protocol: ObjectProtocol
  /** Those that there are: `tcp "web"`. */
  readonly others: readonly string[]
}

/** Where there are no endpoints at all there is nothing to compare with. */
export function unmatchedPorts(name: string, service: Service, endpoints: EndpointsByPort): readonly UnmatchedPort[] {
  if (endpoints.size === 0 || !isServed(service)) return []
  return (service.spec.ports ?? []).flatMap(({ name: portName = '', protocol = 'TCP' }, index) => {
    const there = (family: Family): boolean => endpoints.has(endpointKey(family, portName, protocol.toLowerCase() as Protocol))
    if (there('ipv4') || there('ipv6')) return []
    const others = [...endpoints.keys()].map(key => {
      const [, word = '', portName = ''] = key.split(' ')
      return `${word} ${JSON.stringify(portName)}`
    })
    return [{ service: name, index, portName, protocol, others: [...new Set(others)] }]
  })
}
