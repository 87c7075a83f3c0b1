/** Groups of expressions that are written and read back. */
import type { Expression, NftObject } from '../../../../lib/nft/index.js'

/** Expressions that need the same of a kernel. */
export interface Group {
  /** What is varied, as in `payload: changes of the packet`. */
  readonly name: string
  /** Where they stand: family, hook, and the chain's type. */
  readonly place: string
  /** What they use, in the table `e` of the place's family; added in the transaction that adds them. */
  readonly uses?: readonly NftObject[]
  /** The kernel's option for them, without CONFIG_. Default: that of the first expression (lib/nft/kernel-options.ts). */
  readonly option?: string
  /** The kernel that they came with, as `6.2`, where that is newer than 6.1. */
  readonly since?: string
  /** The first says whether the kernel has them. */
  readonly variants: readonly Expression[]
  /** What is read, where the kernel adds something. Default: what was written. */
  told?(given: Expression): Expression
}

/** Declares a group of one expression, by default in `inet input filter`. */
export function group<E extends Expression>(
  name: string,
  variants: readonly E[],
  options: Partial<Pick<Group, 'place' | 'uses' | 'option' | 'since'>> & { told?(given: E): Expression } = {},
): Group {
  return { name, variants, place: 'inet input filter', ...options } as Group
}

/** The expression, and it with each of the values of each field in turn; undefined for without the field. */
export function vary<E extends Expression>(base: E, values: { readonly [F in keyof E]?: readonly E[F][] }): E[] {
  const variants = [base]
  for (const [field, list] of Object.entries(values) as [keyof E, readonly E[keyof E][]][])
    for (const value of list) variants.push(value === undefined ? without(base, field) : { ...base, [field]: value })
  return variants
}

function without<E extends Expression>(expression: E, field: keyof E): E {
  const { [field]: _, ...rest } = expression
  return rest as unknown as E
}

/** What every register there is can be named as: four of 16 bytes, and those of 4 bytes that start within one. */
export const REGISTERS = [1, 2, 3, 4, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23] as const

/** Bytes that count up: no two are alike. */
export const bytes = (length: number, first = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)
