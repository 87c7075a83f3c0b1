/** Objects and commands in the shape of libnftables JSON (libnftables-json(5), COMMAND OBJECTS, RULESET ELEMENTS). */
import type { Family } from '../types.js'
import type { ElementStatement, Expression, SetItem } from './expression.js'
import type { Whole } from './number.js'
import type { Limit, Statement, SynproxyFlag } from './statement.js'

export interface Table {
  readonly family: Family
  readonly name: string
  readonly handle?: number | undefined
  readonly flags?: TableFlag | readonly TableFlag[] | undefined
  readonly comment?: string | undefined
}
export type TableFlag = 'dormant' | 'owner' | 'persist'

export interface Chain {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly handle?: number | undefined
  readonly comment?: string | undefined
  /** Of base chains, together with `hook` and `prio`. */
  readonly type?: 'filter' | 'nat' | 'route' | undefined
  readonly hook?: 'ingress' | 'egress' | 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | undefined
  readonly prio?: number | string | undefined
  readonly dev?: string | readonly string[] | undefined
  readonly policy?: 'accept' | 'drop' | undefined
  /** Of `rename`. */
  readonly newname?: string | undefined
}

export interface Rule {
  readonly family: Family
  readonly table: string
  readonly chain: string
  readonly expr: readonly Statement[]
  /** Which rule `replace` and `delete` mean, and before which one `insert` puts it. `add` does not look at it: listings have it. */
  readonly handle?: number | undefined
  /** Place in the chain, from 0, of the rule that it is put behind (`add`) or before (`insert`). */
  readonly index?: number | undefined
  readonly comment?: string | undefined
}

/** A word of nft (`ipv4_addr`), several for concatenations, or an expression whose type it is. */
export type SetType = string | readonly string[] | { readonly typeof: Expression } | Expression

export interface SetCommon {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly handle?: number | undefined
  readonly comment?: string | undefined
  readonly type: SetType
  readonly policy?: 'performance' | 'memory' | undefined
  readonly flags?: SetFlag | readonly SetFlag[] | undefined
  /** Seconds. */
  readonly timeout?: number | undefined
  /** Seconds. */
  readonly 'gc-interval'?: number | undefined
  readonly size?: number | undefined
  readonly 'auto-merge'?: boolean | undefined
  readonly stmt?: readonly ElementStatement[] | undefined
  readonly elem?: Expression | readonly SetItem[] | undefined
}
export type SetFlag = 'constant' | 'interval' | 'timeout' | 'dynamic'
export interface Set extends SetCommon {
  readonly map?: undefined
}
export interface Map extends SetCommon {
  /** What keys are mapped to: a type, `verdict`, or a kind of object (`counter`, `quota`, `limit`, `ct helper`, …). */
  readonly map: SetType
  /** Data are ranges, as where an element has one. nft's JSON does not tell it. */
  readonly interval?: boolean | undefined
}
/** Elements of a set or a map. */
export interface Element {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly elem: Expression | readonly SetItem[]
}

export interface Flowtable {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly handle?: number | undefined
  readonly hook?: 'ingress' | undefined
  readonly prio?: number | string | undefined
  readonly dev?: string | readonly string[] | undefined
  readonly flags?: 'offload' | 'counter' | readonly ('offload' | 'counter')[] | undefined
}

interface Named {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly handle?: number | undefined
  readonly comment?: string | undefined
}
export interface Counter extends Named {
  readonly packets?: Whole | undefined
  readonly bytes?: Whole | undefined
}
export interface QuotaObject extends Named {
  readonly bytes?: Whole | undefined
  readonly used?: Whole | undefined
  readonly inv?: boolean | undefined
}
export interface LimitObject extends Named, Limit {}
export interface CtHelper extends Named {
  readonly type: string
  readonly protocol: 'tcp' | 'udp'
  readonly l3proto?: 'ip' | 'ip6' | 'inet' | undefined
}
export interface CtTimeout extends Named {
  readonly protocol: 'tcp' | 'udp'
  readonly l3proto?: 'ip' | 'ip6' | 'inet' | undefined
  /** Seconds by the state of the connection. Listings have null where all are the defaults. */
  readonly policy?: Readonly<Record<string, number>> | null | undefined
}
export interface CtExpectation extends Named {
  readonly protocol: string
  readonly l3proto?: 'ip' | 'ip6' | 'inet' | undefined
  readonly dport?: number | undefined
  /** Milliseconds. */
  readonly timeout?: number | undefined
  readonly size?: number | undefined
}
export interface Secmark extends Named {
  readonly context: string
}
export interface Synproxy extends Named {
  readonly mss?: number | undefined
  readonly wscale?: number | undefined
  readonly flags?: SynproxyFlag | readonly SynproxyFlag[] | undefined
}
export interface Metainfo {
  readonly version?: string | undefined
  readonly release_name?: string | undefined
  readonly json_schema_version: number
}

/** An object of the ruleset: one of these fields. */
export type RulesetObject =
  | { readonly table: Table }
  | { readonly chain: Chain }
  | { readonly rule: Rule }
  | { readonly set: Set }
  | { readonly map: Map }
  | { readonly element: Element }
  | { readonly flowtable: Flowtable }
  | { readonly counter: Counter }
  | { readonly quota: QuotaObject }
  | { readonly limit: LimitObject }
  | { readonly 'ct helper': CtHelper }
  | { readonly 'ct timeout': CtTimeout }
  | { readonly 'ct expectation': CtExpectation }
  | { readonly secmark: Secmark }
  | { readonly synproxy: Synproxy }

/** Names an object: by its name or by its handle. */
export type ObjectName = {
  readonly family: Family
  readonly table?: string | undefined
  readonly name?: string | undefined
  readonly handle?: number | undefined
}
type Keys<W extends string> = { readonly [K in W]: { readonly [L in K]: ObjectName } }[W]
/** What can be named in `delete`, `destroy` and so on. */
export type ObjectReference =
  | Keys<
      | 'table'
      | 'chain'
      | 'set'
      | 'map'
      | 'flowtable'
      | 'counter'
      | 'quota'
      | 'limit'
      | 'ct helper'
      | 'ct timeout'
      | 'ct expectation'
      | 'secmark'
      | 'synproxy'
    >
  | { readonly rule: { readonly family: Family; readonly table: string; readonly chain: string; readonly handle: number } }
  | { readonly element: Element }

/** What is listed: of one table, of one family, or of all. */
export type ListTarget = Readonly<Record<string, (Partial<ObjectName> & { readonly chain?: string | undefined }) | null>>

export type Command =
  | { readonly add: RulesetObject }
  | { readonly create: RulesetObject }
  | { readonly insert: { readonly rule: Rule } }
  | { readonly replace: { readonly rule: Rule & { readonly handle: number } } }
  | { readonly delete: ObjectReference }
  | { readonly destroy: ObjectReference }
  | { readonly flush: FlushTarget }
  | { readonly list: ListTarget }
  | { readonly reset: ListTarget }
  | { readonly rename: { readonly chain: Chain & { readonly newname: string } } }

/** `ruleset` with null is all of it: a family limits it. */
export type FlushTarget =
  | { readonly ruleset: { readonly family?: Family | undefined } | null }
  | Keys<'table' | 'chain' | 'set' | 'map' | 'meter'>

/** A document: what `nft -j -f` takes and `nft -j list` prints. */
export interface Document {
  readonly nftables: readonly (Command | RulesetObject | { readonly metainfo: Metainfo })[]
}
