/** What fields hold, as data; and what of a value does not fit. Fields that are not named are anybody's. */

/** Something wrong with a field. */
export interface Misfit {
  /** `spec.ports[0].port` */
  readonly path: string
  readonly message: string
}

export type Shape =
  | {
      readonly is: 'text'
      readonly words?: readonly string[] | undefined
      readonly check?: ((text: string) => string | undefined) | undefined
    }
  | { readonly is: 'number'; readonly minimum: number; readonly maximum: number }
  | { readonly is: 'boolean' }
  | { readonly is: 'list'; readonly of: Shape }
  | { readonly is: 'record'; readonly of: Shape }
  | { readonly is: 'object'; readonly fields: Readonly<Record<string, Shape>>; readonly required: readonly string[] }
  | { readonly is: 'either'; readonly of: readonly [Shape, Shape]; readonly wanted: string }

/** Any text. */
export const text: Shape = { is: 'text' }
export const boolean: Shape = { is: 'boolean' }
export const word = (...words: readonly string[]): Shape => ({ is: 'text', words })
/** Text that `check` has nothing against: it returns what is wrong, and what to do. */
export const checked = (check: (text: string) => string | undefined): Shape => ({ is: 'text', check })
export const whole = (minimum: number, maximum: number): Shape => ({ is: 'number', minimum, maximum })
export const list = (of: Shape): Shape => ({ is: 'list', of })
export const record = (of: Shape): Shape => ({ is: 'record', of })
export const object = (fields: Readonly<Record<string, Shape>>, ...required: readonly string[]): Shape => ({
  is: 'object',
  fields,
  required,
})
export const either = (a: Shape, b: Shape, wanted: string): Shape => ({ is: 'either', of: [a, b], wanted })

/** All that does not fit, in the order of the fields. A null is as good as a field that is not there. */
export function* misfits(shape: Shape, value: unknown, path = ''): Generator<Misfit, void, undefined> {
  const wrong = (message: string): Misfit => ({ path, message })
  switch (shape.is) {
    case 'text':
      yield* misfitsOfText(shape, value, wrong)
      break
    case 'number':
      if (typeof value !== 'number' || !Number.isInteger(value) || value < shape.minimum || value > shape.maximum)
        yield wrong(`${shown(value)}: give a whole number from ${shape.minimum} to ${shape.maximum}`)
      break
    case 'boolean':
      if (typeof value !== 'boolean') yield wrong(`${shown(value)}: give true or false`)
      break
    case 'list':
      if (!Array.isArray(value)) yield wrong(`${shown(value)}: give a list`)
      else for (const [i, item] of value.entries()) yield* misfits(shape.of, item, `${path}[${i}]`)
      break
    case 'record':
    case 'object':
      if (!isRecord(value)) yield wrong(`${shown(value)}: give fields and values`)
      else yield* misfitsOfFields(shape, value, path)
      break
    case 'either':
      if (shape.of.every(one => [...misfits(one, value)].length > 0)) yield wrong(`${shown(value)}: give ${shape.wanted}`)
  }
}

function* misfitsOfText(
  { words, check }: Extract<Shape, { is: 'text' }>,
  value: unknown,
  wrong: (message: string) => Misfit,
): Generator<Misfit> {
  if (typeof value !== 'string') yield wrong(`${shown(value)}: give a text`)
  else if (words && !words.includes(value)) yield wrong(`${shown(value)}: give ${words.join(', ')}`)
  else {
    const message = check?.(value)
    if (message !== undefined) yield wrong(`${shown(value)}: ${message}`)
  }
}

function* misfitsOfFields(
  shape: Extract<Shape, { is: 'record' | 'object' }>,
  value: Readonly<Record<string, unknown>>,
  path: string,
): Generator<Misfit> {
  const below = (field: string): string => (path === '' ? field : `${path}.${field}`)
  if (shape.is === 'record') {
    for (const [field, item] of Object.entries(value)) yield* misfits(shape.of, item, below(field))
    return
  }
  for (const field of shape.required)
    if (value[field] === undefined || value[field] === null) yield { path: below(field), message: 'is missing' }
  for (const [field, of] of Object.entries(shape.fields))
    if (Object.hasOwn(value, field) && value[field] !== null) yield* misfits(of, value[field], below(field))
}

/** A copy that has only the fields which shapes name; nulls are left out. */
export function trimmed(shape: Shape, value: unknown): unknown {
  if (shape.is === 'list' && Array.isArray(value)) return value.map(item => trimmed(shape.of, item))
  if (shape.is !== 'object' || !isRecord(value)) return value
  const copy: Record<string, unknown> = {}
  for (const field of Object.keys(value)) {
    const of = Object.hasOwn(shape.fields, field) ? shape.fields[field] : undefined
    if (of && value[field] !== null) copy[field] = trimmed(of, value[field])
  }
  return copy
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value as a message shows it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
