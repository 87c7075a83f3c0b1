/** What is measured with: plain objects with addresses as text, as a caller has them, and the same in nft's language. */
import type { Command, Element, NftSet, Rule, Table } from '../../../lib/nft/types.js'

export const table: Table = { family: 'ip', name: 'bench' }
const chain = { family: 'ip', table: 'bench', name: 'services' } as const
const TCP = 6

/** Service to endpoint. */
export const map: NftSet = {
  family: 'ip',
  table: 'bench',
  name: 'endpoints',
  key: ['ipv4_addr', 'inet_proto', 'inet_service'],
  data: ['ipv4_addr', 'inet_service'],
}

const service = (i: number): string => `10.${96 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`
const endpoint = (i: number): string => `10.${128 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`

/** The element of a number. Every call makes new objects, and new strings. */
export const element = (i: number): Element => ({ key: [service(i), 'tcp', 80], data: [endpoint(i), 8080] })

/** The map with its elements, in one transaction. */
export function elementsOf(count: number): Command[] {
  const elements = Array.from({ length: count }, (_, i) => element(i))
  return [{ add: { table } }, { add: { set: map } }, { add: { elements: { set: map, elements } } }]
}

export function elementsAsText(count: number): string {
  const elements = Array.from({ length: count }, (_, i) => `${service(i)} . tcp . 80 : ${endpoint(i)} . 8080`)
  return `table ip bench {
  map endpoints {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
    elements = { ${elements.join(',\n')} }
  }
}
`
}

/** What nft makes of `ip protocol tcp ip daddr ADDRESS tcp dport 80 counter accept`. */
function rule(i: number): Rule {
  return {
    family: chain.family,
    table: chain.table,
    chain: chain.name,
    expressions: [
      { kind: 'payload', destination: 1, base: 'network', offset: 9, length: 1 },
      { kind: 'cmp', source: 1, operator: 'eq', data: new Uint8Array([TCP]) },
      { kind: 'payload', destination: 1, base: 'network', offset: 16, length: 4 },
      { kind: 'cmp', source: 1, operator: 'eq', data: new Uint8Array([10, 96 + (i >> 16), (i >> 8) & 255, i & 255]) },
      { kind: 'payload', destination: 1, base: 'transport', offset: 2, length: 2 },
      { kind: 'cmp', source: 1, operator: 'eq', data: new Uint8Array([0, 80]) },
      { kind: 'counter', packets: 0n, bytes: 0n },
      { kind: 'immediate', destination: 0, data: { verdict: 'accept' } },
    ],
  }
}

/** A chain with its rules, in one transaction. */
export function rulesOf(count: number): Command[] {
  const rules = Array.from({ length: count }, (_, i): Command => ({ add: { rule: rule(i) } }))
  return [{ add: { table } }, { add: { chain } }, ...rules]
}

export function rulesAsText(count: number): string {
  const rules = Array.from({ length: count }, (_, i) => `ip protocol tcp ip daddr ${service(i)} tcp dport 80 counter accept`)
  return `table ip bench {
  chain services {
    ${rules.join('\n')}
  }
}
`
}
