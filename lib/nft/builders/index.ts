/** Rules, sets and documents as typed values: what does not fit together does not compile. They are libnftables JSON. */
export * from './objects.js'
export type { Place, Placed } from './place.js'
export type { Comparable, Entries, Lookable, MapReference, Numbers, SetReference, Settable, Typed } from './selector.js'
export { concat } from './selector.js'
export * from './selectors.js'
export * from './statements.js'
export type { Bounds, ConstantOf, ConstantsByType, ElementOf, KeyTypes, TypeWord, ValueOrBounds } from './values.js'
