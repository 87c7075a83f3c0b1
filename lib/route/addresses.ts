/** Addresses of devices: plain object to message and back. */
import { AF_INET, AF_INET6, familyOf } from '../netlink/address.js'
import { MessageReader, MessageWriter } from '../netlink/buffer.js'
import { address, bits, type Check, Fields, whole } from '../netlink/fields.js'
import { BadValue, shown } from '../netlink/schema.js'
import { deviceCheck } from './links.js'
import type { Address, AddressConfig, AddressFlag, AddressKey, Device } from './types.js'
import { addressAttributes, addressHeader, addressTimes, DEVICE_NAME } from './wire.js'
import { SCOPES, scopeCheck, scopeOf } from './words.js'

/** IFA_F_* */
const FLAGS: Readonly<Record<AddressFlag, number>> = {
  secondary: 1,
  'no-duplicate-detection': 2,
  optimistic: 4,
  duplicate: 8,
  home: 0x10,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  'manage-temporary': 0x100,
  'no-prefix-route': 0x200,
  'multicast-join': 0x400,
  'stable-privacy': 0x800,
}

/** For ever, in seconds. */
const FOREVER = 0xffff_ffff

/** An address that was checked. The device is still to be looked up. */
export interface CheckedAddress {
  readonly device: Device
  readonly family: number
  readonly address: string
  readonly length: number
  readonly peer: string | undefined
  readonly broadcast: string | undefined
  readonly label: string | undefined
  readonly scope: number
  readonly flags: number
  readonly valid: number
  readonly preferred: number
  readonly metric: number | undefined
}

/** What reading adds may be given: what was read can be written. */
const KNOWN = [
  'device',
  'address',
  'prefixLength',
  'peer',
  'broadcast',
  'label',
  'scope',
  'flags',
  'validLifetime',
  'preferredLifetime',
  'metric',
  'family',
]

const lifetime = whole(0, FOREVER - 1)

/** Throws a `BadValue`. */
export function checkAddress(given: AddressConfig | AddressKey): CheckedAddress {
  const fields = new Fields(given, KNOWN)
  const own = fields.required('address', address)
  const ipv6 = familyOf(own) === 'ipv6'
  const most = ipv6 ? 128 : 32
  const valid = fields.optional('validLifetime', whole(1, FOREVER - 1)) ?? FOREVER
  const preferred = fields.optional('preferredLifetime', lifetime) ?? valid
  if (preferred > valid)
    throw new BadValue('range', `${preferred}: is longer than validLifetime: give at most ${valid}`).within('preferredLifetime')
  if (ipv6)
    for (const field of ['broadcast', 'label'])
      if (fields.has(field)) throw new BadValue('range', 'only IPv4 has that: leave it out').within(field)
  return {
    device: fields.required('device', deviceCheck),
    family: ipv6 ? AF_INET6 : AF_INET,
    address: own,
    length: fields.optional('prefixLength', whole(0, most)) ?? most,
    peer: fields.optional('peer', sameFamily(own)),
    broadcast: fields.optional('broadcast', sameFamily(own)),
    label: fields.optional('label', labelCheck),
    scope: fields.optional('scope', scopeCheck) ?? (own.startsWith('127.') ? SCOPES.host : SCOPES.global),
    flags: fields.optional('flags', bits(FLAGS)) ?? 0,
    valid,
    preferred,
    metric: fields.optional('metric', whole(0, 0xffff_ffff)),
  }
}

/** An address of the same family as another one. */
export function sameFamily(other: string): Check<string> {
  return value => {
    const text = address(value)
    if (familyOf(text) === familyOf(other)) return text
    const wanted = familyOf(other) === 'ipv6' ? 'IPv6' : 'IPv4'
    throw new BadValue('range', `${shown(value)}: is of another family than ${other}: give an ${wanted} address`)
  }
}

const labelCheck: Check<string> = value => {
  if (typeof value === 'string' && value.length > 0 && Buffer.byteLength(value) <= DEVICE_NAME && !/[\s\0]/.test(value))
    return value
  throw new BadValue(
    typeof value === 'string' ? 'range' : 'type',
    `${shown(value)}: give a name of 1 to ${DEVICE_NAME} bytes, 'eth0:1'`,
  )
}

/** Writes the message that adds it, or takes it away. */
export function writeAddress(writer: MessageWriter, given: CheckedAddress, index: number, adding: boolean): void {
  const { family, address, length, peer, broadcast, label, scope, flags, valid, preferred, metric } = given
  addressHeader.write(writer, { family, length, flags: flags & 0xff, scope, index })
  // IFA_ADDRESS is the other end where there is one: it is what the prefix length is of.
  const ends = { local: address, address: peer ?? address }
  if (!adding) return addressAttributes.encode(writer, ends)
  const times = valid === FOREVER && preferred === FOREVER ? undefined : timesOf(preferred, valid)
  addressAttributes.encode(writer, { ...ends, broadcast, label, times, flags, metric })
}

function timesOf(preferred: number, valid: number): Uint8Array {
  const writer = new MessageWriter(addressTimes.size)
  addressTimes.write(writer, { preferred, valid })
  return writer.written()
}

/** An address's message; its device is the index. Undefined where it makes no sense. */
export function readAddress(reader: MessageReader, start: number, end: number): Address | undefined {
  if (end - start < addressHeader.size) return undefined
  const { family, length, flags: low, scope, index } = addressHeader.read(reader, start)
  const found = addressAttributes.decode(reader, start + addressHeader.size, end)
  const own = found?.local ?? found?.address
  if (!found || own === undefined || (family !== AF_INET && family !== AF_INET6)) return undefined
  const { address: other = own, broadcast, label, flags = low, metric, times } = found
  const { valid, preferred } = times?.length === addressTimes.size ? addressTimes.read(new MessageReader(times), 0) : NO_TIMES
  return {
    device: index,
    family: family === AF_INET6 ? 'ipv6' : 'ipv4',
    address: own,
    prefixLength: length,
    ...(other !== own && { peer: other }),
    ...(broadcast !== undefined && { broadcast }),
    ...(label !== undefined && { label }),
    scope: scopeOf(scope),
    flags: (Object.entries(FLAGS) as [AddressFlag, number][]).filter(([, bit]) => flags & bit).map(([word]) => word),
    ...(valid !== FOREVER && { validLifetime: valid }),
    ...(preferred !== FOREVER && { preferredLifetime: preferred }),
    ...(metric && { metric }),
  }
}

const NO_TIMES = { valid: FOREVER, preferred: FOREVER }
