/** Statements that stand for one expression (src/netlink_delinearize.c, netlink_parse_*; src/json.c, *_stmt_json). */
import type { Immediate, Log, Objref, Reject, Synproxy } from '../expressions/index.js'
import type * as json from '../json/index.js'
import { REJECT_CODES } from '../vocabulary/types.js'
import { release, releaseTransport } from './dependencies.js'
import { express, setJson } from './express.js'
import { keyAndSet } from './match.js'
import { oneOrMore } from './nat.js'
import { headerOf } from './packet.js'
import { add, type Reading } from './reading.js'
import { word } from './source.js'
import { unliftable } from './value.js'
import { liftVerdict } from './verdict.js'

export function readImmediate(reading: Reading, { destination, data }: Immediate): void {
  if (data instanceof Uint8Array) {
    if (destination === 0) unliftable('a verdict that is bytes')
    return reading.registers.set(destination, { kind: 'constant', bytes: data })
  }
  if (destination !== 0) unliftable('a verdict in a register')
  add(reading, liftVerdict(data) ?? unliftable(`verdict ${data.verdict}`))
}

const LOG_FLAGS = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'] as const

export function readLog(reading: Reading, { group, prefix, snaplen, queueThreshold, level, flags = [] }: Log): void {
  const known = LOG_FLAGS.filter(flag => flags.includes(flag))
  if (known.length !== flags.length) unliftable('flags')
  const given: readonly json.LogFlag[] = known.length === LOG_FLAGS.length ? ['all'] : known
  const name = level === undefined ? undefined : word<json.LogLevel>(level)
  const log = {
    ...(prefix !== undefined && { prefix }),
    ...(group !== undefined && { group }),
    ...(snaplen && { snaplen }),
    ...(queueThreshold && { 'queue-threshold': queueThreshold }),
    ...(name !== undefined && name !== 'warn' && { level: name }),
    ...(given.length > 0 && { flags: oneOrMore(given) }),
  }
  add(reading, { log: Object.keys(log).length > 0 ? log : null })
}

export function readSynproxy(reading: Reading, { mss, windowScale, flags = [] }: Synproxy): void {
  if (flags.some(flag => typeof flag === 'number')) unliftable('flags')
  const given: json.SynproxyFlag[] = []
  if (flags.includes('timestamp')) given.push('timestamp')
  if (flags.includes('sack-permitted')) given.push('sack-perm')
  const synproxy = {
    ...(flags.includes('mss') && { mss }),
    ...(flags.includes('window-scale') && { wscale: windowScale }),
    ...(given.length > 0 && { flags: given }),
  }
  add(reading, { synproxy: Object.keys(synproxy).length > 0 ? synproxy : null })
}

const TCP = 6n
const ANSWERS = { ip: 'icmp', ip6: 'icmpv6' } as const

export function readReject(reading: Reading, { type, code = 0 }: Reject): void {
  const { packet, context } = reading
  const name = word<'icmp' | 'tcp reset' | 'icmpx'>(type)
  const bare = context.family === 'ip' || context.family === 'ip6'
  if (name === 'tcp reset') {
    if (bare) releaseTransport(packet, TCP)
    else release(packet, 'network')
    add(reading, { reject: { type: name } })
    return
  }
  if (!bare && name === 'icmp') release(packet, 'network')
  // Whatever the packet is said to be.
  const network = bare ? context.family : headerOf(packet, 'network')?.name
  const family = network === 'ip' || network === 'ip6' ? network : undefined
  // Where nft does not see which family it is, it does not tell the answer either.
  if (name === 'icmp' && family === undefined) return void add(reading, { reject: null })
  const answer = name === 'icmpx' ? name : ANSWERS[family ?? 'ip']
  add(reading, { reject: { type: answer, expr: REJECT_CODES[answer].json(BigInt(code), 8) } })
}

/** Kinds of objects, as the statement that uses them is called. */
const OBJECTS: Readonly<Record<string, string>> = {
  counter: 'counter',
  quota: 'quota',
  limit: 'limit',
  'ct helper': 'ct helper',
  'ct timeout': 'ct timeout',
  'ct expectation': 'ct expectation',
  secmark: 'secmark',
  synproxy: 'synproxy',
}

export function readObjref(reading: Reading, { type, name, source, set: map }: Objref): void {
  if (source === undefined || map === undefined) return addObject(reading, type, name ?? unliftable('no name'))
  const { key, set } = keyAndSet(reading, source, map)
  const data = setJson(reading.context, set)
  addObject(reading, set.set.objects, { map: { key: express(reading.context, key), data } })
}

function addObject(reading: Reading, type: string | number | undefined, expression: json.Expression): void {
  const statement = type === undefined ? undefined : OBJECTS[type]
  if (statement === undefined) return unliftable(`object ${type}`)
  add(reading, { [statement]: expression } as unknown as json.Statement)
}
