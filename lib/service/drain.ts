/** How long a Service's connections go on to endpoints that it has no more. */
import type { Service } from './objects.js'

export const DRAIN = 'ts-ipvs.io/drain-timeout'

/** Seconds, from 0 on; `never` is Infinity. Undefined for what is neither. */
export function drainSeconds(text: string): number | undefined {
  if (text === 'never') return Number.POSITIVE_INFINITY
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** Of its annotation `ts-ipvs.io/drain-timeout: 30`; undefined: as the proxy has it. */
export function drainOf({ metadata: { annotations = {} } }: Service): number | undefined {
  return drainSeconds(annotations[DRAIN] ?? '')
}
