/** Which flows: asked of the kernel as far as it can, and looked at again here, for older ones do not know all of it. */
import { AF_INET, AF_INET6, familyOf, writeAddress } from '../netlink/address.js'
import { bits, type Check, Fields, masked, type Prefix, prefix, whole, word } from '../netlink/fields.js'
import { BadValue, shown } from '../netlink/schema.js'
import type { Flow, FlowFilter, State, StatusFlag, Tuple } from './types.js'
import type { questionAttributes } from './wire.js'
import { PROTOCOLS, protocolCheck, protocolOf, STATES, STATUS } from './words.js'

type Question = NonNullable<ReturnType<typeof questionAttributes.decode>>
type Test = (flow: Flow) => boolean

/** A filter that was checked. */
export interface CheckedFilter {
  /** Number of the family; 0 is any. */
  readonly family: number
  /** What the kernel is asked. */
  readonly attributes: Question
  /** Whether a flow has all that is given. Flows are of the family. */
  readonly test: Test
  /** Nothing is given. */
  readonly any: boolean
}

export const FILTER_FIELDS: readonly (keyof FlowFilter)[] = [
  'family',
  'protocol',
  'original',
  'reply',
  'state',
  'status',
  'zone',
  'mark',
  'mask',
]

const port = whole(0, 0xffff)
const word32 = whole(0, 0xffff_ffff)

/** Part of a direction that was checked. */
interface CheckedPart {
  readonly source: Prefix | undefined
  readonly destination: Prefix | undefined
  readonly sourcePort: number | undefined
  readonly destinationPort: number | undefined
}

const partCheck: Check<CheckedPart> = value => {
  const fields = new Fields(value, ['source', 'destination', 'sourcePort', 'destinationPort'])
  return {
    source: fields.optional('source', prefix),
    destination: fields.optional('destination', prefix),
    sourcePort: fields.optional('sourcePort', port),
    destinationPort: fields.optional('destinationPort', port),
  }
}

const stateCheck: Check<State | number> = value => {
  if (typeof value === 'number') return whole(0, 255)(value)
  const states = Object.values(STATES).flat()
  if (states.includes(value as State)) return value as State
  throw new BadValue(
    typeof value === 'string' ? 'range' : 'type',
    `${shown(value)}: give one of ${[...new Set(states)].join(', ')}`,
  )
}

/** Throws a `BadValue`. */
export function checkFilter(given: FlowFilter): CheckedFilter {
  const fields = new Fields(given, FILTER_FIELDS, 'options')
  const protocol = fields.optional('protocol', protocolCheck)
  const original = fields.optional('original', partCheck)
  const reply = fields.optional('reply', partCheck)
  const state = fields.optional('state', stateCheck)
  const status = fields.optional('status', bits(STATUS))
  const zone = fields.optional('zone', port)
  const mark = fields.optional('mark', word32)
  const mask = fields.optional('mask', word32) ?? 0xffff_ffff
  if (fields.has('mask') && mark === undefined)
    throw new BadValue('type', 'is of no use without mark: give that as well').within('mask').within('options')
  const family = familyNumber(fields.optional('family', word({ ipv4: AF_INET, ipv6: AF_INET6 })), original, reply)
  const flags = given.status as readonly StatusFlag[]
  const tests: (Test | false | undefined)[] = [
    family !== 0 && (flow => (flow.family === 'ipv6') === (family === AF_INET6)),
    protocol !== undefined && (flow => flow.original.protocol === protocolOf(protocol)),
    original && partTest(original, 'original'),
    reply && partTest(reply, 'reply'),
    state !== undefined && (flow => flow.state === state),
    Boolean(status) && (flow => flags.every(flag => flow.status.includes(flag))),
    zone !== undefined && (flow => (flow.zone ?? 0) === zone),
    mark !== undefined && (flow => ((flow.mark ?? 0) & mask) >>> 0 === (mark & mask) >>> 0),
  ]
  const wanted = tests.filter(test => typeof test === 'function')
  return {
    family,
    attributes: {
      ...tuplesToWire(family, protocol, original, reply),
      ...(status && { status, statusMask: status }),
      ...(mark !== undefined && { mark, markMask: mask }),
      zone,
    },
    test: flow => wanted.every(test => test(flow)),
    any: wanted.length === 0,
  }
}

/** The family that all parts are of. */
function familyNumber(given: number | undefined, original: CheckedPart | undefined, reply: CheckedPart | undefined): number {
  let family = given ?? 0
  for (const [direction, part] of Object.entries({ original, reply }))
    for (const end of ['source', 'destination'] as const) {
      const network = part?.[end]
      if (!network) continue
      const number = network.family === 'ipv6' ? AF_INET6 : AF_INET
      if (family !== 0 && number !== family)
        throw new BadValue('range', `${network.address}: is of another family than the rest: no flow has both`)
          .within(end)
          .within(direction)
          .within('options')
      family = number
    }
  return family
}

/** Undefined when nothing is given. */
function partTest(
  { source, destination, sourcePort, destinationPort }: CheckedPart,
  direction: 'original' | 'reply',
): Test | undefined {
  const tests: ((tuple: Tuple) => boolean)[] = []
  if (sourcePort !== undefined) tests.push(tuple => tuple.sourcePort === sourcePort)
  if (destinationPort !== undefined) tests.push(tuple => tuple.destinationPort === destinationPort)
  if (source) tests.push(addressTest(source, tuple => tuple.source))
  if (destination) tests.push(addressTest(destination, tuple => tuple.destination))
  return tests.length === 0 ? undefined : flow => tests.every(test => test(flow[direction]))
}

const all = ({ family }: Prefix): number => (family === 'ipv6' ? 128 : 32)

function addressTest(network: Prefix, of: (tuple: Tuple) => string): (tuple: Tuple) => boolean {
  if (network.length === all(network)) return tuple => of(tuple) === network.address
  const wanted = bytesOf(network.address)
  return tuple =>
    familyOf(of(tuple)) === network.family && Buffer.compare(masked(bytesOf(of(tuple)), network.length), wanted) === 0
}

function bytesOf(address: string): Uint8Array {
  const bytes = new Uint8Array(16)
  writeAddress(address, familyOf(address), bytes, 0)
  return bytes
}

/** CTA_FILTER_F_*: parts of tuples that the kernel is to compare (Linux 5.8). */
const PART = { source: 1, destination: 2, protocol: 8, sourcePort: 0x10, destinationPort: 0x20 }
const PORTS: readonly number[] = [PROTOCOLS.tcp, PROTOCOLS.udp, PROTOCOLS.sctp, PROTOCOLS.dccp, PROTOCOLS.udplite]

/** What the kernel compares: whole IPv4 addresses, and the protocol with its ports. It needs to know the family for that. */
function tuplesToWire(
  family: number,
  protocol: number | undefined,
  original: CheckedPart | undefined,
  reply: CheckedPart | undefined,
): Question {
  if (family === 0) return {}
  const one = tupleToWire(protocol, original ?? NO_PART)
  const other = tupleToWire(protocol, reply ?? NO_PART)
  if (one.flags === 0 && other.flags === 0) return {}
  return {
    ...(one.flags && { original: one.tuple }),
    ...(other.flags && { reply: other.tuple }),
    filter: { original: one.flags, reply: other.flags },
  }
}

const NO_PART: CheckedPart = { source: undefined, destination: undefined, sourcePort: undefined, destinationPort: undefined }

function tupleToWire(
  number: number | undefined,
  { source, destination, sourcePort, destinationPort }: CheckedPart,
): { readonly tuple: NonNullable<Question['original']>; readonly flags: number } {
  const ports = number !== undefined && PORTS.includes(number)
  const ip = { source: exact(source), destination: exact(destination) }
  const protocol = {
    number,
    sourcePort: ports ? sourcePort : undefined,
    destinationPort: ports ? destinationPort : undefined,
  }
  let flags = 0
  if (ip.source !== undefined) flags |= PART.source
  if (ip.destination !== undefined) flags |= PART.destination
  if (number !== undefined) flags |= PART.protocol
  if (protocol.sourcePort !== undefined) flags |= PART.sourcePort
  if (protocol.destinationPort !== undefined) flags |= PART.destinationPort
  return { tuple: { ip: flags & 3 ? ip : undefined, protocol: number === undefined ? undefined : protocol }, flags }
}

/** IPv6 addresses are compared here alone: of those the kernel leaves out just the flows that have them (ctnetlink_filter_match_tuple). */
const exact = (network: Prefix | undefined): string | undefined =>
  network && network.family === 'ipv4' && network.length === all(network) ? network.address : undefined
