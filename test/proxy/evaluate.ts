/**
 * Runs packets through objects of nftables and virtual servers of IPVS as the kernel does, for the words that the proxy uses. Where it chooses at
 * random, all ways are gone.
 */
import type { Element } from '../../lib/nft/index.js'
import type { Expression, Rule, RulesetObject, Statement } from '../../lib/nft/json/index.js'
import type { SetChange } from '../../lib/proxy/nftables/elements.js'
import { cidrOf, contains } from '../../lib/service/index.js'

type Value = string | number
type Fields = Readonly<Record<string, unknown>>

/** A new connection's first packet. */
export interface Packet {
  readonly source: string
  readonly destination: string
  readonly protocol: string
  readonly port: number
  /** What it asked for first. */
  readonly asked: { readonly address: string; readonly port: number }
  readonly translated: boolean
  /** Whether IPVS has chosen its destination. */
  readonly balanced?: boolean
}

/** Chains between these. */
interface Priorities {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** Priorities of IPVS in the hooks that it takes requests in. */
const IPVS = { input: 99, output: -98 } as const

export interface Outcome {
  readonly verdict: 'accept' | 'drop' | 'reject'
  readonly to?: string | undefined
  readonly masquerade: boolean
}

/** Where a chain's run ended: with a verdict, or behind its last rule. */
interface End {
  readonly verdict: 'accept' | 'drop' | 'reject' | 'dnat' | 'masquerade' | 'none'
  readonly to?: readonly Value[] | undefined
}

export class Evaluator {
  readonly #rules = new Map<string, Rule[]>()
  readonly #chains = new Map<string, Fields>()
  readonly #elements = new Map<string, Map<string, Element>>()
  readonly #local: readonly string[]
  /** Endpoints of virtual servers, by address, protocol and port. */
  readonly servers = new Map<string, readonly string[]>()

  constructor(local: readonly string[]) {
    this.#local = local
  }

  add(objects: readonly RulesetObject[]): void {
    for (const object of objects) {
      if ('rule' in object) this.#rules.get(object.rule.chain)?.push(object.rule)
      else if ('chain' in object) {
        if (!this.#chains.has(object.chain.name)) this.#rules.set(object.chain.name, [])
        this.#chains.set(object.chain.name, object.chain as unknown as Fields)
      } else if ('set' in object || 'map' in object)
        this.#elements.set(('set' in object ? object.set : object.map).name, new Map())
    }
  }

  /** A chain, or a set. */
  remove(name: string): void {
    this.#rules.delete(name)
    this.#chains.delete(name)
    this.#elements.delete(name)
  }

  /** As the kernel: what is removed has to be there, what is added must not. */
  change({ set, removed, added }: SetChange): void {
    const elements = this.#elements.get(set)
    if (!elements) throw new Error(`there is no set ${set}`)
    for (const { key } of removed) if (!elements.delete(String(key))) throw new Error(`${key} is not in ${set}`)
    for (const element of added) {
      if (elements.has(String(element.key))) throw new Error(`${element.key} is in ${set} already`)
      elements.set(String(element.key), element)
    }
  }

  /** All that may become of a connection. `none`: nothing was done to it. */
  outcomes(flow: {
    readonly from: string
    readonly protocol: string
    readonly address: string
    readonly port: number
  }): readonly (Outcome | 'none')[] {
    const own = this.#local.includes(flow.from)
    const packet: Packet = {
      source: flow.from,
      destination: flow.address,
      protocol: flow.protocol,
      port: flow.port,
      asked: { address: flow.address, port: flow.port },
      translated: false,
    }
    const first = this.#hook(own ? 'output' : 'prerouting', packet, own ? { to: IPVS.output } : {})
    return first.flatMap(({ end, packet }) => {
      if (end.verdict === 'drop' || end.verdict === 'reject') return [{ verdict: end.verdict, masquerade: false }]
      if (!own) return packet.translated ? this.#through('forward', packet) : this.#arrived(packet, 'input', IPVS.input)
      return packet.translated
        ? this.#through('output', packet, { from: IPVS.output })
        : this.#arrived(packet, 'output', IPVS.output)
    })
  }

  /** Whether a packet that leaves gets the address of the node. */
  masquerades(packet: Packet): boolean {
    return this.#hook('postrouting', packet).some(({ end }) => end.verdict === 'masquerade')
  }

  /** Where IPVS takes what is for one of its virtual servers (ip_vs_core.c): in the hook, behind the chains of lower priority. */
  #arrived(packet: Packet, hook: string, priority: number): readonly (Outcome | 'none')[] {
    return this.#hook(hook, packet, { from: hook === 'input' ? undefined : priority, to: priority }).flatMap(
      ({ end, packet }) => {
        if (end.verdict === 'drop' || end.verdict === 'reject') return [{ verdict: end.verdict, masquerade: false }]
        const endpoints = this.servers.get(`${packet.destination} ${packet.protocol} ${packet.port}`)
        if (!endpoints) return this.#through(hook, packet, { from: priority })
        if (endpoints.length === 0) return [{ verdict: 'reject' as const, masquerade: false }]
        return endpoints.flatMap(endpoint => {
          const [destination = '', port] = endpoint.split(' ')
          const given = { ...packet, destination, port: Number(port), balanced: true }
          // What is for this machine goes on in the same hook; all else leaves through that of what this machine sends (ip_vs_xmit.c).
          return this.#local.includes(destination)
            ? this.#through(hook, given, { from: priority })
            : this.#through('output', given)
        })
      },
    )
  }

  #through(hook: string, packet: Packet, priorities: Priorities = {}): readonly (Outcome | 'none')[] {
    return this.#hook(hook, packet, priorities).flatMap(({ end }): readonly (Outcome | 'none')[] => {
      if (end.verdict === 'drop' || end.verdict === 'reject') return [{ verdict: end.verdict, masquerade: false }]
      if (!packet.translated && !packet.balanced) return ['none']
      return this.#hook('postrouting', packet).map(({ end }) => ({
        verdict: 'accept' as const,
        to: `${packet.destination} ${packet.port}`,
        masquerade: end.verdict === 'masquerade',
      }))
    })
  }

  /** The chains of a hook by their priorities; what is refused goes no further. Destinations are chosen once for a connection, before IPVS. */
  #hook(
    hook: string,
    packet: Packet,
    { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: Priorities = {},
  ): readonly { readonly end: End; readonly packet: Packet }[] {
    const chains = [...this.#chains.values()]
      .filter(chain => chain.hook === hook && Number(chain.prio) > from && Number(chain.prio) < to)
      .filter(chain => chain.type !== 'nat' || hook === 'postrouting' || !packet.balanced)
      .sort((a, b) => Number(a.prio) - Number(b.prio))
    let states: { end: End; packet: Packet }[] = [{ end: { verdict: 'none' }, packet }]
    for (const { name } of chains)
      states = states.flatMap(state => {
        if (state.end.verdict === 'drop' || state.end.verdict === 'reject') return [state]
        return this.#chain(String(name), state.packet).map(end => ({
          end,
          packet: end.to
            ? { ...state.packet, destination: String(end.to[0]), port: Number(end.to[1]), translated: true }
            : state.packet,
        }))
      })
    return states
  }

  #chain(name: string, packet: Packet): readonly End[] {
    const rules = this.#rules.get(name)
    if (!rules) throw new Error(`there is no chain ${name}`)
    let going: readonly End[] = [{ verdict: 'none' }]
    for (const rule of rules) going = going.flatMap(end => (end.verdict === 'none' ? this.#rule(rule.expr, packet) : [end]))
    return going
  }

  #rule(statements: readonly Statement[], packet: Packet): readonly End[] {
    const [statement, ...others] = statements
    if (!statement) return [{ verdict: 'none' }]
    const ends = this.#statement(statement as unknown as Fields, packet)
    return ends === 'broken'
      ? [{ verdict: 'none' }]
      : ends.flatMap(end => (end.verdict === 'none' && others.length > 0 ? this.#rule(others, packet) : [end]))
  }

  #statement(statement: Fields, packet: Packet): readonly End[] | 'broken' {
    const [word = '', body] = Object.entries(statement)[0] ?? []
    const fields = (body ?? {}) as Fields
    switch (word) {
      case 'match':
        return this.#matches(fields, packet) ? [{ verdict: 'none' }] : 'broken'
      case 'vmap':
        return this.#vmap(fields, packet)
      case 'jump':
      case 'goto':
      case 'accept':
      case 'drop':
        return this.#verdict(statement, packet)
      case 'reject':
        if (fields.type === 'tcp reset' && packet.protocol !== 'tcp') return 'broken'
        return [{ verdict: 'reject' }]
      case 'dnat': {
        // To its own address.
        if ('payload' in (fields.addr as object)) return [{ verdict: 'accept' }]
        const to = this.#lookup((fields.addr as { map: Fields }).map, packet)
        return to?.data === undefined ? 'broken' : [{ verdict: 'dnat', to: [to.data].flat() as Value[] }]
      }
      case 'masquerade':
        return [{ verdict: 'masquerade' }]
      case 'set':
        return [{ verdict: 'none' }]
    }
    throw new Error(`${word} is not known here`)
  }

  #verdict(verdict: Fields, packet: Packet): readonly End[] {
    const [word = '', body] = Object.entries(verdict)[0] ?? []
    const target = (body as { target?: string } | null)?.target ?? (verdict as { chain?: string }).chain
    if (word === 'accept' || word === 'drop') return [{ verdict: word }]
    // Nothing stands behind a goto of ours but the end of the chain that led there.
    return this.#chain(String(target), packet)
  }

  #vmap({ key, data }: Fields, packet: Packet): readonly End[] | 'broken' {
    const items =
      typeof data === 'object' && data !== null ? (data as { set: readonly (readonly [Value, Fields])[] }).set : undefined
    if (items) {
      const [word] = Object.keys(key as Fields)
      const chosen = word === 'numgen' ? items : items.filter(([value]) => value === this.#value(key as Expression, packet)[0])
      return chosen.length === 0 ? 'broken' : chosen.flatMap(([, verdict]) => this.#verdict(verdict, packet))
    }
    const found = this.#lookup({ key, data }, packet)
    if (!found) return 'broken'
    const { verdict, chain } = found.data as { verdict: string; chain?: string }
    return this.#verdict(chain === undefined ? { [verdict]: null } : { [verdict]: { target: chain } }, packet)
  }

  #lookup({ key, data }: Fields, packet: Packet): Element | undefined {
    const elements = this.#elements.get(String(data).slice(1))
    if (!elements) throw new Error(`there is no set ${data}`)
    const wanted = this.#value(key as Expression, packet)
    for (const element of elements.values()) {
      const parts = [element.key].flat() as readonly Value[]
      if (parts.length === wanted.length && parts.every((part, i) => holds(part, wanted[i] as Value))) return element
    }
    return undefined
  }

  #matches({ op, left, right }: Fields, packet: Packet): boolean {
    if (typeof right === 'string' && right.startsWith('@')) {
      const found = this.#lookup({ key: left, data: right }, packet) !== undefined
      return found === (op !== '!=')
    }
    const [value] = this.#value(left as Expression, packet)
    return (value === right) === (op !== '!=')
  }

  #value(expression: Expression, packet: Packet): readonly Value[] {
    const [word = '', body] = Object.entries(expression as Fields)[0] ?? []
    const fields = (body ?? {}) as Fields
    if (word === 'concat') return (body as readonly Expression[]).flatMap(part => this.#value(part, packet))
    if (word === 'payload')
      return [fields.field === 'saddr' ? packet.source : fields.field === 'daddr' ? packet.destination : packet.port]
    if (word === 'meta') return [packet.protocol]
    if (word === 'fib') return [this.#local.includes(packet.source) ? 'local' : 'unicast']
    if (word === 'ct') {
      if (fields.key === 'state') return ['new']
      if (fields.key === 'status') return [packet.translated ? 'dnat' : 'none']
      return [fields.key === 'proto-dst' ? packet.asked.port : packet.asked.address]
    }
    throw new Error(`${word} is not known here`)
  }
}

/** Whether a part of a key is a value, or a prefix that it is in. */
function holds(part: Value, value: Value): boolean {
  const cidr = typeof part === 'string' && part.includes('/') ? cidrOf(part) : undefined
  return cidr ? contains(cidr, String(value)) : part === value
}
