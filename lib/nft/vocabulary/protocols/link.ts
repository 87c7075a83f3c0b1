/** Headers of the link layer. */
import { fields } from '../fields.js'
import type { Protocol } from '../protocol.js'

const ETHER_UPPER: Protocol['upper'] = [
  [0x0800, 'ip'],
  [0x0806, 'arp'],
  [0x86dd, 'ip6'],
  [0x8100, 'vlan'],
  [0x88a8, 'vlan'],
]

export const LINK: readonly Protocol[] = [
  {
    name: 'ether',
    layer: 'link',
    next: 'type',
    upper: ETHER_UPPER,
    fields: fields(`
      daddr ether_addr 0
      saddr ether_addr 48
      type ether_type 96`),
  },
  {
    name: 'vlan',
    layer: 'link',
    next: 'type',
    upper: ETHER_UPPER,
    fields: fields(`
      pcp integer 0 3
      dei integer 3 1
      id integer 4 12
      type ether_type 16`),
  },
]
