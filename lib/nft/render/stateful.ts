/** Statements that keep a state: in rules, in the elements of sets, and as objects of their own. */
import type * as json from '../json/index.js'
import { bigintOf } from '../json/number.js'
import { knownType } from '../vocabulary/types.js'
import { renderMilliseconds } from './duration.js'
import { type RenderOptions, renderExpression } from './expression.js'
import type { Shapes } from './types.js'
import { words } from './words.js'

interface CounterState {
  readonly packets?: json.Whole | undefined
  readonly bytes?: json.Whole | undefined
}

export const renderCounter = ({ packets = 0, bytes = 0 }: CounterState): string =>
  `packets ${bigintOf(packets)} bytes ${bigintOf(bytes)}`

/** Up to a number, or above it with `over`. */
export function renderQuota({ val, val_unit = 'bytes', used, used_unit = 'bytes', inv }: json.Quota): string {
  return words(
    inv ? 'over' : undefined,
    String(bigintOf(val)),
    val_unit,
    bigintOf(used ?? 0) > 0n ? `used ${used} ${used_unit}` : undefined,
  )
}

/** Packets have a burst of 5 where none is given, which objects leave out; bytes have none. */
export function renderLimit({ rate, rate_unit, per = 'second', burst, burst_unit, inv }: json.Limit, implied?: number): string {
  const packets = rate_unit === undefined || rate_unit === 'packets'
  const amount = packets ? `${rate}/${per}` : `${rate} ${rate_unit}/${per}`
  const most = packets
    ? burst === implied
      ? undefined
      : `burst ${burst ?? 5} packets`
    : burst
      ? `burst ${burst} ${burst_unit ?? 'bytes'}`
      : undefined
  return words('rate', inv ? 'over' : undefined, amount, most)
}

const connections = ({ val, inv }: json.CtCountStatement['ct count']): string => words('ct count', inv ? 'over' : undefined, val)

const last = (given: json.LastStatement['last']): string =>
  `last used ${given?.used === undefined ? 'never' : renderMilliseconds(given.used)}`

/** Names of objects are text. */
export const OBJECTS: Shapes = [{ type: knownType('string'), bits: 0, order: 'host' }]

/** The name of an object, or an expression that maps to one. */
export const renderObjectName = (given: json.Expression, options: RenderOptions): string =>
  renderExpression(given, options, OBJECTS)

/** Whether an object is named, instead of a state described. */
const isReference = (given: unknown): given is json.Expression =>
  typeof given === 'string' || (typeof given === 'object' && given !== null && 'map' in given)

type State = (given: never) => string
const STATES: Readonly<Record<string, State>> = {
  counter: (given: CounterState | null) => words('counter', given === null ? undefined : renderCounter(given)),
  quota: (given: json.Quota) => `quota ${renderQuota(given)}`,
  limit: (given: json.Limit) => `limit ${renderLimit(given)}`,
  'ct count': connections,
  last,
}

/** What an element keeps. */
export const renderState = (state: json.ElementStatement, options: RenderOptions): string | undefined =>
  renderStateful(state as json.Statement, options)

/** What the elements of a set are to keep: their kind, without a state. */
export const renderKind = (state: json.Statement | json.ElementStatement, options: RenderOptions): string | undefined =>
  'last' in state ? 'last' : renderStateful(state as json.Statement, options)

/** A stateful statement as text; undefined for others. */
export function renderStateful(statement: json.Statement, options: RenderOptions): string | undefined {
  const [word, given] = (Object.entries(statement)[0] ?? ['', null]) as [string, never]
  const render = Object.hasOwn(STATES, word) ? STATES[word] : undefined
  if (render === undefined) return undefined
  return isReference(given) ? `${word} name ${renderObjectName(given, options)}` : render(given)
}
