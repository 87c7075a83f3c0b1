/** Expressions in the shape of libnftables JSON (libnftables-json(5), EXPRESSIONS; nftables 1.1.3, src/json.c and src/parser_json.c). */

import type { Whole } from './number.js'
import type { Limit, Quota } from './statement.js'

/** A constant: a word of its type (`"tcp"`, `"192.0.2.1"`, `"established"`), a number, or true and false. `"@name"` is a set or a map. */
export type Immediate = string | number | bigint | boolean

/** The header of a protocol that `payload` knows, and `th` for what the transport protocols have in common. */
export type PayloadExpression =
  | { readonly payload: { readonly protocol: string; readonly field: string; readonly tunnel?: string | undefined } }
  | {
      readonly payload: {
        /** Where `offset` counts from: link layer, network, transport header, what follows that one. */
        readonly base: 'll' | 'nh' | 'th' | 'ih'
        /** Bits. */
        readonly offset: number
        /** Bits. */
        readonly len: number
        readonly tunnel?: string | undefined
      }
    }

/** An extension header of IPv6. Without `field`: whether it is there. */
export interface ExthdrExpression {
  readonly exthdr: { readonly name: string; readonly field?: string | undefined; readonly offset?: number | undefined }
}

export type TcpOptionExpression = {
  readonly 'tcp option':
    | { readonly name: string; readonly field?: string | undefined }
    | {
        /** Number of the option. */
        readonly base: number
        /** Bits. */
        readonly offset: number
        /** Bits. */
        readonly len: number
      }
}
export interface IpOptionExpression {
  readonly 'ip option': { readonly name: string; readonly field?: string | undefined }
}
export interface SctpChunkExpression {
  readonly 'sctp chunk': { readonly name: string; readonly field?: string | undefined }
}
export interface DccpOptionExpression {
  readonly 'dccp option': { readonly type: number }
}
export interface MetaExpression {
  readonly meta: { readonly key: string }
}
export interface RtExpression {
  readonly rt: { readonly key: 'classid' | 'nexthop' | 'mtu' | 'ipsec'; readonly family?: 'ip' | 'ip6' | undefined }
}
export interface CtExpression {
  readonly ct: {
    readonly key: string
    /** Before nftables 0.9: whose address. Written as a part of `key` now: `ip saddr`. */
    readonly family?: 'ip' | 'ip6' | undefined
    readonly dir?: 'original' | 'reply' | undefined
  }
}
export interface NumgenExpression {
  readonly numgen: { readonly mode: 'inc' | 'random'; readonly mod: number; readonly offset?: number | undefined }
}
export interface JhashExpression {
  readonly jhash: {
    readonly mod: number
    readonly offset?: number | undefined
    readonly expr: Expression
    readonly seed?: number | undefined
  }
}
export interface SymhashExpression {
  readonly symhash: { readonly mod: number; readonly offset?: number | undefined }
}
export type FibFlag = 'saddr' | 'daddr' | 'mark' | 'iif' | 'oif'
export interface FibExpression {
  readonly fib: {
    readonly result: 'oif' | 'oifname' | 'type' | 'check'
    readonly flags: FibFlag | readonly FibFlag[]
  }
}
export interface SocketExpression {
  readonly socket: {
    readonly key: 'transparent' | 'mark' | 'wildcard' | 'cgroupv2'
    /** Of `cgroupv2` only. */
    readonly level?: number | undefined
  }
}
export interface OsfExpression {
  readonly osf: { readonly key: 'name' | 'version'; readonly ttl?: 'loose' | 'skip' | undefined }
}
export interface IpsecExpression {
  readonly ipsec: {
    readonly key: 'saddr' | 'daddr' | 'reqid' | 'spi'
    readonly family?: 'ip' | 'ip6' | undefined
    readonly dir: 'in' | 'out'
    /** 0 to 255. Default 0. */
    readonly spnum?: number | undefined
  }
}
export interface TunnelExpression {
  readonly tunnel: { readonly key: 'path' | 'id' }
}

/** What is read from the packet or from what belongs to it. */
export type Selector =
  | PayloadExpression
  | ExthdrExpression
  | TcpOptionExpression
  | IpOptionExpression
  | SctpChunkExpression
  | DccpOptionExpression
  | MetaExpression
  | RtExpression
  | CtExpression
  | NumgenExpression
  | JhashExpression
  | SymhashExpression
  | FibExpression
  | SocketExpression
  | OsfExpression
  | IpsecExpression
  | TunnelExpression

/** Calculations with bits. `|`, `&` and `^` take two operands or more. */
export type BinaryExpression =
  | { readonly '|': readonly Expression[] }
  | { readonly '^': readonly Expression[] }
  | { readonly '&': readonly Expression[] }
  | { readonly '<<': readonly [Expression, Expression] }
  | { readonly '>>': readonly [Expression, Expression] }

export interface ConcatExpression {
  readonly concat: readonly Expression[]
}
export interface PrefixExpression {
  readonly prefix: { readonly addr: Immediate | Selector; readonly len: number }
}
export interface RangeExpression {
  readonly range: readonly [Immediate, Immediate]
}
/** A set without a name: its elements, or one. For maps each element is a pair of a key and what it is mapped to. */
export interface SetExpression {
  readonly set: Expression | readonly SetItem[]
}
/** Maps `key` to a value. */
export interface MapExpression {
  readonly map: {
    readonly key: Expression
    /** A map without a name, or `"@name"`. */
    readonly data: Expression
  }
}

/** A stateful expression that an element carries. */
export type ElementStatement =
  | { readonly counter: { readonly packets?: Whole | undefined; readonly bytes?: Whole | undefined } | null }
  | { readonly limit: Limit }
  | { readonly quota: Quota }
  | { readonly 'ct count': { readonly val: number; readonly inv?: boolean | undefined } }
  | { readonly last: { readonly used?: number | undefined } | null }

export interface ElementExpression {
  readonly elem: {
    readonly val: Expression
    /** Seconds. */
    readonly timeout?: number | undefined
    /** Seconds. */
    readonly expires?: number | undefined
    readonly comment?: string | undefined
  } & ElementStatements
}
/** One stateful expression stands beside `val`, several in `stmt`. */
export type ElementStatements = {
  readonly counter?: { readonly packets?: Whole | undefined; readonly bytes?: Whole | undefined } | null | undefined
  readonly limit?: Limit | undefined
  readonly quota?: Quota | undefined
  readonly 'ct count'?: { readonly val: number; readonly inv?: boolean | undefined } | undefined
  readonly last?: { readonly used?: number | undefined } | null | undefined
  readonly stmt?: readonly ElementStatement[] | undefined
}

export type VerdictExpression =
  | { readonly accept: null }
  | { readonly drop: null }
  | { readonly continue: null }
  | { readonly return: null }
  | { readonly jump: { readonly target: string } }
  | { readonly goto: { readonly target: string } }

/** An element of a set; of a map: the key, and what it is mapped to. `"*"` is the element for all that no other is for. */
export type SetItem = Expression | readonly [Expression, Expression]

/** An expression. A list of constants is a list of flags, joined: `["established", "related"]`. */
export type Expression =
  | Immediate
  | readonly Expression[]
  | Selector
  | BinaryExpression
  | ConcatExpression
  | PrefixExpression
  | RangeExpression
  | SetExpression
  | MapExpression
  | ElementExpression
  | VerdictExpression
