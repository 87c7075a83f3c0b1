/** Stateful objects of documents (src/parser_json.c, json_parse_cmd_add_object). */
import { BadValue, shown } from '../../netlink/schema.js'
import {
  at,
  type Fields,
  fieldsOf,
  nearestWord,
  numberIn,
  objectOf,
  optionalBoolean,
  optionalNumber,
  optionalWhole,
  optionalWord,
  textIn,
  wordsIn,
} from '../json/fields.js'
import { LIMIT_FIELDS, limitOf } from '../lower/stateful.js'
import type { StatefulObject } from '../types.js'
import { checkHandle, nameIn } from './identity.js'
import { commentIn } from './lower-objects.js'
import { statesOf } from './timeouts.js'
import { type ObjectKind, PROTOCOLS } from './words.js'

type Named = Pick<StatefulObject, 'family' | 'table' | 'name' | 'comment'>
interface Kind {
  readonly fields: readonly string[]
  lower(named: Named, fields: Fields): StatefulObject
}

const U16 = 0xffff
const U32 = 0xffff_ffff
const LAYERS = ['ip', 'ip6', 'inet'] as const

const KINDS: Readonly<Record<ObjectKind, Kind>> = {
  counter: {
    fields: ['packets', 'bytes'],
    lower: (named, fields) => ({
      ...named,
      type: 'counter',
      packets: optionalWhole(fields, 'packets') ?? 0n,
      bytes: optionalWhole(fields, 'bytes') ?? 0n,
    }),
  },
  quota: {
    fields: ['bytes', 'used', 'inv'],
    lower: (named, fields) => ({
      ...named,
      type: 'quota',
      bytes: optionalWhole(fields, 'bytes') ?? 0n,
      used: optionalWhole(fields, 'used') ?? 0n,
      ...(optionalBoolean(fields, 'inv') && { flags: ['over'] as const }),
    }),
  },
  limit: { fields: LIMIT_FIELDS, lower: (named, fields) => ({ ...named, type: 'limit', ...limitOf(fields) }) },
  'ct helper': {
    fields: ['type', 'protocol', 'l3proto'],
    lower: (named, fields) => ({ ...named, type: 'ct helper', helper: textIn(fields, 'type'), ...protocolIn(fields) }),
  },
  'ct timeout': {
    fields: ['protocol', 'l3proto', 'policy'],
    lower(named, fields) {
      const protocol = optionalWord(fields, 'protocol', ['tcp', 'udp'])
      if (protocol === undefined) throw new BadValue('type', 'is missing: give tcp or udp').within('protocol')
      return {
        ...named,
        type: 'ct timeout',
        ...protocolIn(fields),
        policy: at('policy', () => policyOf(fields.policy, protocol)),
      }
    },
  },
  'ct expectation': {
    fields: ['protocol', 'l3proto', 'dport', 'timeout', 'size'],
    lower: (named, fields) => ({
      ...named,
      type: 'ct expectation',
      ...protocolIn(fields),
      port: optionalNumber(fields, 'dport', 0, U16) ?? 0,
      timeout: optionalNumber(fields, 'timeout', 0, U32) ?? 0,
      size: optionalNumber(fields, 'size', 0, 255) ?? 0,
    }),
  },
  secmark: {
    fields: ['context'],
    lower: (named, fields) => ({ ...named, type: 'secmark', context: textIn(fields, 'context') }),
  },
  synproxy: {
    fields: ['mss', 'wscale', 'flags'],
    lower: (named, fields) => ({ ...named, type: 'synproxy', ...synproxyOf(fields) }),
  },
}

export function lowerObject(kind: ObjectKind, given: unknown): StatefulObject {
  const { fields: own, lower } = KINDS[kind]
  const fields = fieldsOf(given, ['family', 'table', 'name', 'handle', 'comment', ...own])
  checkHandle(fields)
  return lower({ ...nameIn(fields), ...commentIn(fields) }, fields)
}

/** All fields that an object of a kind may have. */
export const objectFields = (kind: ObjectKind): readonly string[] => [
  'family',
  'table',
  'name',
  'handle',
  'comment',
  ...KINDS[kind].fields,
]

function protocolIn(fields: Fields): { protocol: number; layer3?: (typeof LAYERS)[number] } {
  const layer3 = optionalWord(fields, 'l3proto', LAYERS)
  const { protocol } = fields
  if (typeof protocol === 'number') return { protocol: numberIn(fields, 'protocol', 0, 255), ...(layer3 && { layer3 }) }
  const words = Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[]
  const word = optionalWord(fields, 'protocol', words)
  if (word === undefined) throw new BadValue('type', `is missing: give one of ${words.join(', ')}`).within('protocol')
  return { protocol: PROTOCOLS[word], ...(layer3 && { layer3 }) }
}

/** States by their numbers. Where none is given all have the kernel's defaults. */
function policyOf(given: unknown, protocol: 'tcp' | 'udp'): Record<number, number> {
  const states = statesOf(protocol)
  const usual = Object.fromEntries(states.map(([, seconds], i) => [i + 1, seconds]))
  if (given === undefined || given === null) return usual
  const fields = objectOf(given)
  const names = states.map(([name]) => name)
  for (const name of Object.keys(fields)) {
    const number = names.indexOf(name) + 1
    if (number === 0) throw new BadValue('type', `there is no such state: ${nearestWord(name, names)}`).within(name)
    usual[number] = numberIn(fields, name, 0, U32)
  }
  return usual
}

function synproxyOf(fields: Fields) {
  const mss = optionalNumber(fields, 'mss', 0, U16)
  const windowScale = optionalNumber(fields, 'wscale', 0, 14)
  const words = wordsIn(fields, 'flags', ['timestamp', 'sack-perm']) ?? []
  const flags = [
    ...(mss !== undefined ? (['mss'] as const) : []),
    ...(windowScale !== undefined ? (['window-scale'] as const) : []),
    ...(words.includes('sack-perm') ? (['sack-permitted'] as const) : []),
    ...(words.includes('timestamp') ? (['timestamp'] as const) : []),
  ]
  return { mss: mss ?? 0, windowScale: windowScale ?? 0, flags }
}

/** What a kind that there is not may have meant. */
export function unknownKind(kind: string, kinds: readonly string[]): BadValue {
  return new BadValue('type', `${shown(kind)}: there is no such object: ${nearestWord(kind, kinds)}`)
}
