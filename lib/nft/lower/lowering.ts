/** What becomes of a rule while its statements are lowered one after the other. */
import { BadValue, shown } from '../../netlink/schema.js'
import type { Expression } from '../expressions/index.js'
import type { Element, NftSet } from '../types.js'
import type { Protocol } from '../vocabulary/protocol.js'
import { fieldNamed } from '../vocabulary/protocols.js'
import { knownType } from '../vocabulary/types.js'
import type { Shape } from '../vocabulary/value-type.js'
import type { AnonymousSet, LowerContext } from './context.js'
import { bytesOf, lookup } from './emit.js'
import { checkHook } from './hooks.js'
import { checkMapped, checkName, missing, type NamedKind } from './names.js'
import { type Dependency, Packet } from './packet.js'
import { wrapped } from './place.js'
import { type Comparison, joined, type Step } from './reduce.js'
import type { Place } from './terms.js'

export class Lowering {
  readonly context: LowerContext
  readonly sets: AnonymousSet[] = []
  readonly packet: Packet
  readonly #inner = new Map<Protocol, Packet>()
  readonly #steps: Step[] = []
  #setting = false

  constructor(context: LowerContext) {
    this.context = context
    this.packet = new Packet(context.family)
  }

  /** All expressions, in order. */
  get expressions(): Expression[] {
    return joined(this.#steps)
  }

  /** What is known of the packet within a tunnel. */
  innerOf(tunnel: Protocol): Packet {
    const known = this.#inner.get(tunnel)
    if (known !== undefined) return known
    // With a link layer it is as with bridges.
    const inner = new Packet(tunnel.tunnel?.flags.includes('link') ? 'bridge' : 'netdev', true)
    this.#inner.set(tunnel, inner)
    return inner
  }

  /** Whether what is lowered is what something is set to: then numbers are calculated with in the order of the machine. */
  get setting(): boolean {
    return this.#setting
  }

  whileSetting<T>(task: () => T): T {
    this.#setting = true
    try {
      return task()
    } finally {
      this.#setting = false
    }
  }

  add(...expressions: readonly Expression[]): void {
    for (const expression of expressions) checkHook(expression, this.context)
    this.#steps.push({ kind: 'other', expressions })
  }

  /** A match, that others can be joined with or moved past. */
  match(...expressions: readonly Expression[]): void {
    for (const expression of expressions) checkHook(expression, this.context)
    this.#steps.push({ kind: 'match', expressions })
  }

  /** A match on whole bytes of the packet with a constant. */
  compare(comparison: Comparison): void {
    this.#steps.push({ kind: 'comparison', comparison })
  }

  /** What `task` adds comes before all that there is: nothing is done for packets that it does not hold for. */
  atBeginning(task: () => void): void {
    const before = this.#steps.splice(0)
    task()
    this.#steps.push(...before)
  }

  /** Has matched that the packet is of `protocol`. */
  requireNetwork(protocol: Protocol): void {
    this.packet.requireBase(protocol, dependency => this.#depend(dependency, undefined))
  }

  /** Has matched what a field of `protocol` needs. */
  require(protocol: Protocol, field: string, tunnel?: Protocol): void {
    const packet = tunnel === undefined || protocol.layer === 'inner' ? this.packet : this.innerOf(tunnel)
    packet.require(protocol, field, dependency => this.#depend(dependency, tunnel))
  }

  #depend(dependency: Dependency, tunnel: Protocol | undefined): void {
    // Of messages within tunnels nft looks at the type of the outer one.
    if ('icmp' in dependency) return this.#dependOnType(dependency.icmp, dependency.values)
    if ('meta' in dependency) {
      const { meta: key, value } = dependency
      const shape = META_SHAPES[key]
      const load: Expression = { kind: 'meta', key, destination: 1 }
      this.match(wrapped(load, tunnel), equals(value, shape))
    } else {
      const { protocol, offset, value } = dependency
      const field = fieldNamed(protocol, protocol.next ?? '')
      if (field === undefined) return
      const place: Place = { base: 'link', offset: offset + field.offset, bits: field.bits, field, protocol, tunnel }
      this.compare({ place, operator: 'eq', value, isProtocol: true })
    }
  }

  #dependOnType(protocol: Protocol, values: readonly bigint[]): void {
    const field = fieldNamed(protocol, 'type')
    if (field === undefined) return
    const shape: Shape = { type: field.type, bits: 8, order: 'network' }
    const place: Place = { base: 'transport', offset: 0, bits: 8, field, protocol }
    const [value, another] = values
    if (value !== undefined && another === undefined) return this.compare({ place, operator: 'eq', value, isProtocol: true })
    const elements = values.map(type => ({ key: bytesOf(type, shape, 8) }))
    const set = this.anonymous({ key: knownTypeName(protocol), flags: ['anonymous', 'constant'] }, elements)
    const load: Expression = { kind: 'payload', base: 'transport', offset: 0, length: 1, destination: 1 }
    this.match(load, lookup(set, 1, {}))
  }

  /** A set or a map without a name, for this rule alone. */
  anonymous(
    set: Pick<NftSet, 'key' | 'data' | 'objects' | 'dataInterval' | 'flags' | 'autoMerge' | 'userData'>,
    elements: readonly Element[],
  ): { readonly name: string; readonly id: number } {
    const { family, table } = this.context
    const name = set.objects !== undefined ? '__objmap%d' : set.data !== undefined ? '__map%d' : '__set%d'
    const id = this.context.nextId()
    const named: NftSet = { family, table, name, id, ...set }
    for (const element of elements) checkMapped(element, named, kind => this.context.named?.(kind))
    this.sets.push({ set: named, elements })
    return { name: named.name, id }
  }

  /** A set or a map of the table, by `"@name"`. */
  setNamed(reference: unknown): NftSet {
    if (typeof reference !== 'string' || !reference.startsWith('@'))
      throw new BadValue('type', `${shown(reference)}: give the name of a set of the table, as "@name"`)
    const name = reference.slice(1)
    const set = this.context.setNamed(name)
    if (set !== undefined) return set
    throw missing('set', name, this.context, this.context.named?.('set')?.keys() ?? [])
  }

  /** Throws a `BadValue` where the table is known to have nothing of this kind by this name. */
  requireNamed(kind: NamedKind, name: string): void {
    checkName(kind, name, this.context, this.context.named?.(kind))
  }
}

const knownTypeName = (protocol: Protocol): 'icmp_type' | 'icmpv6_type' =>
  protocol.name === 'icmpv6' ? 'icmpv6_type' : 'icmp_type'

const shape = (type: string, bits: number, order: Shape['order']): Shape => ({ type: knownType(type), bits, order })
const META_SHAPES = {
  nfproto: shape('nf_proto', 8, 'host'),
  l4proto: shape('inet_proto', 8, 'network'),
  protocol: shape('ether_type', 16, 'network'),
  iiftype: shape('iface_type', 16, 'host'),
} as const

const equals = (value: bigint, shape: Shape): Expression => ({
  kind: 'cmp',
  source: 1,
  operator: 'eq',
  data: bytesOf(value, shape, shape.bits),
})
