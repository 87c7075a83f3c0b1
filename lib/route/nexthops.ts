/** The ways of a route with several (RTA_MULTIPATH): `struct rtnexthop` and attributes, one behind the other. */
import { AF_INET6, familyOf, formatAddress } from '../netlink/address.js'
import { ipAddress } from '../netlink/address-values.js'
import { align4, MessageReader, MessageWriter } from '../netlink/buffer.js'
import { address, bits, type Check, Fields, whole } from '../netlink/fields.js'
import { struct } from '../netlink/struct.js'
import { deviceCheck } from './links.js'
import type { Device, Nexthop, NexthopFlag } from './types.js'
import { routeAttributes } from './wire.js'

/** RTNH_F_* */
export const NEXTHOP_FLAGS: Readonly<Record<NexthopFlag, number>> = {
  dead: 1,
  pervasive: 2,
  onlink: 4,
  offload: 8,
  linkdown: 16,
  unresolved: 32,
  trap: 64,
}

const nexthopHeader = struct(8, { length: [0, 'u16'], flags: [2, 'u8'], hops: [3, 'u8'], index: [4, 's32'] })

/** Flags as words. */
export const flagWords = (flags: number): NexthopFlag[] =>
  (Object.entries(NEXTHOP_FLAGS) as [NexthopFlag, number][]).filter(([, bit]) => flags & bit).map(([word]) => word)

export const flagBits: Check<number> = bits(NEXTHOP_FLAGS)

/** The way of a route that was checked. */
export interface CheckedNexthop {
  readonly gateway: string | undefined
  readonly device: Device | undefined
  readonly weight: number
  readonly flags: number
}

export const nexthopCheck: Check<CheckedNexthop> = value => {
  const fields = new Fields(value, ['gateway', 'device', 'weight', 'flags'])
  return {
    gateway: fields.optional('gateway', address),
    device: fields.optional('device', deviceCheck),
    weight: fields.optional('weight', whole(1, 256)) ?? 1,
    flags: fields.optional('flags', flagBits) ?? 0,
  }
}

/** A gateway as an attribute: of another family than the route's it is RTA_VIA. */
export function gatewayAttributes(gateway: string | undefined, ipv6: boolean): { gateway?: string; via?: Uint8Array } {
  if (gateway === undefined) return {}
  return familyOf(gateway) === 'ipv6' && !ipv6 ? { via: via(gateway) } : { gateway }
}

function via(gateway: string): Uint8Array {
  const writer = new MessageWriter(20)
  writer.u16[0] = AF_INET6
  writer.offset = 4
  ipAddress.write(writer, gateway)
  const { bytes } = writer
  // `struct rtvia` has the address right behind its 2 bytes of family.
  bytes.copyWithin(2, 4, 20)
  return bytes.subarray(0, 18)
}

/** The gateway of attributes. */
export function gatewayOf({ gateway, via }: { gateway?: string | undefined; via?: Uint8Array | undefined }): string | undefined {
  if (gateway !== undefined || via === undefined) return gateway
  return via.length === 18 ? formatAddress(via, 2, 'ipv6') : via.length === 6 ? formatAddress(via, 2, 'ipv4') : undefined
}

/** As the kernel takes them. `indexOf` knows all their devices. */
export function nexthopsToWire(
  nexthops: readonly CheckedNexthop[],
  ipv6: boolean,
  indexOf: (device: Device) => number,
): Uint8Array {
  const writer = new MessageWriter(256)
  for (const { gateway, device, weight, flags } of nexthops) {
    const start = writer.offset
    nexthopHeader.write(writer, { flags, hops: weight - 1, index: device === undefined ? 0 : indexOf(device) })
    routeAttributes.encode(writer, gatewayAttributes(gateway, ipv6))
    writer.u16[start >> 1] = writer.offset - start
  }
  return writer.written()
}

/** As they were read; devices are indices. */
export function nexthopsFromWire(bytes: Uint8Array): Nexthop[] {
  const reader = new MessageReader(bytes)
  const nexthops: Nexthop[] = []
  for (let offset = 0; offset + nexthopHeader.size <= reader.end; ) {
    const { length, flags, hops, index } = nexthopHeader.read(reader, offset)
    if (length < nexthopHeader.size || offset + length > reader.end) break
    const gateway = gatewayOf(routeAttributes.decode(reader, offset + nexthopHeader.size, offset + length) ?? {})
    nexthops.push({
      ...(gateway !== undefined && { gateway }),
      ...(index !== 0 && { device: index }),
      weight: hops + 1,
      ...(flags !== 0 && { flags: flagWords(flags) }),
    })
    offset += align4(length)
  }
  return nexthops
}
