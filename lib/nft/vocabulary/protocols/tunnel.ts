/** Headers of tunnels: what stands in them can be asked for with `tunnel`. */
import { fields } from '../fields.js'
import type { Protocol } from '../protocol.js'

export const TUNNELS: readonly Protocol[] = [
  {
    name: 'gre',
    layer: 'transport',
    next: 'protocol',
    upper: [
      [0x0800, 'ip'],
      [0x86dd, 'ip6'],
      [0, 'gretap'],
    ],
    tunnel: { type: 3, headerSize: 4, flags: ['network', 'transport'] },
    fields: fields(`
      flags integer 0 5
      version integer 13 3
      protocol ether_type 16`),
  },
  {
    name: 'gretap',
    layer: 'transport',
    upper: [],
    tunnel: { type: 4, headerSize: 4, flags: ['link', 'network', 'transport'] },
    fields: [],
  },
  {
    name: 'geneve',
    layer: 'inner',
    upper: [],
    tunnel: { type: 2, headerSize: 8, flags: ['header-size', 'link', 'network', 'transport'] },
    fields: fields(`
      type tunnel_ether_type 16
      vni integer 32 24`),
  },
  {
    name: 'vxlan',
    layer: 'inner',
    upper: [],
    tunnel: { type: 1, headerSize: 8, flags: ['header-size', 'link', 'network', 'transport'] },
    fields: fields(`
      flags bitmask 0 8
      vni integer 32 24`),
  },
]
