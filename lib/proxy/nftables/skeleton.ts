/** Chains and rules of the table: those that are always there, and those that so many endpoints need. As libnftables JSON. */
import type { Expression, RulesetObject, Statement } from '../../nft/json/index.js'
import type { Family } from '../../service/index.js'
import {
  affinitySet,
  chooseChain,
  KEEP,
  masqueradeChain,
  PORTED,
  portedChain,
  portsMap,
  SETS,
  slotChain,
  slotMap,
  stickyChain,
  TABLE,
  tableFamily,
  type View,
} from './layout.js'

/** Of the layout: a table of another one is made anew. */
const LAYOUT = 4
const COMMENT = `ts-ipvs proxy, layout ${LAYOUT}`

/** How many clients are remembered for each slot. */
const MOST_CLIENTS = 1 << 20

/** Writes objects of the table of a family. */
export class Skeleton {
  readonly #family: 'ip' | 'ip6'
  readonly #address: 'ipv4_addr' | 'ipv6_addr'
  readonly #source: Expression
  readonly #destination: Expression
  /** Destination, protocol and port. */
  readonly #service: Expression
  /** The same with the source in front. */
  readonly #client: Expression

  constructor(family: Family) {
    this.#family = tableFamily(family)
    this.#address = family === 'ipv4' ? 'ipv4_addr' : 'ipv6_addr'
    this.#source = { payload: { protocol: this.#family, field: 'saddr' } }
    this.#destination = { payload: { protocol: this.#family, field: 'daddr' } }
    const port: readonly Expression[] = [{ meta: { key: 'l4proto' } }, { payload: { protocol: 'th', field: 'dport' } }]
    this.#service = { concat: [this.#destination, ...port] }
    this.#client = { concat: [this.#source, this.#destination, ...port] }
  }

  /** The table with everything but what depends on Services. */
  base(): readonly RulesetObject[] {
    return [this.table(), ...this.#sets(), ...this.#chains(), ...this.#checks(), ...this.#translations(), ...this.#masquerades()]
  }

  table(): RulesetObject {
    return { table: { family: this.#family, name: TABLE, comment: COMMENT } }
  }

  /** Keeps a text. */
  remembered(comment: string): RulesetObject {
    return { set: { ...this.#of(SETS.remembered), type: 'mark', comment } }
  }

  /** A map for the endpoints of a number, and the chain that translates to them. */
  slot(view: View, slot: number): readonly RulesetObject[] {
    const to: Expression = { map: { key: this.#service, data: `@${slotMap(view, slot)}` } }
    return [
      this.#map(slotMap(view, slot), this.#serviceTypes(), [this.#address, 'inet_service']),
      this.#chain(slotChain(view, slot)),
      this.#rule(slotChain(view, slot), { dnat: { family: this.#family, addr: to } }),
    ]
  }

  /** Remembers clients of the endpoints of a number. */
  affinity(view: View, slot: number): readonly RulesetObject[] {
    const type = [this.#address, ...this.#serviceTypes()]
    return [
      { set: { ...this.#of(affinitySet(view, slot)), type, flags: ['timeout', 'dynamic'], timeout: 10800, size: MOST_CLIENTS } },
    ]
  }

  sticky(view: View, slot: number, seconds: number): readonly RulesetObject[] {
    const chain = stickyChain(view, slot, seconds)
    const elem: Expression = { elem: { val: this.#client, timeout: seconds } }
    return [
      this.#chain(chain),
      // A rule of its own: where the set is full, the connection goes on all the same.
      this.#rule(chain, { set: { op: 'update', elem, set: `@${affinitySet(view, slot)}` } }),
      this.#rule(chain, { goto: { target: slotChain(view, slot) } }),
    ]
  }

  /** Chooses among so many. */
  choose(view: View, count: number, seconds: number | undefined): readonly RulesetObject[] {
    const chain = chooseChain(view, count, seconds)
    const target = (slot: number): string => (seconds === undefined ? slotChain(view, slot) : stickyChain(view, slot, seconds))
    const slots = Array.from({ length: count }, (_, slot) => slot)
    const known = (slot: number): RulesetObject =>
      this.#rule(chain, this.#in(this.#client, affinitySet(view, slot)), { goto: { target: target(slot) } })
    const data: Expression = { set: slots.map(slot => [slot, { goto: { target: target(slot) } }] as const) }
    const any: Statement =
      count === 1
        ? { goto: { target: target(0) } }
        : { vmap: { key: { numgen: { mode: 'random', mod: count, offset: 0 } }, data } }
    return [this.#chain(chain), ...(seconds === undefined ? [] : slots.map(known)), this.#rule(chain, any)]
  }

  /** For an address whose ports are told apart: what is to be done for each. */
  ports(address: string): readonly RulesetObject[] {
    const chain = portedChain(address)
    const asked: Expression = { ct: { key: 'proto-dst', dir: 'original' } }
    return [
      ...PORTED.map(protocol => this.#map(portsMap(address, protocol), ['inet_service'], 'verdict')),
      this.#chain(chain),
      // In a concatenation nft would not read its own listing of the port.
      ...PORTED.map(protocol =>
        this.#rule(chain, this.#is({ meta: { key: 'l4proto' } }, protocol), {
          vmap: { key: asked, data: `@${portsMap(address, protocol)}` },
        }),
      ),
    ]
  }

  #of(name: string): { readonly family: 'ip' | 'ip6'; readonly table: string; readonly name: string } {
    return { family: this.#family, table: TABLE, name }
  }

  #serviceTypes(): readonly string[] {
    return [this.#address, 'inet_proto', 'inet_service']
  }

  #set(name: string, type: readonly string[], ...flags: readonly 'interval'[]): RulesetObject {
    const [first = '', ...others] = type
    return { set: { ...this.#of(name), type: others.length > 0 ? type : first, ...(flags.length > 0 ? { flags } : {}) } }
  }

  #map(name: string, type: readonly string[], map: string | readonly string[]): RulesetObject {
    const [first = '', ...others] = type
    return { map: { ...this.#of(name), type: others.length > 0 ? type : first, map } }
  }

  /** Verdicts for services, each of which counts what it was for: the kernel gives every element its counter by itself. */
  #counted(name: string): RulesetObject {
    const type = this.#serviceTypes()
    return { map: { ...this.#of(name), type, map: 'verdict', stmt: [{ counter: null }] } }
  }

  #chain(
    name: string,
    base: {
      readonly type?: 'filter' | 'nat'
      readonly hook?: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
      readonly prio?: number
    } = {},
  ): RulesetObject {
    return { chain: { ...this.#of(name), ...base, ...(base.type ? { policy: 'accept' as const } : {}) } }
  }

  #rule(chain: string, ...expr: readonly Statement[]): RulesetObject {
    return { rule: { family: this.#family, table: TABLE, chain, expr } }
  }

  #in(left: Expression, set: string, op: '==' | '!=' = '=='): Statement {
    return { match: { op, left, right: `@${set}` } }
  }

  #is(left: Expression, right: Expression): Statement {
    return { match: { op: '==', left, right } }
  }

  #sets(): readonly RulesetObject[] {
    const address = [this.#address]
    const service = this.#serviceTypes()
    return [
      this.#set(SETS.pods, address, 'interval'),
      this.#set(SETS.clusterAddresses, address),
      this.#set(SETS.otherAddresses, address),
      this.#set(SETS.serviceRanges, address, 'interval'),
      this.#set(SETS.guarded, service),
      this.#set(SETS.allowed, [this.#address, ...service], 'interval'),
      this.#set(SETS.hairpin, [this.#address, this.#address]),
      this.#set(SETS.virtualServers, service),
      this.#set(SETS.virtualAddresses, address),
      ...[SETS.denied, SETS.refused.inside, SETS.refused.outside].map(name => this.#counted(name)),
      ...[SETS.services.inside, SETS.services.outside].map(name => this.#map(name, service, 'verdict')),
      this.#map(SETS.masquerade, address, 'verdict'),
    ]
  }

  #chains(): readonly RulesetObject[] {
    const regular = ['refuse', 'check', 'check-inside', 'left-over', 'services', 'services-of-inside', KEEP, 'masquerading']
    return [
      ...regular.map(name => this.#chain(name)),
      // Before translation, where the address of the Service is still to be seen.
      this.#chain('check-prerouting', { type: 'filter', hook: 'prerouting', prio: -110 }),
      this.#chain('check-output', { type: 'filter', hook: 'output', prio: -110 }),
      // Before others (-100), which may translate all that is for this machine: that the addresses of Services are, by the routes to them.
      this.#chain('nat-prerouting', { type: 'nat', hook: 'prerouting', prio: -101 }),
      this.#chain('nat-output', { type: 'nat', hook: 'output', prio: -101 }),
      // Behind IPVS (99, ip_vs_core.c): what that took is not seen here.
      this.#chain('filter-input', { type: 'filter', hook: 'input', prio: 101 }),
      this.#chain('filter-forward', { type: 'filter', hook: 'forward', prio: 0 }),
      this.#chain('filter-output', { type: 'filter', hook: 'output', prio: 0 }),
      this.#chain('nat-postrouting', { type: 'nat', hook: 'postrouting', prio: 100 }),
    ]
  }

  #local(): Statement {
    return this.#is({ fib: { result: 'type', flags: ['saddr'] } }, 'local')
  }

  #isNoPing(): Statement {
    return { match: { op: '!=', left: { meta: { key: 'l4proto' } }, right: this.#family === 'ip' ? 'icmp' : 'ipv6-icmp' } }
  }

  #checks(): readonly RulesetObject[] {
    const state: Statement = { match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } }
    const check: Statement = { jump: { target: 'check' } }
    const leftOver: Statement = { jump: { target: 'left-over' } }
    const inside: Statement = { jump: { target: 'check-inside' } }
    const refused = (name: string): Statement => ({ vmap: { key: this.#service, data: `@${name}` } })
    return [
      this.#rule('refuse', this.#is({ meta: { key: 'l4proto' } }, 'tcp'), { reject: { type: 'tcp reset' } }),
      this.#rule('refuse', { reject: null }),
      this.#rule(
        'check',
        this.#in(this.#service, SETS.guarded),
        this.#in(this.#client, SETS.allowed, '!='),
        refused(SETS.denied),
      ),
      this.#rule('check', this.#in(this.#source, SETS.pods), inside),
      this.#rule('check', this.#local(), inside),
      this.#rule('check', refused(SETS.refused.outside)),
      this.#rule('check-inside', refused(SETS.refused.inside)),
      // What was not translated: with routes that bring it here it would come to programs of this machine.
      this.#rule('left-over', this.#in(this.#destination, SETS.clusterAddresses), { goto: { target: 'refuse' } }),
      // Whether they are reached, operators ask by ping.
      this.#rule('left-over', this.#isNoPing(), this.#in(this.#destination, SETS.otherAddresses), { goto: { target: 'refuse' } }),
      this.#rule('left-over', this.#in(this.#destination, SETS.serviceRanges), { drop: null }),
      this.#rule('check-prerouting', state, check),
      // What IPVS has given to an endpoint leaves through this hook, too: the endpoint's address may be another Service's, which refuses.
      this.#rule('check-output', state, ...this.#balanced(), { accept: null }),
      this.#rule('check-output', state, check),
      ...['filter-input', 'filter-forward', 'filter-output'].map(chain => this.#rule(chain, leftOver)),
    ]
  }

  #translations(): readonly RulesetObject[] {
    const inside: Statement = { jump: { target: 'services-of-inside' } }
    const services = (name: string): Statement => ({ vmap: { key: this.#service, data: `@${name}` } })
    return [
      this.#rule('services', this.#in(this.#source, SETS.pods), inside),
      this.#rule('services', this.#local(), inside),
      this.#rule('services', services(SETS.services.outside)),
      this.#rule('services-of-inside', services(SETS.services.inside)),
      // A connection is translated once (nf_nat_core.c, nf_nat_inet_fn): who is given its own address keeps that.
      this.#rule(KEEP, { dnat: { addr: this.#destination } }),
      this.#rule('services', this.#in(this.#service, SETS.virtualServers), { goto: { target: KEEP } }),
      this.#rule('nat-prerouting', { jump: { target: 'services' } }),
      this.#rule('nat-output', { jump: { target: 'services' } }),
    ]
  }

  /** IPVS leaves no mark in the status (ip_vs_nfct.c): the destination is another one than was asked for. */
  #balanced(): readonly Statement[] {
    return [this.#in(this.#asked(), SETS.virtualAddresses), this.#in(this.#destination, SETS.virtualAddresses, '!=')]
  }

  /** The address that the client asked for. */
  #asked(): Expression {
    return { ct: { key: `${this.#family} daddr`, dir: 'original' } }
  }

  /** By the address that the client asked for: no mark of the packet is used, which others may use. */
  #masquerades(): readonly RulesetObject[] {
    const masquerade: Statement = { masquerade: { flags: ['fully-random'] } }
    const translated: Statement = { match: { op: 'in', left: { ct: { key: 'status' } }, right: 'dnat' } }
    return [
      ...(['always', 'not-pods', 'node'] as const).map(when => this.#chain(masqueradeChain(when))),
      this.#rule(masqueradeChain('always'), masquerade),
      this.#rule(masqueradeChain('not-pods'), this.#in(this.#source, SETS.pods, '!='), masquerade),
      this.#rule(masqueradeChain('node'), this.#local(), masquerade),
      this.#rule('masquerading', this.#in({ concat: [this.#source, this.#destination] }, SETS.hairpin), masquerade),
      this.#rule('masquerading', { vmap: { key: this.#asked(), data: `@${SETS.masquerade}` } }),
      this.#rule('nat-postrouting', translated, { jump: { target: 'masquerading' } }),
      this.#rule('nat-postrouting', ...this.#balanced(), { jump: { target: 'masquerading' } }),
    ]
  }
}
