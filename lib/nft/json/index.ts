/** libnftables JSON as types: the language of nftables as plain data. */
export type * from './expression.js'
export type { Whole } from './number.js'
export type * from './object.js'
export type * from './statement.js'
