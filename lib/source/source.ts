/** Where Services come from. */
import type { Kind, KubernetesObject } from './kubernetes.js'

/** One object that is new or different, or gone. */
export interface ObjectChange {
  readonly kind: Kind
  /** `namespace/name`. */
  readonly name: string
  /** Undefined: it is gone. */
  readonly object: KubernetesObject | undefined
}

/** What a source can not read, or has lost. */
export interface SourceProblem {
  /** Where: a file, the address of a server. */
  readonly where: string
  readonly line?: number | undefined
  readonly field?: string | undefined
  readonly message: string
}

/** What is different since the update before. */
export interface SourceUpdate {
  /** Whether everything that there is has been told by now. Until then nothing may be taken for gone. */
  readonly complete: boolean
  readonly changes: readonly ObjectChange[]
  /** All that are there now, not only new ones. */
  readonly problems: readonly SourceProblem[]
}

/** A source of Kubernetes' objects. */
export interface Source {
  readonly name: string
  /**
   * Everything, as the first update that is complete, then what changes, until `signal` is aborted. It never ends by itself: what is lost is a problem, what
   * was read before stays.
   */
  updates(signal: AbortSignal): AsyncIterable<SourceUpdate>
}
