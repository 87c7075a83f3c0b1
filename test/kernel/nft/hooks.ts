/** Where statements may stand: what the language refuses with a sentence is what the kernel refuses, and nothing else. */
import assert from 'node:assert/strict'
import { BadValue } from '../../../lib/netlink/schema.js'
import type { Chain, Family, NftClient } from '../../../lib/nft/index.js'
import type * as json from '../../../lib/nft/json/index.js'
import { type LoweredRule, lowerRule } from '../../../lib/nft/lower/index.js'
import type { Case } from './case.js'

const INET = ['prerouting', 'input', 'forward', 'output', 'postrouting']
const HOOKS: Readonly<Partial<Record<Family, readonly string[]>>> = {
  ip: INET,
  ip6: INET,
  inet: [...INET, 'ingress'],
  bridge: INET,
  netdev: ['ingress', 'egress'],
}

const meta = (key: string): json.Expression => ({ meta: { key } }) as json.Expression
const match = (left: object, right: json.Expression): json.Statement =>
  ({ match: { op: '==', left, right } }) as unknown as json.Statement
const tcp = match(meta('l4proto') as object, 'tcp')

/** By how they are told. Some kernels lack some of them, which are the same for all chains. */
const STATEMENTS: Readonly<Record<string, readonly json.Statement[]>> = {
  masquerade: [{ masquerade: null }],
  redirect: [{ redirect: null }],
  snat: [{ snat: { family: 'ip', addr: '192.0.2.1' } }],
  dnat: [{ dnat: { family: 'ip', addr: '192.0.2.1' } }],
  snat6: [{ snat: { family: 'ip6', addr: '2001:db8::1' } }],
  dnat6: [{ dnat: { family: 'ip6', addr: '2001:db8::1' } }],
  reject: [{ reject: null }],
  reset: [tcp, { reject: { type: 'tcp reset' } }],
  tproxy: [tcp, { tproxy: { port: 80 } }],
  synproxy: [tcp, { synproxy: { mss: 1460 } }],
  queue: [{ queue: null }],
  notrack: [{ notrack: null }],
  'fib type': [match({ fib: { result: 'type', flags: ['daddr'] } }, 'local')],
  'fib type iif': [match({ fib: { result: 'type', flags: ['daddr', 'iif'] } }, 'local')],
  'fib type oif': [match({ fib: { result: 'type', flags: ['daddr', 'oif'] } }, 'local')],
  'fib oif': [match({ fib: { result: 'oif', flags: ['saddr'] } }, 'lo')],
  'rt mtu': [match({ rt: { key: 'mtu' } }, 1500)],
  'rt classid': [match({ rt: { key: 'classid' } }, 1)],
  socket: [match({ socket: { key: 'transparent' } }, 1)],
  osf: [match({ osf: { key: 'name' } }, 'Linux')],
  'ipsec in': [match({ ipsec: { key: 'reqid', dir: 'in' } }, 1)],
  'ipsec out': [match({ ipsec: { key: 'reqid', dir: 'out' } }, 1)],
  'pkttype set': [{ mangle: { key: { meta: { key: 'pkttype' } }, value: 'host' } } as json.Statement],
  'ct state': [match({ ct: { key: 'state' } }, 'new')],
  'ct mark set': [{ mangle: { key: { ct: { key: 'mark' } }, value: 1 } }],
  'mark set': [{ mangle: { key: { meta: { key: 'mark' } }, value: 1 } }],
  'dup to': [{ dup: { addr: '192.0.2.1' } }],
  'fwd to': [{ fwd: { dev: 'lo' } }],
  log: [{ log: null }],
  limit: [{ limit: { rate: 1, per: 'second' } }],
}

const TABLE = 'hooks'

function chainsOf(family: Family): Chain[] {
  const hooks = HOOKS[family] ?? []
  const device = family === 'netdev' ? { devices: ['lo'] } : {}
  const chain = (type: 'filter' | 'nat', hook: string): Chain => {
    const on = hook === 'ingress' ? { devices: ['lo'] } : device
    return { family, table: TABLE, name: `${type}-${hook}`, type, hook, priority: 0, ...on } as Chain
  }
  const translating = family === 'bridge' || family === 'netdev' ? [] : INET.filter(hook => hook !== 'forward')
  return [...hooks.map(hook => chain('filter', hook)), ...translating.map(hook => chain('nat', hook))]
}

const lower = (statements: readonly json.Statement[], family: Family, chain: Pick<Chain, 'type' | 'hook'>): LoweredRule => {
  const devices = { indexOf: () => 1, nameOf: () => 'lo' }
  return lowerRule(statements, {
    family,
    table: TABLE,
    chain: chain as object,
    setNamed: () => undefined,
    nextId: () => 1,
    devices,
  })
}

/** Undefined where the family has no such statement at all. */
function lowered(
  statements: readonly json.Statement[],
  family: Family,
  chain: Pick<Chain, 'type' | 'hook'>,
): LoweredRule | undefined {
  try {
    return lower(statements, family, chain)
  } catch (error) {
    if (error instanceof BadValue) return undefined
    throw error
  }
}

async function takes(nf: NftClient, chain: Chain, { expressions }: LoweredRule): Promise<boolean> {
  const { family, table, name } = chain
  return nf.commit([{ add: { rule: { family, table, chain: name, expressions } } }]).then(
    () => true,
    () => false,
  )
}

/** Where the kernel takes a statement in no chain of the family, it may just lack it. Kernels differ in where devices have `fib`. */
async function differences(nf: NftClient, family: Family): Promise<string[]> {
  const chains = chainsOf(family)
  await nf.commit([{ add: { table: { family, name: TABLE } } }, ...chains.map(chain => ({ add: { chain } }))])
  const found: string[] = []
  for (const [name, statements] of Object.entries(STATEMENTS)) {
    const raw = lowered(statements, family, {})
    if (raw === undefined) continue
    const taken = new Set<Chain>()
    for (const chain of chains) if (await takes(nf, chain, raw)) taken.add(chain)
    if (taken.size === 0) continue
    for (const chain of chains) {
      const allowed = lowered(statements, family, chain) !== undefined
      if (allowed && family === 'netdev' && name.startsWith('fib')) continue
      if (allowed !== taken.has(chain))
        found.push(`${name} in ${family} ${chain.name}: the kernel ${taken.has(chain) ? 'takes' : 'refuses'} it`)
    }
  }
  return found
}

export const cases: readonly Case[] = (Object.keys(HOOKS) as Family[]).map(family => ({
  name: `what statements the kernel takes at which hooks of ${family}, the language knows`,
  needs: 'linux',
  run: async ({ open }) => {
    const nf = await open()
    assert.deepEqual(await differences(nf, family), [])
  },
}))
