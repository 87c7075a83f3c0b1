/** What the kernel knows of nftables (include/net/netfilter/nf_tables.h). */
import type { Expression, Made } from './expression.js'
import type { Listed, Registry } from './registry.js'
import type { RuleList } from './rule-list.js'
import type { Backend } from './set-description.js'
import type { SetElements } from './set-elements.js'

/** NFT_TABLE_F_* */
export const tableFlag = { dormant: 1, owner: 2, persist: 4 } as const
/** NFT_CHAIN_* */
export const chainFlag = { base: 1, offload: 2, binding: 4 } as const
/** NFT_SET_* */
export const setFlag = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  timeout: 0x10,
  eval: 0x20,
  object: 0x40,
  concat: 0x80,
  expression: 0x100,
} as const

export interface Table extends Listed {
  readonly family: number
  readonly name: string
  flags: number
  /** How many chains, sets, objects and flowtables it has. */
  use: number
  /** The port of the socket that owns it; 0 without one. */
  owner: number
  readonly userData: Uint8Array | undefined
  readonly chains: Registry<Chain>
  readonly sets: Registry<NftSet>
  readonly objects: Registry<StatefulObject>
  readonly flowtables: Registry<Flowtable>
  /** The last handle that was given to something in it. */
  lastHandle: number
}

/** Where a base chain is called from. */
export interface Hook {
  readonly type: string
  readonly number: number
  readonly priority: number
  /** Undefined where it is not bound to devices. */
  devices: readonly string[] | undefined
}

export interface Counters {
  readonly packets: bigint
  readonly bytes: bigint
}

export interface Chain extends Listed {
  readonly table: Table
  name: string
  readonly flags: number
  /** Rules in it, and what jumps to it. */
  use: number
  readonly hook: Hook | undefined
  /** Of a base chain: NF_DROP, NF_ACCEPT. */
  policy: number
  counters: Counters | undefined
  readonly userData: Uint8Array | undefined
  readonly rules: RuleList
  /** A chain that belongs to a rule: whether the rule is there. */
  bound: boolean
}

export interface Rule {
  readonly chain: Chain
  readonly handle: number
  readonly expressions: readonly Expression[]
  readonly userData: Uint8Array | undefined
  active: boolean
}

export interface NftSet extends Listed {
  readonly table: Table
  readonly name: string
  readonly flags: number
  readonly keyType: number
  readonly keyLength: number
  readonly dataType: number
  readonly dataLength: number
  readonly objectType: number
  /** Milliseconds; 0: none. */
  timeout: number
  /** Milliseconds. */
  gcInterval: number
  readonly policy: number
  /** Lengths of the fields of a concatenation. */
  readonly fields: readonly number[]
  /** How many elements it may have; 0: any number. */
  size: number
  readonly userData: Uint8Array | undefined
  readonly expressions: readonly Expression[]
  readonly backend: Backend
  readonly elements: SetElements
  /** Rules that use it. */
  use: number
  /** Lookups and the like that are bound to it. */
  bindings: number
}

export interface StatefulObject extends Listed {
  readonly table: Table
  readonly name: string
  readonly type: number
  use: number
  readonly userData: Uint8Array | undefined
  /** The attributes of NFTA_OBJ_DATA. */
  state: Made
}

export interface Flowtable extends Listed {
  readonly table: Table
  readonly name: string
  readonly number: number
  readonly priority: number
  devices: readonly string[]
  flags: number
  use: number
}

/** The next handle of something in a table. They are never given twice, not even after a transaction that failed. */
export function nextHandle(table: Table): number {
  return ++table.lastHandle
}
