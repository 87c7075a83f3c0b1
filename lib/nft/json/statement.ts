/** Statements in the shape of libnftables JSON (libnftables-json(5), STATEMENTS). */
import type { Expression as KernelExpression } from '../expressions/index.js'
import type { Expression, ExthdrExpression, TcpOptionExpression, VerdictExpression } from './expression.js'
import type { Whole } from './number.js'

/** `in` holds where one of several flags is set, and for lists of flags; `!` where none of them is. */
export type Operator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | '!'

export interface MatchStatement {
  readonly match: { readonly op: Operator; readonly left: Expression; readonly right: Expression }
}
/** Without a name: null, or where it starts. With one: the counter of that name, an expression that maps to one. */
export interface CounterStatement {
  readonly counter: { readonly packets?: Whole | undefined; readonly bytes?: Whole | undefined } | null | Expression
}
/** Sets `key` to `value`. */
export interface MangleStatement {
  readonly mangle: { readonly key: Expression; readonly value: Expression }
}

export interface Quota {
  readonly val: Whole
  /** Default `bytes`. */
  readonly val_unit?: 'bytes' | 'kbytes' | 'mbytes' | undefined
  readonly used?: Whole | undefined
  readonly used_unit?: 'bytes' | 'kbytes' | 'mbytes' | undefined
  /** Whether it holds once it is used up, instead of until then. */
  readonly inv?: boolean | undefined
}
export interface QuotaStatement {
  readonly quota: Quota | Expression
}

export interface Limit {
  readonly rate: Whole
  /** Default `packets`. */
  readonly rate_unit?: 'packets' | 'bytes' | 'kbytes' | 'mbytes' | undefined
  readonly per?: 'second' | 'minute' | 'hour' | 'day' | 'week' | undefined
  readonly burst?: number | undefined
  readonly burst_unit?: 'bytes' | 'kbytes' | 'mbytes' | undefined
  /** Whether it holds above the rate, instead of up to it. */
  readonly inv?: boolean | undefined
}
export interface LimitStatement {
  readonly limit: Limit | Expression
}

export interface FwdStatement {
  readonly fwd: {
    readonly dev: Expression
    readonly family?: 'ip' | 'ip6' | undefined
    readonly addr?: Expression | undefined
  }
}
export interface NotrackStatement {
  readonly notrack: null
}
export interface DupStatement {
  readonly dup: { readonly addr: Expression; readonly dev?: Expression | undefined }
}

export type NatFlag = 'random' | 'fully-random' | 'persistent' | 'netmap'
export interface Nat {
  readonly addr?: Expression | undefined
  /** Needed where the table's family is inet. */
  readonly family?: 'ip' | 'ip6' | undefined
  readonly port?: Expression | undefined
  readonly flags?: NatFlag | readonly NatFlag[] | undefined
  /** How a map's data are to be read. */
  readonly type_flags?: 'interval' | 'prefix' | 'concat' | readonly ('interval' | 'prefix' | 'concat')[] | undefined
}
/** Gives connections another source or port. */
export interface PortNat {
  readonly port?: Expression | undefined
  readonly flags?: NatFlag | readonly NatFlag[] | undefined
}
export type NatStatement =
  | { readonly snat: Nat }
  | { readonly dnat: Nat }
  | { readonly masquerade: PortNat | null }
  | { readonly redirect: PortNat | null }

export interface RejectStatement {
  readonly reject: {
    readonly type?: 'tcp reset' | 'icmp' | 'icmpv6' | 'icmpx' | undefined
    readonly expr?: Expression | undefined
  } | null
}

/** Adds to a set, from packets. */
export interface SetStatement {
  readonly set: {
    readonly op: 'add' | 'update' | 'delete'
    readonly elem: Expression
    /** `"@name"` */
    readonly set: string
    readonly stmt?: readonly Statement[] | undefined
  }
}
/** Adds to a map, from packets. */
export interface MapStatement {
  readonly map: {
    readonly op: 'add' | 'update' | 'delete'
    readonly elem: Expression
    readonly data: Expression
    /** `"@name"` */
    readonly map: string
    readonly stmt?: readonly Statement[] | undefined
  }
}

export type LogLevel = 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug' | 'audit'
export type LogFlag = 'tcp sequence' | 'tcp options' | 'ip options' | 'skuid' | 'ether' | 'all'
export interface LogStatement {
  readonly log: {
    readonly prefix?: string | undefined
    readonly group?: number | undefined
    readonly snaplen?: number | undefined
    readonly 'queue-threshold'?: number | undefined
    readonly level?: LogLevel | undefined
    readonly flags?: LogFlag | readonly LogFlag[] | undefined
  } | null
}

export type QueueFlag = 'bypass' | 'fanout'
export interface QueueStatement {
  readonly queue: {
    readonly num?: Expression | undefined
    readonly flags?: QueueFlag | readonly QueueFlag[] | undefined
  } | null
}
export interface VmapStatement {
  readonly vmap: { readonly key: Expression; readonly data: Expression }
}
export interface MeterStatement {
  readonly meter: {
    readonly name: string
    readonly key: Expression
    readonly stmt: Statement
    readonly size?: number | undefined
  }
}
export interface CtHelperStatement {
  readonly 'ct helper': Expression
}
export interface CtTimeoutStatement {
  readonly 'ct timeout': Expression
}
export interface CtExpectationStatement {
  readonly 'ct expectation': Expression
}
/** Holds up to so many connections, with `inv` above. */
export interface CtCountStatement {
  readonly 'ct count': { readonly val: number; readonly inv?: boolean | undefined }
}
export interface SecmarkStatement {
  readonly secmark: Expression
}
export interface FlowStatement {
  readonly flow: { readonly op: 'add'; readonly flowtable: string }
}
export interface TproxyStatement {
  readonly tproxy: {
    readonly family?: 'ip' | 'ip6' | undefined
    readonly addr?: Expression | undefined
    readonly port?: Expression | undefined
  }
}
export type SynproxyFlag = 'timestamp' | 'sack-perm'
export interface SynproxyStatement {
  readonly synproxy:
    | {
        readonly mss?: number | undefined
        readonly wscale?: number | undefined
        readonly flags?: SynproxyFlag | readonly SynproxyFlag[] | undefined
      }
    | null
    | Expression
}
/** When it was last met: milliseconds ago. */
export interface LastStatement {
  readonly last: { readonly used?: number | undefined } | null
}
/** Overwrites an option with NOPs. */
export interface ResetStatement {
  readonly reset: TcpOptionExpression | ExthdrExpression
}
/** An extension of xtables: can be listed, not written. */
export interface XtStatement {
  readonly xt: { readonly type: string; readonly name: string } | null
}

/**
 * The expressions of a rule that nft's language has no words for, as this package's types of them. Not nft's: it stands alone in its rule,
 * and is written back as it is.
 */
export interface BytecodeStatement {
  readonly bytecode: readonly KernelExpression[]
}

/** A statement of a rule. */
export type Statement =
  | VerdictExpression
  | MatchStatement
  | CounterStatement
  | MangleStatement
  | QuotaStatement
  | LimitStatement
  | FwdStatement
  | NotrackStatement
  | DupStatement
  | NatStatement
  | RejectStatement
  | SetStatement
  | MapStatement
  | LogStatement
  | QueueStatement
  | VmapStatement
  | MeterStatement
  | CtHelperStatement
  | CtTimeoutStatement
  | CtExpectationStatement
  | CtCountStatement
  | SecmarkStatement
  | FlowStatement
  | TproxyStatement
  | SynproxyStatement
  | LastStatement
  | ResetStatement
  | XtStatement
  | BytecodeStatement
