/** The objects of nftables as plain data. What is read can be written again. */
import type { UnknownAttribute } from '../netlink/schema.js'
import type { Verdict } from './data.js'
import type { DataTypeName } from './data-types.js'
import type { Expression, StatefulExpression } from './expressions/index.js'
import type { ObjectKey, ObjectType, StatefulObject } from './stateful.js'
import type { UserDatum } from './user-data.js'

export type * from './stateful.js'
export type { DataTypeName }

/** A table's family: which packets its chains see (nft(8), ADDRESS FAMILIES). */
export type Family = 'inet' | 'ip' | 'ip6' | 'arp' | 'bridge' | 'netdev'

/** An attribute that is not known here. */
export interface Unknown extends UnknownAttribute {
  /** Which of the object's nests it stands in. Default: none. */
  readonly within?: 'hook' | 'data' | 'description' | undefined
}

/** What every object may carry besides its own fields. */
export interface Kept {
  /** User data other than the comment, as others wrote it. */
  readonly userData?: readonly UserDatum[] | undefined
  /** Attributes that are not known here, written back as they are. */
  readonly unknown?: readonly Unknown[] | undefined
}

/** What the kernel tells of an object and ignores when it is written. */
export interface Told {
  /** Number of the object within its table, never used twice. */
  readonly handle?: number | undefined
  /** What holds it: rules that jump here, rules and elements that use it. For a table its chains, sets, objects and flowtables. */
  readonly use?: number | undefined
}

/** Names a table. */
export interface TableKey {
  readonly family: Family
  readonly name: string
}

export interface Table extends TableKey, Kept, Told {
  /**
   * `dormant`: none of its chains is hooked. `owner` (Linux 5.12): only the client that adds it may change it, and it goes when that client
   * closes. `persist` (Linux 6.9), together with `owner`: it stays then, and another may take it over.
   */
  readonly flags?: readonly ('dormant' | 'owner' | 'persist' | number)[] | undefined
  /** At most 127 bytes of UTF-8. */
  readonly comment?: string | undefined
  /** Netlink port of the owner. Told, not written. */
  readonly owner?: number | undefined
}

/** Names a chain. */
export interface ChainKey {
  readonly family: Family
  readonly table: string
  readonly name: string
}

export type ChainType = 'filter' | 'nat' | 'route'

export type Hook = 'ingress' | 'egress' | 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'

/** Names of priorities; what number each means depends on the family (nft(8), CHAINS). */
export type PriorityName = 'raw' | 'mangle' | 'dstnat' | 'filter' | 'security' | 'srcnat' | 'out'

/** -2^31 to 2^31 - 1; lower ones come first. Or a name, with an offset: `filter + 10`. */
export type Priority = number | PriorityName | `${PriorityName} ${'+' | '-'} ${number}`

/** A chain without a hook: others jump to it. */
export interface RegularChain extends ChainKey, Kept, Told {
  readonly type?: undefined
  readonly hook?: undefined
  /** At most 127 bytes of UTF-8. */
  readonly comment?: string | undefined
  /**
   * `binding` (Linux 5.9): it belongs to the rule that jumps to it, and has no name but an `id`: `jump { … }`.
   * `hardware-offload`: on base chains of netdev.
   */
  readonly flags?: readonly ('hardware-offload' | 'binding' | number)[] | undefined
  /** Names the chain within a transaction: for `chainId` of verdicts and rules. */
  readonly id?: number | undefined
}

/** A chain that packets come to. Type, hook and priority can not be changed, the policy can. */
export interface BaseChain extends Omit<RegularChain, 'type' | 'hook'> {
  /** `nat` and `route` exist for ip, ip6 and inet only. Default `filter`. */
  readonly type?: ChainType | undefined
  readonly hook: Hook
  /** Default 0 (`filter`). Never below -200 for `nat`. */
  readonly priority?: Priority | undefined
  /** What becomes of packets that come to its end. Default `accept`. */
  readonly policy?: 'accept' | 'drop' | undefined
  /**
   * Names of interfaces: needed by `egress` and by all chains of netdev and by `ingress` of inet. Empty is allowed where Linux 6.5 or newer
   * is. A name that ends in `*` stands for all that begin so, from Linux 6.16 on.
   */
  readonly devices?: readonly string[] | undefined
  /** Packets and bytes that the policy met; written when the chain is added. */
  readonly counters?: { readonly packets?: bigint | undefined; readonly bytes?: bigint | undefined } | undefined
}

export type Chain = RegularChain | BaseChain

/** Names a rule: rules have no other name than the kernel's number. */
export interface RuleKey {
  readonly family: Family
  readonly table: string
  readonly chain: string
  readonly handle: number
}

export interface Rule extends Kept {
  readonly family: Family
  readonly table: string
  readonly chain: string
  /** Told, and which one `replace` and `delete` mean. */
  readonly handle?: number | undefined
  readonly expressions: readonly Expression[]
  /** At most 127 bytes of UTF-8. */
  readonly comment?: string | undefined
  /** Handle of a rule of the same chain: `add` puts the new one behind it, `insert` before it. Default: at the end, at the beginning. */
  readonly position?: number | undefined
  /** The same by the `id` of a rule that this transaction adds. */
  readonly positionId?: number | undefined
  /** Names the rule within a transaction. */
  readonly id?: number | undefined
  /** Instead of `chain`: the `id` of a chain that this transaction adds. */
  readonly chainId?: number | undefined
  /** For expressions of xtables: protocol, and flags. */
  readonly compat?: { readonly protocol?: number | undefined; readonly flags?: number | undefined } | undefined
  /** Handle of the rule before it. Told in listings. */
  readonly after?: number | undefined
}

/** Names a set or a map. */
export interface SetKey {
  readonly family: Family
  readonly table: string
  readonly name: string
}

/**
 * A type of values: one of nft's words (nft(8), DATA TYPES). Or with the number of bytes, for those that have none of their own and for types
 * that have no word here: `{ type: 'integer', length: 2, order: 'network' }`. `order` is that of the bytes of `integer` and `bitmask`; where
 * it is not known, as in concatenations of others that nft wrote with `typeof`, their values are bytes.
 */
export type DataType =
  | DataTypeName
  | {
      readonly type: DataTypeName | number
      /** 1 to 64 bytes. */
      readonly length: number
      readonly order?: 'host' | 'network' | undefined
    }

/** Several types one after the other: a concatenation. */
export type DataTypes = DataType | readonly DataType[]

export type SetFlag = 'anonymous' | 'constant' | 'interval' | 'timeout' | 'dynamic'

/** A set; with `data` or `objects` a map. */
export interface NftSet extends SetKey, Kept, Told {
  /** Type of its keys. */
  readonly key: DataTypes
  /** Type of what keys are mapped to: `verdict` for a verdict map. */
  readonly data?: DataTypes | 'verdict' | undefined
  /** Data are ranges (nft's `interval` before their type): what NAT chooses from. */
  readonly dataInterval?: boolean | undefined
  /** A map to stateful objects of this type. */
  readonly objects?: ObjectType | number | undefined
  /** `interval` is needed for ranges and prefixes, `timeout` for time-outs, `dynamic` for what `dynset` adds. */
  readonly flags?: readonly (SetFlag | number)[] | undefined
  /** Seconds that elements stay unless they say otherwise. To the millisecond. */
  readonly timeout?: number | undefined
  /** Seconds between two collections of timed-out elements. To the millisecond. */
  readonly gcInterval?: number | undefined
  /** How many elements it can take at most. Default: no limit. */
  readonly size?: number | undefined
  /** What the kernel chooses the data structure by. Default `performance`. */
  readonly policy?: 'performance' | 'memory' | undefined
  /** nft merges adjoining intervals on its own; the kernel does not look at it. Kept in the user data. */
  readonly autoMerge?: boolean | undefined
  /** Every element gets its own copies of these. Several: Linux 5.11. */
  readonly expressions?: readonly StatefulExpression[] | undefined
  /** At most 127 bytes of UTF-8. */
  readonly comment?: string | undefined
  /**
   * Names the set within a transaction: for `setId` of lookup and dynset, and its elements. 0 to 4294967294. Needed for anonymous sets, whose
   * name is a pattern: `__set%d`.
   */
  readonly id?: number | undefined
  /** More than five types, which nft can not list: written only with true. Told of sets that have as many. */
  readonly unlistable?: boolean | undefined
  /** Name of the kernel's data structure (Linux 6.16), elements (Linux 6.16). Told. */
  readonly backend?: string | undefined
  readonly count?: number | undefined
}

/** A value by its type: addresses, names as text; numbers; or bytes in the order of the wire, of exactly its length. */
export type Scalar = string | number | bigint | boolean | Uint8Array

/** A value, or from one to another (both included). A prefix is text: `10.0.0.0/8`. */
export type Interval = Scalar | { readonly from: Scalar; readonly to: Scalar }

/** What identifies an element: a list for concatenations. `*` is the element for all that no other is for (Linux 5.13). */
export type ElementKey = Interval | readonly Interval[]

export interface Element extends Kept {
  readonly key: ElementKey
  /** What the key is mapped to: a value, a list for concatenations, or a verdict. */
  readonly data?: Interval | readonly Interval[] | Verdict | undefined
  /** Name of the stateful object that the key is mapped to. */
  readonly object?: string | undefined
  /** Seconds, to the millisecond. 0: never, from Linux 6.11 on. */
  readonly timeout?: number | undefined
  /** Seconds until it goes. Given, it says how much of the time-out is left. */
  readonly expires?: number | undefined
  /** At most 127 bytes of UTF-8. */
  readonly comment?: string | undefined
  readonly expressions?: readonly StatefulExpression[] | undefined
  /** Bits of NFTA_SET_ELEM_FLAGS that have no field here. */
  readonly flags?: number | undefined
}

/**
 * Elements of a set. `set` has the fields that say how they are written: one that was added or read will do. The kernel can not tell that
 * they are other ones: without the flag `interval`, what is added to a set of intervals begins one that goes up to the last key.
 */
export interface Elements {
  readonly set: Pick<NftSet, 'family' | 'table' | 'name' | 'key' | 'data' | 'dataInterval' | 'objects' | 'flags' | 'id'>
  readonly elements: readonly Element[]
}

/** Names a flowtable. */
export interface FlowtableKey {
  readonly family: Family
  readonly table: string
  readonly name: string
}

/** Forwards known connections past the rules. */
export interface Flowtable extends FlowtableKey, Kept, Told {
  /** Only `ingress`, which is the default. */
  readonly hook?: 'ingress' | number | undefined
  /** Default 0 (`filter`). */
  readonly priority?: Priority | undefined
  /**
   * Names of interfaces. Adding a flowtable that is there adds those that it has not. A name that ends in `*` stands for all that begin so,
   * from Linux 6.17 on.
   */
  readonly devices?: readonly string[] | undefined
  /** `counter`: connections are counted (Linux 5.7). */
  readonly flags?: readonly ('hardware-offload' | 'counter' | number)[] | undefined
}

/** Any object: one of these fields. */
export type NftObject =
  | { readonly table: Table }
  | { readonly chain: Chain }
  | { readonly rule: Rule }
  | { readonly set: NftSet }
  | { readonly elements: Elements }
  | { readonly object: StatefulObject }
  | { readonly flowtable: Flowtable }

type Handle = { readonly handle: number }

/** Which object: by its name, or by its number within the table. */
export type NftKey =
  | { readonly table: TableKey | ({ readonly family: Family; readonly name?: undefined } & Handle) }
  | { readonly chain: ChainKey | ({ readonly family: Family; readonly table: string; readonly name?: undefined } & Handle) }
  | { readonly rule: RuleKey }
  | { readonly set: SetKey | ({ readonly family: Family; readonly table: string; readonly name?: undefined } & Handle) }
  | { readonly elements: Elements }
  | {
      readonly object:
        | ObjectKey
        | ({
            readonly family: Family
            readonly table: string
            readonly type: ObjectType | number
            readonly name?: undefined
          } & Handle)
    }
  | {
      /** With `onlyDevices` only these are taken from it. */
      readonly flowtable: (
        | FlowtableKey
        | ({ readonly family: Family; readonly table: string; readonly name?: undefined } & Handle)
      ) & { readonly onlyDevices?: readonly string[] | undefined }
    }

/** The keys of one kind: `KeyOf<'chain'>`. */
export type KeyOf<W extends string> = Extract<NftKey, { readonly [K in W]: unknown }>[W]

/**
 * One step of a transaction.
 *
 * - `add`: makes it, or leaves what is there; `create` fails when it is there (EEXIST). A rule is put behind the others
 * - `insert`: a rule before the others
 * - `replace`: a rule, named by its handle
 * - `delete`: fails when it is not there (ENOENT); `destroy` does not (Linux 6.3)
 * - `flush`: removes the rules of a chain, the rules of all chains of a table, the elements of a set
 * - `rename`: a chain; without its handle the client looks it up. One that the same transaction adds can not be renamed
 */
export type Command =
  | { readonly add: NftObject }
  | { readonly create: NftObject }
  | { readonly insert: { readonly rule: Rule } }
  | { readonly replace: { readonly rule: Rule & Handle } }
  | { readonly delete: NftKey }
  | { readonly destroy: NftKey }
  | { readonly flush: { readonly table: TableKey } | { readonly chain: ChainKey } | { readonly set: SetKey } }
  | { readonly rename: { readonly chain: ChainKey & { readonly handle?: number | undefined; readonly newName: string } } }
