/** Addresses of devices, and the routes that come and go with them (net/ipv4/devinet.c, fib_frontend.c, net/ipv6/addrconf.c). */
import { AF_INET, AF_INET6, formatAddress, writeAddress } from '../../netlink/address.js'
import { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { masked } from '../../netlink/fields.js'
import { addressAttributes, addressHeader, addressTimes, group, message, NLM_F_EXCL, NLM_F_REPLACE } from '../../route/wire.js'
import { EADDRNOTAVAIL, EAFNOSUPPORT, EEXIST, EINVAL, ENODEV, Errno } from '../errno.js'
import type { Report } from '../policy.js'
import { addKernelRoute, removeKernelRoute } from './routes.js'
import type { Address, AddressAttributes, Link, Put, State } from './state.js'

const FOREVER = 0xffff_ffff
const FLAG = { secondary: 1, permanent: 0x80, deprecated: 0x20, noPrefixRoute: 0x200 }
const SCOPE = { global: 0, link: 253, host: 254 }
const TABLE = { main: 254, local: 255 }
const TYPE = { unicast: 1, local: 2, broadcast: 3 }

/** Those of lo that is up. */
export function startAddresses(state: State): void {
  const lo = state.linkByName('lo')
  if (!lo?.up) return
  const common = {
    index: lo.index,
    broadcast: undefined,
    label: undefined,
    flags: 0,
    metric: undefined,
    valid: FOREVER,
    preferred: FOREVER,
  }
  insert(state, {
    ...common,
    family: AF_INET,
    local: '127.0.0.1',
    address: '127.0.0.1',
    length: 8,
    scope: SCOPE.host,
    label: 'lo',
    made: 0,
  })
  if (state.options.ipv6)
    insert(state, { ...common, family: AF_INET6, local: '::1', address: '::1', length: 128, scope: SCOPE.host, made: 0 })
}

/** inet_fill_ifaddr, inet6_fill_ifaddr */
export function putAddress(state: State, address: Address): Put {
  return writer => {
    const { family, index, length, scope, local, broadcast, label, flags, metric, valid, preferred, made } = address
    const passed = Math.floor((state.options.clock() - made) / 1000)
    const left = (seconds: number): number => (seconds === FOREVER ? FOREVER : Math.max(0, seconds - passed))
    const times = new MessageWriter(addressTimes.size)
    addressTimes.write(times, { preferred: left(preferred), valid: left(valid) })
    addressHeader.write(writer, { family, length, flags: flags & 0xff, scope, index })
    // IPv6 tells the local one only beside another end.
    const ends = family === AF_INET || local !== address.address ? { address: address.address, local } : { address: local }
    addressAttributes.encode(writer, { ...ends, label, broadcast, times: times.written(), flags, metric })
  }
}

const groupOf = (family: number): number => (family === AF_INET ? group.ipv4Address : group.ipv6Address)

/** An address without the bits beyond its prefix length. */
export function networkOf(address: string, length: number, family: number): string {
  const bytes = new Uint8Array(16)
  const kind = family === AF_INET6 ? 'ipv6' : 'ipv4'
  writeAddress(address, kind, bytes, 0)
  return formatAddress(masked(bytes, length), 0, kind)
}

function broadcastOf(address: string, length: number): string {
  const bytes = new Uint8Array(16)
  writeAddress(address, 'ipv4', bytes, 0)
  return formatAddress(
    bytes.map((byte, i) => byte | (0xff >> Math.max(0, Math.min(8, length - 8 * i)))),
    0,
    'ipv4',
  )
}

/** inet_rtm_newaddr, inet6_rtm_newaddr */
export function newAddress(state: State, reader: MessageReader, start: number, end: number, flags: number, report: Report): void {
  const { family, length, scope, index, flags: low } = addressHeader.read(reader, start)
  const attributes = addressAttributes.decode(reader, start + addressHeader.size, end) ?? {}
  const local = checked(state, family, length, attributes)
  if (!state.links.has(index)) throw refuse(report, ENODEV, family === AF_INET ? 'ipv4: Device not found' : undefined)
  const { address = local, broadcast, metric, times } = attributes
  const { valid, preferred } =
    times?.length === addressTimes.size ? addressTimes.read(new MessageReader(times), 0) : { valid: FOREVER, preferred: FOREVER }
  if (valid === 0 || preferred > valid) throw refuse(report, EINVAL, 'ipv4: address lifetime invalid')
  const found = find(state, index, local, length)
  if (found) {
    if (flags & NLM_F_EXCL || !(flags & NLM_F_REPLACE)) throw refuse(report, EEXIST, 'ipv4: Address already assigned')
    Object.assign(found, { valid, preferred, metric, made: state.options.clock() })
    found.flags = permanence(attributes.flags ?? low, valid, preferred) | (found.flags & FLAG.secondary)
    state.tell(groupOf(family), message.newAddress, 0, putAddress(state, found))
    return
  }
  const name = state.links.get(index)?.name
  insert(state, {
    family,
    index,
    length,
    scope: family === AF_INET ? scope : scopeOf(local),
    local,
    address,
    broadcast,
    label: family === AF_INET ? (attributes.label ?? name) : undefined,
    flags: attributes.flags ?? low,
    metric,
    valid,
    preferred,
    made: state.options.clock(),
  })
}

function checked(state: State, family: number, length: number, { local, address }: AddressAttributes): string {
  if (family !== AF_INET && !(family === AF_INET6 && state.options.ipv6)) throw new Errno(EAFNOSUPPORT)
  const own = local ?? address
  if (own === undefined || length > (family === AF_INET ? 32 : 128)) throw new Errno(EINVAL)
  return own
}

function refuse(report: Report, errno: number, text: string | undefined): Errno {
  if (text !== undefined) report.message = text
  return new Errno(errno)
}

const scopeOf = (address: string): number =>
  address === '::1' ? SCOPE.host : /^fe[89ab]/.test(address) ? SCOPE.link : SCOPE.global

/** set_ifa_lifetime */
function permanence(flags: number, valid: number, preferred: number): number {
  const kept = flags & ~(FLAG.permanent | FLAG.deprecated | FLAG.secondary)
  return kept | (valid === FOREVER ? FLAG.permanent : 0) | (preferred === 0 ? FLAG.deprecated : 0)
}

function insert(state: State, given: Address): void {
  const { family, index, length, address } = given
  const primary = family === AF_INET ? primaryOf(state, index, address, length) : undefined
  const flags = permanence(given.flags, given.valid, given.preferred) | (primary ? FLAG.secondary : 0)
  const added = { ...given, flags }
  state.addresses.push(added)
  const link = state.links.get(index)
  if (link) addRoutes(state, link, added, primary)
  state.tell(groupOf(family), message.newAddress, 0, putAddress(state, added))
}

function primaryOf(state: State, index: number, address: string, length: number): Address | undefined {
  const network = networkOf(address, length, AF_INET)
  return state.addresses.find(
    one =>
      one.family === AF_INET &&
      one.index === index &&
      one.length === length &&
      !(one.flags & FLAG.secondary) &&
      networkOf(one.address, length, AF_INET) === network,
  )
}

/** A route of the kernel's own that an address brings. */
interface Brought {
  readonly type: number
  readonly destination: string
  readonly length: number
  readonly table: number
  readonly scope: number
  readonly metric: number | undefined
  readonly source: string | undefined
}

/** fib_add_ifaddr, addrconf_prefix_route: only the first is there while the device is down. */
function broughtBy(link: Link, address: Address, primary: Address | undefined): Brought[] {
  const { family, local, length, flags, metric, broadcast } = address
  if (family === AF_INET6) {
    const own = { type: TYPE.local, destination: local, length: 128, table: TABLE.local, scope: 0, metric: 0, source: undefined }
    const network = networkOf(address.address, length, family)
    const prefix = { ...own, type: TYPE.unicast, destination: network, length, table: TABLE.main, metric: metric ?? 256 }
    // lo's own has no network of its own.
    return flags & FLAG.noPrefixRoute || local === '::1' ? [own] : [own, prefix]
  }
  const source = (primary ?? address).local
  const network = networkOf(address.address, length, family)
  const one = { length: 32, table: TABLE.local, metric: undefined, source }
  const broadcasts = (destination: string): Brought => ({ ...one, type: TYPE.broadcast, destination, scope: SCOPE.link })
  const brought: Brought[] = [{ ...one, type: TYPE.local, destination: local, scope: SCOPE.host }]
  if (broadcast !== undefined) brought.push(broadcasts(broadcast))
  if (primary || (network === local && length === 32)) return brought
  const lo = link.name === 'lo'
  const prefix = { ...one, destination: network, length, metric: metric || undefined }
  if (!(flags & FLAG.noPrefixRoute))
    brought.push(
      lo
        ? { ...prefix, type: TYPE.local, scope: SCOPE.host }
        : { ...prefix, type: TYPE.unicast, table: TABLE.main, scope: SCOPE.link },
    )
  if (length < 31 && broadcast !== broadcastOf(network, length)) brought.push(broadcasts(broadcastOf(network, length)))
  return brought
}

function addRoutes(state: State, link: Link, address: Address, primary: Address | undefined): void {
  const brought = broughtBy(link, address, primary)
  const there = link.up ? brought : address.family === AF_INET ? brought.slice(0, 1) : []
  for (const route of there) addKernelRoute(state, { ...route, family: address.family, index: link.index })
}

/** inet_rtm_deladdr, inet6_rtm_deladdr */
export function deleteAddress(state: State, reader: MessageReader, start: number, end: number, report: Report): void {
  const { family, length, index } = addressHeader.read(reader, start)
  const attributes = addressAttributes.decode(reader, start + addressHeader.size, end) ?? {}
  const local = checked(state, family, length, attributes)
  const link = state.links.get(index)
  if (!link) throw refuse(report, ENODEV, family === AF_INET ? 'ipv4: Device not found' : undefined)
  const found = find(state, index, local, length)
  if (!found) throw refuse(report, EADDRNOTAVAIL, family === AF_INET ? 'ipv4: Address not found' : 'address not found')
  const secondaries =
    family === AF_INET && !(found.flags & FLAG.secondary)
      ? state.addresses.filter(one => one !== found && primaryOf(state, index, one.address, one.length) === found)
      : []
  for (const gone of [found, ...secondaries]) remove(state, link, gone)
}

function find(state: State, index: number, local: string, length: number): Address | undefined {
  return state.addresses.find(one => one.index === index && one.local === local && one.length === length)
}

function remove(state: State, link: Link, address: Address): void {
  state.addresses = state.addresses.filter(one => one !== address)
  const needed = new Set(
    state.addresses.filter(one => one.index === link.index).flatMap(one => broughtBy(link, one, undefined).map(keyOf)),
  )
  for (const route of broughtBy(link, address, undefined))
    if (!needed.has(keyOf(route))) removeKernelRoute(state, { ...route, family: address.family, index: link.index })
  state.tell(groupOf(address.family), message.deleteAddress, 0, putAddress(state, address))
}

const keyOf = ({ type, destination, length, table }: Brought): string => `${type} ${destination}/${length} ${table}`

/** A device comes up: the routes of its addresses come. */
export function addressesUp(state: State, link: Link): void {
  if (link.name === 'lo' && !state.addresses.some(({ index }) => index === link.index)) startAddresses(state)
  for (const address of state.addresses)
    if (address.index === link.index)
      addRoutes(
        state,
        link,
        address,
        address.flags & FLAG.secondary ? primaryOf(state, link.index, address.address, address.length) : undefined,
      )
}

/** A device goes down: those of IPv6 go (addrconf_ifdown). */
export function addressesDown(state: State, link: Link): void {
  for (const address of state.addresses)
    if (address.index === link.index && address.family === AF_INET6) remove(state, link, address)
}

export function addressesGone(state: State, index: number): void {
  const gone = state.addresses.filter(address => address.index === index)
  state.addresses = state.addresses.filter(address => address.index !== index)
  for (const address of gone) state.tell(groupOf(address.family), message.deleteAddress, 0, putAddress(state, address))
}
