/** Statements by nft's words (nft(8), STATEMENTS). */
import type {
  ElementStatement,
  Expression,
  Immediate,
  Limit,
  LogStatement,
  Nat,
  NatFlag,
  QueueFlag,
  Quota,
  Statement,
  SynproxyFlag,
  VerdictExpression,
} from '../json/index.js'
import type { Family } from '../types.js'
import { type Place, type Placed, placed } from './place.js'
import { constant, type KeyTypes, type MapReference, type SetReference, type Typed } from './selector.js'
import type { Bounds, ConstantsByType, ElementOf } from './values.js'

type PlacedVerdict<V> = V & Placed

export const accept: PlacedVerdict<{ readonly accept: null }> = { accept: null }
export const drop: PlacedVerdict<{ readonly drop: null }> = { drop: null }
/** On with the rule behind the one that jumped here; in a base chain its policy. */
export const return_: PlacedVerdict<{ readonly return: null }> = { return: null }
export const continue_: PlacedVerdict<{ readonly continue: null }> = { continue: null }

type Target = string | { readonly chain: { readonly name: string } }
const nameOf = (target: Target): string => (typeof target === 'string' ? target : target.chain.name)

/** On in another chain, and back behind this rule. */
export const jump = (chain: Target): PlacedVerdict<VerdictExpression> => ({ jump: { target: nameOf(chain) } })
/** On in another chain, without coming back here. */
export const goto = (chain: Target): PlacedVerdict<VerdictExpression> => ({ goto: { target: nameOf(chain) } })

/** Counts packets and bytes: on its own, or in the counter of that name. */
export const counter = (name?: string): Placed => ({ counter: name ?? null })

const UNITS = { packets: 'packets', bytes: 'bytes', kbytes: 'kbytes', mbytes: 'mbytes' } as const
type Rate = `${number}${'' | ` ${keyof typeof UNITS}`}/${'second' | 'minute' | 'hour' | 'day' | 'week'}`

/** Holds up to a rate: `limit('10/second')`, `limit('1 mbytes/second', { burst: 2, over: true })`. */
export function limit(
  rate: Rate,
  options: { readonly burst?: number | undefined; readonly over?: boolean | undefined } = {},
): Placed {
  const parts = /^(\d+)(?: (\w+))?\/(\w+)$/.exec(rate)
  if (!parts) throw new TypeError(`rate: ${JSON.stringify(rate)}: give how much per what: 10/second, 1 mbytes/minute`)
  const [, amount, unit = 'packets', per] = parts
  const { burst, over } = options
  const burstUnit = unit === 'packets' || burst === undefined ? {} : { burst_unit: 'bytes' as const }
  return {
    limit: {
      rate: Number(amount),
      per: per as Limit['per'],
      ...(unit === 'packets' ? {} : { rate_unit: unit as Limit['rate_unit'] }),
      ...(burst === undefined ? {} : { burst, ...burstUnit }),
      ...(over ? { inv: true } : {}),
    },
  }
}

/** Holds until so many bytes have passed, with `over` from then on. */
export const quota = (
  bytes: number,
  { over, used }: { readonly over?: boolean | undefined; readonly used?: number | undefined } = {},
): Placed => {
  const value: Quota = { val: bytes, ...(used === undefined ? {} : { used }), ...(over ? { inv: true } : {}) }
  return { quota: value }
}

/** An address to translate to: one, a prefix, a range, or what an expression gives. */
type Address<F extends Family> = string | Bounds<string> | Typed<'ipv4_addr' | 'ipv6_addr', F>
type Port<F extends Family> = number | Bounds<number> | Typed<'inet_service', F>

export interface NatTarget<F extends Family = Family> {
  readonly address?: Address<F> | undefined
  readonly port?: Port<F> | undefined
  /** Of the address. Needed in tables of `inet` where it can not be seen from the address. */
  readonly family?: 'ip' | 'ip6' | undefined
  readonly flags?: readonly NatFlag[] | undefined
}

type NatFamily = 'ip' | 'ip6' | 'inet'
type Destination = 'nat prerouting' | 'nat output' | 'regular'
type Source = 'nat postrouting' | 'nat input' | 'regular'

const jsonOf = (value: unknown): Expression =>
  typeof value === 'object' && value !== null && 'json' in value ? (value as Typed<KeyTypes>).json : constant(value)

function natOf<F extends Family>({ address, port, family, flags }: NatTarget<F>): Nat {
  const first = typeof address === 'object' && 'from' in address ? address.from : address
  const seen = typeof first === 'string' ? (first.includes(':') ? 'ip6' : 'ip') : undefined
  const told = family ?? seen
  return {
    ...(told === undefined ? {} : { family: told }),
    ...(address === undefined ? {} : { addr: jsonOf(address) }),
    ...(port === undefined ? {} : { port: jsonOf(port) }),
    ...(flags?.length ? { flags } : {}),
  }
}

/** Gives new connections another destination. */
export const dnat = <F extends Family = Family>(to: NatTarget<F>): Placed<NatFamily & F, Destination> =>
  placed({ dnat: natOf(to) })
/** Gives new connections another source. */
export const snat = <F extends Family = Family>(to: NatTarget<F>): Placed<NatFamily & F, Source> => placed({ snat: natOf(to) })

type PortTarget<F extends Family> = Pick<NatTarget<F>, 'port' | 'flags'>

function ports(word: 'masquerade' | 'redirect', { port, flags }: PortTarget<never>): Statement {
  const body = natOf({ port, flags })
  return { [word]: Object.keys(body).length > 0 ? body : null } as unknown as Statement
}

/** Gives new connections the address of the interface that they leave by. */
export const masquerade = <F extends Family = Family>(
  options: PortTarget<F> = {},
): Placed<NatFamily & F, 'nat postrouting' | 'regular'> => placed(ports('masquerade', options))
/** Sends new connections to this machine. */
export const redirect = <F extends Family = Family>(options: PortTarget<F> = {}): Placed<NatFamily & F, Destination> =>
  placed(ports('redirect', options))

type RejectPlace = 'filter prerouting' | 'filter input' | 'filter forward' | 'filter output' | 'filter ingress' | 'regular'
type RejectFamily = Exclude<Family, 'arp'>

/** Refuses with an answer: an ICMP error of the packet's family unless it says otherwise. */
export const reject: {
  (): Placed<RejectFamily, RejectPlace>
  (type: 'tcp reset'): Placed<RejectFamily, RejectPlace>
  (type: 'icmp', code: ConstantsByType['icmp_code']): Placed<Exclude<RejectFamily, 'ip6'>, RejectPlace>
  (type: 'icmpv6', code: ConstantsByType['icmpv6_code']): Placed<Exclude<RejectFamily, 'ip'>, RejectPlace>
  (type: 'icmpx', code: ConstantsByType['icmpx_code']): Placed<'inet' | 'bridge' | 'netdev', RejectPlace>
} = (type?: 'tcp reset' | 'icmp' | 'icmpv6' | 'icmpx', code?: Immediate) =>
  placed<never, never>({ reject: type === undefined ? null : { type, ...(code === undefined ? {} : { expr: code }) } }) as never

/** Writes a line to the kernel's log, or tells the listeners of a `group`. */
export const log = (options: NonNullable<LogStatement['log']> = {}): Placed =>
  placed({ log: Object.keys(options).length > 0 ? options : null })

/** Gives the packet to a program: number 0 to 65535, a range of them, or what an expression gives. */
export const queue = (
  num: number | Bounds<number> | Typed<'integer'>,
  flags: readonly QueueFlag[] = [],
): Placed<Exclude<Family, 'arp' | 'netdev'>> => placed({ queue: { num: jsonOf(num), ...(flags.length > 0 ? { flags } : {}) } })

/** Leaves the packet out of connection tracking. */
export const notrack: Placed<Exclude<Family, 'arp'>, 'filter prerouting' | 'filter output' | 'regular'> = placed({
  notrack: null,
})

/** Gives the packet to a local socket as it is. */
export const tproxy = (to: {
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly family?: 'ip' | 'ip6' | undefined
}): Placed<NatFamily, 'filter prerouting' | 'regular'> => {
  const { addr, port, family } = natOf(to)
  return placed({
    tproxy: { ...(family ? { family } : {}), ...(addr === undefined ? {} : { addr }), ...(port === undefined ? {} : { port }) },
  })
}

/** Answers the handshake of TCP itself, and lets connections through that complete it. */
export const synproxy = (options: {
  readonly mss?: number | undefined
  readonly wscale?: number | undefined
  readonly flags?: readonly SynproxyFlag[] | undefined
}): Placed<NatFamily, 'filter input' | 'filter forward' | 'regular'> => placed({ synproxy: options })

/** Sends the packet out of another interface. */
export const fwd = (device: string): Placed<'netdev', 'filter ingress' | 'filter egress' | 'regular'> =>
  placed({ fwd: { dev: device } })

/** Sends a copy to another address, or out of another interface. */
export const dup = (to: { readonly address: string; readonly device?: string | undefined }): Placed<'ip' | 'ip6' | 'inet'> =>
  placed({ dup: { addr: to.address, ...(to.device === undefined ? {} : { dev: to.device }) } })

type Change<K extends KeyTypes, F extends Family> = {
  readonly key: Typed<K, F>
  /** Seconds. */
  readonly timeout?: number | undefined
  /** What each element gets that is added. */
  readonly statements?: readonly ElementStatement[] | undefined
}

const changing =
  (op: 'add' | 'update' | 'delete') =>
  <K extends KeyTypes, F extends Family>(set: SetReference<K>, { key, timeout, statements }: Change<NoInfer<K>, F>): Placed<F> =>
    placed({
      set: {
        op,
        elem: timeout === undefined ? key.json : { elem: { val: key.json, timeout } },
        set: `@${set.name}`,
        ...(statements ? { stmt: statements as readonly Statement[] } : {}),
      },
    })

/** Changes a set from the packet. */
export const elements = { add: changing('add'), update: changing('update'), delete: changing('delete') } as const

/** Adds to a map from the packet. */
export const mapElements = <K extends KeyTypes, D extends KeyTypes, F extends Family>(
  op: 'add' | 'update' | 'delete',
  map: MapReference<K, D>,
  { key, data }: { readonly key: Typed<NoInfer<K>, F>; readonly data: Typed<NoInfer<D>, F> | ElementOf<NoInfer<D>> },
): Placed<F> => placed({ map: { op, elem: key.json, data: jsonOf(data), map: `@${map.name}` } })

/** Up to so many connections; with `over` above. */
export const connections = (count: number, { over }: { readonly over?: boolean | undefined } = {}): Placed =>
  placed({ 'ct count': { val: count, ...(over ? { inv: true } : {}) } })

/** Forwards the connection's packets past the rules from now on. */
export const flow = (flowtable: string): Placed<NatFamily, 'filter forward' | 'regular'> =>
  placed({ flow: { op: 'add', flowtable: `@${flowtable}` } })

/** Any statement of libnftables JSON. */
export const statement = <P extends Place = Place>(json: Statement): Placed<Family, P> => placed(json)
