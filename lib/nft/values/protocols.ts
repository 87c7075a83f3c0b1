import type { Scalar } from '../types.js'
import { Bytes } from './bytes.js'

/** Names of IP protocols, as /etc/protocols has them and nft prints them. */
const NAMES: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  ospf: 89,
  pim: 103,
  ipcomp: 108,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
}

/** `icmpv6` is nft's own word for `ipv6-icmp`. */
const NUMBERS: ReadonlyMap<unknown, number> = new Map([...Object.entries(NAMES), ['icmpv6', 58]])
const SHOWN: readonly (string | number)[] = Array.from(
  { length: 256 },
  (_, number) => Object.keys(NAMES).find(name => NAMES[name] === number) ?? number,
)

/** IP protocols: the names of those that are known, the numbers of all. */
export class Protocols extends Bytes {
  static readonly values: Protocols = new Protocols(1, `one of ${Object.keys(NAMES).join(', ')}, or a number from 0 to 255`)

  override write(bytes: Uint8Array, offset: number, value: unknown): void {
    const number = typeof value === 'number' ? value : NUMBERS.get(value)
    if (number === undefined) super.write(bytes, offset, value)
    else if (number >= 0 && number <= 255 && Number.isInteger(number)) bytes[offset] = number
    else throw this.refusal(value)
  }

  override read(bytes: Uint8Array, offset: number): Scalar {
    return SHOWN[bytes[offset] as number] as Scalar
  }
}
