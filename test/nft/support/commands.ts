/** Commands as they should be, and what becomes of those that are not. */
import { type Command, open } from '../../../lib/nft/index.js'
import { scripted } from '../scripted.js'

export const inTable = { family: 'inet', table: 'web' } as const
export const set = { ...inTable, name: 'blocked', key: ['ipv4_addr', 'inet_service'], flags: ['timeout'] } as const

/** A command of each kind, as it should be. */
export const GOOD: readonly Command[] = [
  {
    add: {
      table: { family: 'inet', name: 'web', flags: ['dormant'], comment: 'c', userData: [{ type: 9, data: new Uint8Array(1) }] },
    },
  },
  {
    add: {
      chain: {
        ...inTable,
        name: 'in',
        type: 'filter',
        hook: 'input',
        priority: 'filter + 10',
        policy: 'drop',
        counters: { packets: 1n, bytes: 2n },
        unknown: [{ type: 77, data: new Uint8Array(4) }],
      },
    },
  },
  { add: { chain: { family: 'netdev', table: 'web', name: 'in', hook: 'ingress', priority: 0, devices: ['lo', 'eth*'] } } },
  {
    add: {
      rule: {
        ...inTable,
        chain: 'in',
        position: 3,
        compat: { protocol: 6, flags: 0 },
        expressions: [
          { kind: 'payload', destination: 1, base: 'network', offset: 12, length: 4 },
          { kind: 'cmp', source: 1, operator: 'eq', data: Uint8Array.of(1, 2, 3, 4) },
          { kind: 'lookup', set: 'blocked', source: 1, flags: ['invert'] },
          { kind: 'immediate', destination: 0, data: { verdict: 'jump', chain: 'other' } },
        ],
      },
    },
  },
  { replace: { rule: { ...inTable, chain: 'in', handle: 5, expressions: [{ kind: 'counter', packets: 1n, bytes: 2n }] } } },
  {
    add: {
      set: {
        ...set,
        data: 'verdict',
        timeout: 5,
        gcInterval: 1,
        size: 9,
        policy: 'memory',
        id: 3,
        expressions: [{ kind: 'counter' }],
      },
    },
  },
  { add: { set: { ...inTable, name: 'm', key: { type: 'integer', length: 2 }, objects: 'counter', autoMerge: true } } },
  { add: { elements: { set, elements: [{ key: ['10.0.0.1', 80], timeout: 5, expires: 4, comment: 'c' }] } } },
  {
    add: {
      elements: {
        set: { ...inTable, name: 'i', key: 'ipv4_addr', flags: ['interval'] },
        elements: [{ key: { from: '10.0.0.1', to: '10.0.0.9' } }, { key: '*' }],
      },
    },
  },
  {
    add: {
      elements: {
        set: { ...inTable, name: 'v', key: 'inet_service', data: 'verdict' },
        elements: [{ key: 80, data: { verdict: 'goto', chain: 'in' } }],
      },
    },
  },
  { add: { object: { ...inTable, name: 'c', type: 'counter', packets: 1n, bytes: 2n, comment: 'c' } } },
  { add: { object: { ...inTable, name: 'q', type: 'quota', bytes: 1000n, flags: ['over'] } } },
  { add: { object: { ...inTable, name: 't', type: 'ct timeout', protocol: 6, layer3: 'ip', policy: { 3: 60 } } } },
  { add: { flowtable: { ...inTable, name: 'f', priority: 0, devices: ['lo'], flags: ['counter'] } } },
  { delete: { table: { family: 'inet', name: 'web' } } },
  { delete: { chain: { ...inTable, handle: 4 } } },
  { delete: { rule: { ...inTable, chain: 'in', handle: 4 } } },
  { delete: { set: { ...inTable, name: 's' } } },
  { delete: { object: { ...inTable, type: 'counter', name: 'c' } } },
  { destroy: { flowtable: { ...inTable, name: 'f' } } },
  { flush: { chain: { ...inTable, name: 'in' } } },
  { flush: { set: { ...inTable, name: 's' } } },
  { flush: { table: { family: 'inet', name: 'web' } } },
  { rename: { chain: { ...inTable, name: 'in', newName: 'out', handle: 4 } } },
]

/** Undefined when it was sent, else what was thrown. */
export async function attempt(command: unknown): Promise<unknown> {
  const kernel = scripted([sent => ({ replies: [sent.ack(1)], counted: 1 })])
  await using nf = await open({ transport: kernel })
  try {
    await nf.commit([command as Command])
    return undefined
  } catch (error) {
    return kernel.sent.length === 0 ? error : new Error('it was sent all the same', { cause: error })
  }
}
