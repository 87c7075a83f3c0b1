/** What fields hold, as data; and what of a value does not fit. Fields that are not named are anybody's. */

/** Something wrong with a field. */
export interface Misfit {
  /** `spec.ports[0].port` */
  readonly path: string
  readonly message: string
  /** The object is served all the same, but for what the field asks. */
  readonly served?: true
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

/** What fits is most of what there is: nothing is made for it. */
const NONE: readonly Misfit[] = []

const wrong = (message: string): readonly Misfit[] => [{ path: '', message }]

/** What was found below a field or an item. */
const below = (place: string, found: readonly Misfit[]): readonly Misfit[] =>
  found.map(({ path, message }) => ({ path: `${place}${path === '' || path.startsWith('[') ? '' : '.'}${path}`, message }))

/** All that does not fit, in the order of the fields. */
export function misfits(shape: Shape, value: unknown): readonly Misfit[] {
  switch (shape.is) {
    case 'text':
      return misfitsOfText(shape, value)
    case 'number':
      return typeof value !== 'number' || !Number.isInteger(value) || value < shape.minimum || value > shape.maximum
        ? wrong(`${shown(value)}: give a whole number from ${shape.minimum} to ${shape.maximum}`)
        : NONE
    case 'boolean':
      return typeof value === 'boolean' ? NONE : wrong(`${shown(value)}: give true or false`)
    case 'list':
      return Array.isArray(value) ? misfitsOfItems(shape.of, value) : wrong(`${shown(value)}: give a list`)
    case 'record':
    case 'object':
      return isRecord(value) ? misfitsOfFields(shape, value) : wrong(`${shown(value)}: give fields and values`)
    case 'either':
      return shape.of.every(one => misfits(one, value).length > 0) ? wrong(`${shown(value)}: give ${shape.wanted}`) : NONE
  }
}

function misfitsOfText({ words, check }: Extract<Shape, { is: 'text' }>, value: unknown): readonly Misfit[] {
  if (typeof value !== 'string') return wrong(`${shown(value)}: give a text`)
  if (words && !words.includes(value)) return wrong(`${shown(value)}: give ${words.join(', ')}`)
  const message = check?.(value)
  return message === undefined ? NONE : wrong(`${shown(value)}: ${message}`)
}

function misfitsOfItems(shape: Shape, items: readonly unknown[]): readonly Misfit[] {
  let all = NONE
  for (let i = 0; i < items.length; i++) {
    const found = misfits(shape, items[i])
    if (found.length > 0) all = [...all, ...below(`[${i}]`, found)]
  }
  return all
}

function misfitsOfFields(
  shape: Extract<Shape, { is: 'record' | 'object' }>,
  value: Readonly<Record<string, unknown>>,
): readonly Misfit[] {
  let all = NONE
  if (shape.is === 'object')
    for (const field of shape.required)
      if (isAbsent(shape.fields[field], value[field])) all = [...all, { path: field, message: 'is missing' }]
  for (const field of Object.keys(shape.is === 'object' ? shape.fields : value)) {
    const of = shape.is === 'object' ? shape.fields[field] : shape.of
    if (!of || !Object.hasOwn(value, field) || (shape.is === 'object' && isAbsent(of, value[field]))) continue
    const found = misfits(of, value[field])
    if (found.length > 0) all = [...all, ...below(field, found)]
  }
  return all
}

/** A null is as good as a field that is not there, and so is an empty text where not any text will do: to Kubernetes they are one. */
const isAbsent = (shape: Shape | undefined, value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (value === '' && shape?.is === 'text' && (shape.words !== undefined || shape.check !== undefined))

/** A copy that has only the fields which shapes name, and that are there. */
export function trimmed(shape: Shape, value: unknown): unknown {
  if (shape.is === 'list' && Array.isArray(value)) return value.map(item => trimmed(shape.of, item))
  if (shape.is !== 'object' || !isRecord(value)) return value
  const copy: Record<string, unknown> = {}
  for (const field of Object.keys(value)) {
    const of = Object.hasOwn(shape.fields, field) ? shape.fields[field] : undefined
    if (of && !isAbsent(of, value[field])) copy[field] = trimmed(of, value[field])
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
