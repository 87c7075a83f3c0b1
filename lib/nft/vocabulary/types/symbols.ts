/** Words that stand for numbers. */

/** In nft's order: of several words for a number the first is printed. */
export type Symbols = readonly (readonly [word: string, value: bigint])[]

/** The words of a table, and a function for tables that are read from a file. */
export type SymbolTable = Symbols | (() => Symbols)

export const symbolsOf = (table: SymbolTable | undefined): Symbols =>
  table === undefined ? [] : typeof table === 'function' ? table() : table

export const wordOf = (symbols: Symbols, value: bigint): string | undefined => symbols.find(symbol => symbol[1] === value)?.[0]

export const numberOf = (symbols: Symbols, word: string): bigint | undefined => symbols.find(symbol => symbol[0] === word)?.[1]
