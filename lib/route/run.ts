/** Operations are carried out: one, or many at once. */
import type { Limit } from '../netlink/channel.js'
import type { NetlinkError } from '../netlink/error.js'
import { within } from '../netlink/fields.js'
import type { Ask, Kernel } from '../netlink/kernel.js'
import { BadValue, shown } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import { indicesOf, noSuchDevice } from './devices.js'
import { type Given, type Prepared, prepare, WORDS, type Word } from './operations.js'
import { readRoutes } from './read.js'
import { isRefusal, refused } from './reasons.js'
import type { CheckedRoute } from './routes.js'
import type { Device } from './types.js'
import { tableOf, typeOf } from './words.js'

/** A change, as a value: `{ addRoute: { destination: '10.96.0.0/12', … } }`. */
export type Operation = { readonly [W in Word]: { readonly [K in W]: Given[W] } }[Word]

/** What became of an operation. `found` is false where there was nothing to remove. */
export type Result = { readonly ok: true; readonly found: boolean } | { readonly ok: false; readonly error: NetlinkError }

/** Objects that checking an operation takes as long as. */
const HEAVY = 5

/** Checks all of a list. Throws a `BadValue`. */
export async function prepareAll(operations: readonly Operation[]): Promise<Prepared[]> {
  const prepared: Prepared[] = []
  const turns = new Turns()
  for (const [i, operation] of operations.entries()) {
    prepared.push(within('operations', () => within(i, () => prepareOne(operation))))
    if (turns.due(HEAVY)) await turns.give()
  }
  return prepared
}

/** A list as it is now. Throws a `BadValue`. */
export function listOf(operations: readonly Operation[]): readonly Operation[] {
  if (Array.isArray(operations)) return operations.slice()
  throw new BadValue('type', `${shown(operations)}: give a list`).within('operations')
}

function prepareOne(operation: Operation): Prepared {
  const given = WORDS.filter(word => (operation as Partial<Given> | null)?.[word] !== undefined)
  const [word] = given
  if (word === undefined || given.length > 1 || Object.keys(operation).length > 1)
    throw new BadValue('type', `${shown(operation)}: give an object with one of ${WORDS.join(', ')}`)
  return within(word, () => prepare(word, (operation as unknown as Given)[word]))
}

/** Carries out one. False where there was nothing to remove. Throws a `Refusal`. */
export async function carryOut(kernel: Kernel, prepared: Prepared, limit: Limit): Promise<boolean> {
  const { devices, absent, only } = prepared
  const indices = await indicesOf(kernel, devices, limit)
  const missing = devices.find(device => !indices.has(device))
  if (missing !== undefined) {
    if (absent) return false
    throw noSuchDevice(missing)
  }
  if (only && !(await new Existing(kernel, limit).has(only))) return false
  try {
    await kernel.request(
      prepared.ask(device => indices.get(device) ?? 0),
      limit,
      'unknown',
    )
    return true
  } catch (error) {
    if (absent && isRefusal(error, ...absent)) return false
    throw error
  }
}

/** Carries out all, in their order; it does not stop at an error. */
export async function run(kernel: Kernel, operations: readonly Prepared[], limit: Limit): Promise<Result[]> {
  const indices = await indicesOf(
    kernel,
    operations.flatMap(({ devices }) => devices),
    limit,
  )
  const existing = new Existing(kernel, limit)
  const results: Result[] = []
  const asks: Ask[] = []
  const places: number[] = []
  const turns = new Turns()
  for (const [i, { asked, devices, absent, only, adds, ask }] of operations.entries()) {
    if (adds) existing.add(adds)
    const missing = devices.find(device => !indices.has(device))
    if (missing !== undefined) results[i] = absent ? NOT_FOUND : { ok: false, error: noSuchDevice(missing, asked) }
    else if (only && !(await existing.has(only))) results[i] = NOT_FOUND
    else {
      places.push(i)
      asks.push(ask((device: Device) => indices.get(device) ?? 0))
    }
    if (turns.due(1)) await turns.give()
  }
  const refusals = await kernel.requests(asks, limit)
  for (const [j, refusal] of refusals.entries()) {
    const { asked, absent = [] } = operations[places[j] as number] as Prepared
    const result = !refusal
      ? FOUND
      : isRefusal(refusal, ...absent)
        ? NOT_FOUND
        : { ok: false as const, error: refused(asked, refusal) }
    results[places[j] as number] = result
    if (turns.due(1)) await turns.give()
  }
  return results
}

const FOUND: Result = Object.freeze({ ok: true, found: true })
const NOT_FOUND: Result = Object.freeze({ ok: true, found: false })

/** Networks that have IPv6 routes of a type in a table: at the start, or by what was done since. */
class Existing {
  readonly #kernel: Kernel
  readonly #limit: Limit
  readonly #read = new Set<string>()
  readonly #networks = new Set<string>()

  constructor(kernel: Kernel, limit: Limit) {
    this.#kernel = kernel
    this.#limit = limit
  }

  add(route: CheckedRoute): void {
    if (route.destination.family === 'ipv6') this.#networks.add(keyOf(route, networkOf(route)))
  }

  async has(route: CheckedRoute): Promise<boolean> {
    const { table, type = 0 } = route
    const kind = `${table} ${type}`
    if (!this.#read.has(kind)) {
      this.#read.add(kind)
      const routes = await readRoutes(this.#kernel, { family: 'ipv6', table: tableOf(table), type: typeOf(type) }, this.#limit)
      for (const { destination } of routes) this.#networks.add(keyOf(route, destination))
    }
    return this.#networks.has(keyOf(route, networkOf(route)))
  }
}

const networkOf = ({ destination: { address, length } }: CheckedRoute): string => `${address}/${length}`
const keyOf = ({ table, type = 0 }: CheckedRoute, network: string): string => `${table} ${type} ${network}`
