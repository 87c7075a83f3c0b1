/** Options of a client's calls. */
import type { CallOptions } from '../netlink/channel.js'
import type { Generation } from './kernel.js'
import type { Family, ObjectType } from './types.js'

/** Options of `commit`. */
export interface CommitOptions extends CallOptions {
  /** Refuse the transaction unless this is the generation: nobody has changed anything since it was read. */
  readonly generation?: Generation | undefined
  /** Return the handles of what is added. It costs about a third more. Default false. */
  readonly handles?: boolean | undefined
  /**
   * Allows several transactions, where the commands are more than the kernel takes at once from this process (a fraction of a megabyte in a
   * user namespace), or more than so many bytes: short transactions hold up others less. Each is carried out whole, the ones before a
   * failure stay: the error says how many commands those are. What shares an `id` stays together. Default: one transaction.
   */
  readonly split?: { readonly bytes?: number | undefined } | undefined
  /**
   * Called when the kernel has got the commands and works on them, some microseconds for each: time for work of one's own. Called again where they
   * are sent again, and not where the call fails before.
   */
  readonly onSent?: (() => void) | undefined
  /** How often a function may be called to make the commands anew. Default 10. */
  readonly attempts?: number | undefined
}

/** Options of `flushRuleset`. */
export interface FlushOptions extends CallOptions {
  /** Refuse it unless this is the generation. */
  readonly generation?: Generation | undefined
}

/** Which objects to list. */
export interface ListFilter extends CallOptions {
  /** Default: all families. */
  readonly family?: Family | undefined
  /** Default: all tables. */
  readonly table?: string | undefined
}

/** Which rules to list. */
export interface RuleFilter extends ListFilter {
  /** Default: all chains. */
  readonly chain?: string | undefined
}

/** Which stateful objects to list. */
export interface ObjectFilter extends ListFilter {
  /** Default: all types. */
  readonly type?: ObjectType | number | undefined
}
