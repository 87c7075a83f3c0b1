/** How a Service's connections are spread: from its annotations. */
import type { Service } from './objects.js'

/** For IPVS. Without it: round robin, each endpoint as much as any other. */
export interface Balancing {
  /** Name of an IPVS scheduler. */
  readonly scheduler?: string | undefined
  readonly schedulerFlags?: readonly string[] | undefined
  /** Weight by address, or by prefix: the longest that fits. 0 to 65535. */
  readonly weights?: Readonly<Record<string, number>> | undefined
}

const PREFIX = 'ts-ipvs.io/'

/**
 * `ts-ipvs.io/scheduler: wrr`, `ts-ipvs.io/scheduler-flags: sh-port,sh-fallback`, `ts-ipvs.io/weights: 10.244.1.0/24=3,10.244.2.7=0`.
 * What is malformed in it is left out: `problems` of the source tell it.
 */
export function balancingOf({ metadata: { annotations = {} } }: Service): Balancing | undefined {
  const scheduler = annotations[`${PREFIX}scheduler`]
  const flags = annotations[`${PREFIX}scheduler-flags`]
  const weights = annotations[`${PREFIX}weights`]
  if (scheduler === undefined && flags === undefined && weights === undefined) return undefined
  return {
    ...(scheduler === undefined ? {} : { scheduler }),
    ...(flags === undefined ? {} : { schedulerFlags: wordsOf(flags) }),
    ...(weights === undefined ? {} : { weights: weightsOf(weights) }),
  }
}

const wordsOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')

function weightsOf(text: string): Readonly<Record<string, number>> {
  const pairs = wordsOf(text).map(word => word.split('=') as [string, string?])
  return Object.fromEntries(
    pairs
      .map(([range, weight = '']) => [range.trim(), /^\d+$/.test(weight.trim()) ? Number(weight) : Number.NaN] as const)
      .filter(([, weight]) => weight <= 65535),
  )
}
