/** What uses sets, stateful objects, and flowtables. */
import type {
  Dynset,
  FlowOffload,
  Lookup,
  NftObject,
  NftSet,
  ObjectType,
  Objref,
  StatefulExpression,
  StatefulObject,
} from '../../../../lib/nft/index.js'
import { group, REGISTERS, vary } from './group.js'

const here = { family: 'inet', table: 'e' } as const

const set = (fields: Omit<NftSet, 'family' | 'table' | 'key'>): NftObject => ({ set: { ...here, key: 'ipv4_addr', ...fields } })

const lookup: Lookup = { kind: 'lookup', set: 's', source: 1, flags: [] }
const map: Lookup = { ...lookup, set: 'm', destination: 1 }

const dynset: Dynset = { kind: 'dynset', set: 's', operation: 'add', key: 1, timeout: 0, flags: [] }
const counter: StatefulExpression = { kind: 'counter', bytes: 0n, packets: 0n }
const STATES: readonly StatefulExpression[] = [
  counter,
  { kind: 'limit', rate: 10n, unit: 1n, burst: 5, of: 'packets', flags: [] },
  { kind: 'quota', bytes: 1000n, flags: [], used: 0n },
  { kind: 'connlimit', count: 3 },
  { kind: 'last', used: false, milliseconds: 0 },
]

const OBJECTS: readonly StatefulObject[] = [
  { ...here, type: 'counter', name: 'o' },
  { ...here, type: 'quota', name: 'o', bytes: 1000n },
  { ...here, type: 'limit', name: 'o', rate: 1n, unit: 1n },
  { ...here, type: 'connlimit', name: 'o', count: 1 },
  { ...here, type: 'ct helper', name: 'o', helper: 'ftp', layer3: 'ip', protocol: 6 },
  { ...here, type: 'ct timeout', name: 'o', layer3: 'ip', protocol: 6, policy: { 1: 10 } },
  { ...here, type: 'ct expectation', name: 'o', layer3: 'ip', protocol: 6, port: 80, timeout: 1000, size: 1 },
  { ...here, type: 'synproxy', name: 'o', mss: 1460, windowScale: 7 },
]
/** Attributes of a tunnel: its id 1, and where it leads to (NFTA_TUNNEL_KEY_ID, NFTA_TUNNEL_KEY_IP, NFTA_TUNNEL_KEY_IP_DST). */
const TUNNEL = Uint8Array.from([8, 0, 1, 0, 0, 0, 0, 1, 12, 0, 2, 0x80, 8, 0, 2, 0, 10, 0, 0, 1])
const named = (type: ObjectType): Objref => ({ kind: 'objref', type, name: 'o' })

export const objects = [
  group('lookup: sets', vary(lookup, { source: REGISTERS, flags: [['invert']] }), { uses: [set({ name: 's' })] }),
  group('lookup: maps', vary(map, { source: REGISTERS, destination: REGISTERS }), { uses: [set({ name: 'm', data: 'mark' })] }),
  group('lookup: verdict maps', [{ ...map, destination: 0 }], { uses: [set({ name: 'm', data: 'verdict' })] }),
  group('lookup: without flags', [{ kind: 'lookup', set: 's', source: 1 } as Lookup], {
    uses: [set({ name: 's' })],
    told: given => ({ ...given, flags: [] }),
  }),
  group(
    'lookup: sets of the same transaction',
    [
      { ...lookup, setId: 7 },
      { ...lookup, set: '__set%d', setId: 8 },
    ],
    {
      uses: [set({ name: 's', id: 7 }), set({ name: '__set%d', id: 8, flags: ['anonymous', 'constant'] })],
      told: ({ setId, ...given }) => (setId === 7 ? given : { ...given, set: '__set0' }),
    },
  ),
  group('dynset: sets', vary(dynset, { operation: ['update', 'delete'], key: REGISTERS, flags: [['invert']] }), {
    uses: [set({ name: 's', flags: ['dynamic', 'timeout'] })],
  }),
  group(
    'dynset: time-outs',
    [1000, 60_000, 86_400_000].map((timeout): Dynset => ({ ...dynset, timeout })),
    {
      uses: [set({ name: 's', flags: ['dynamic', 'timeout'] })],
    },
  ),
  group('dynset: maps', vary({ ...dynset, set: 'm', data: 2 }, { data: REGISTERS }), {
    uses: [set({ name: 'm', data: 'mark', flags: ['dynamic'] })],
  }),
  group(
    'dynset: each stateful expression',
    STATES.map((expression): Dynset => ({ ...dynset, expression })),
    {
      uses: [set({ name: 's', flags: ['dynamic'] })],
    },
  ),
  group(
    'dynset: several stateful expressions',
    [{ ...dynset, expressions: [counter, STATES[1] as StatefulExpression] } as Dynset],
    { uses: [set({ name: 's', flags: ['dynamic'] })] },
  ),
  group(
    'dynset: of the same transaction, without flags',
    [{ kind: 'dynset', set: 's', setId: 7, operation: 'add', key: 1 } as Dynset],
    {
      uses: [set({ name: 's', id: 7, flags: ['dynamic'] })],
      told: ({ setId, ...given }) => ({ ...given, timeout: 0, flags: [] }),
    },
  ),
  ...OBJECTS.map(object => group(`objref: ${object.type}`, [named(object.type as ObjectType)], { uses: [{ object }] })),
  group('objref: tunnel', [named('tunnel')], {
    place: 'netdev ingress filter',
    uses: [{ object: { family: 'netdev', table: 'e', type: 'tunnel', name: 'o', data: TUNNEL } }],
  }),
  group('objref: secmark', [named('secmark')], {
    uses: [{ object: { ...here, type: 'secmark', name: 'o', context: 'system_u:object_r:t:s0' } }],
    option: 'SECURITY_SELINUX',
  }),
  group('objref: maps', vary<Objref>({ kind: 'objref', source: 1, set: 'm' }, { source: REGISTERS }), {
    uses: [set({ name: 'm', objects: 'counter' })],
  }),
  group('objref: maps of the same transaction', [{ kind: 'objref', source: 1, set: 'm', setId: 9 } as Objref], {
    uses: [set({ name: 'm', id: 9, objects: 'counter' })],
    told: ({ setId, ...given }) => given,
  }),
  group('flow_offload', [{ kind: 'flow_offload', flowtable: 'f' } as FlowOffload], {
    place: 'inet forward filter',
    uses: [{ flowtable: { ...here, name: 'f', devices: ['lo'] } }],
    option: 'NF_FLOW_TABLE_INET',
  }),
]
