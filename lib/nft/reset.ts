/** Reads counters and sets them back, in one step of the kernel's. */
import type { Limit } from '../netlink/channel.js'
import { errnoName, NetlinkError } from '../netlink/error.js'
import { Refusal } from '../netlink/generic.js'
import { BadValue } from '../netlink/schema.js'
import { Turns } from '../netlink/turns.js'
import { isMissing } from './asking.js'
import { decodeElements } from './element-list.js'
import { FAMILIES } from './family.js'
import { readElementsOf } from './get-elements.js'
import type { Kernel } from './kernel.js'
import { ElementReader } from './objects/element-reader.js'
import { decode, type Filter, familyNumber, type Kind } from './read.js'
import type { Element, ElementKey, Elements } from './types.js'
import { message, setElementListAttributes } from './wire.js'

/** The messages, and the Linux that has them. */
export const ofRules = { number: message.getRuleReset, since: '6.2' } as const
export const ofObjects = { number: message.getObjectReset, since: '4.14' } as const
const ofElements = { number: message.getElementsReset, since: '6.5' } as const

export interface Reset {
  readonly number: number
  readonly since: string
}

/** What there was before. One object when it is named, else all that the filter lets through. */
export async function reset<T>(
  kernel: Kernel,
  { number, since }: Reset,
  kind: Kind<T>,
  filter: Filter,
  limit: Limit,
): Promise<T[]> {
  const one = filter.handle !== undefined || filter.name !== undefined
  checkWhole(filter, one)
  // Tables of one name in several families: the kernel takes a table's name together with its family.
  const families = filter.table !== undefined && filter.family === undefined ? FAMILIES : [filter.family]
  return supported(since, async () => {
    const found: T[][] = []
    for (const family of families) found.push(await resetOnce(kernel, number, kind, { ...filter, family }, one, limit))
    return found.flat()
  })
}

async function resetOnce<T>(
  kernel: Kernel,
  number: number,
  kind: Kind<T>,
  filter: Filter,
  one: boolean,
  limit: Limit,
): Promise<T[]> {
  try {
    // Read again it would tell what is left: a dump that others interrupted may have left out some, which keep their counts.
    const ask = one ? 'request' : 'dump'
    const answer = await kernel[ask](number, familyNumber(filter.family), kind.body(filter), limit, 'unknown')
    return await decode(answer, kind, filter)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** The kernel ignores a part of a name without the rest, and would reset more than was asked for. */
function checkWhole({ family, table, chain, type, name }: Filter, one: boolean): void {
  if (table === undefined && (chain !== undefined || one)) throw new BadValue('type', 'is missing').within('table')
  if (!one) return
  if (family === undefined) throw new BadValue('type', 'is missing').within('family')
  if (name === undefined && chain === undefined) throw new BadValue('type', 'is missing').within('chain')
  if (name !== undefined && type === undefined) throw new BadValue('type', 'is missing').within('type')
}

/** The elements as they were before: all, or those of some keys. */
export async function resetElements(
  kernel: Kernel,
  set: Elements['set'],
  keys: readonly ElementKey[] | undefined,
  limit: Limit,
): Promise<Element[]> {
  return supported(ofElements.since, async () => {
    if (keys) return (await readElementsOf(kernel, ofElements.number, set, keys, limit)).filter(element => element !== undefined)
    const { family, table, name } = set
    const answer = await kernel.dump(
      ofElements.number,
      familyNumber(family),
      writer => setElementListAttributes.encode(writer, { table, set: name }),
      limit,
      'unknown',
    )
    const elements: Element[] = []
    const reader = new ElementReader(set)
    await decodeElements(reader, answer, elements, new Turns())
    reader.end(elements)
    return elements
  })
}

/** nfnetlink refuses a message that it has no number for with EINVAL (nfnetlink_find_client). */
async function supported<T>(since: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (!(error instanceof Refusal) || errnoName(error.acknowledgement.errno) !== 'EINVAL') throw error
    throw new NetlinkError({
      errno: error.acknowledgement.errno,
      operation: 'reset',
      problem: 'not-supported',
      reason: `the kernel does not know how to reset these: Linux ${since} is needed`,
    })
  }
}
