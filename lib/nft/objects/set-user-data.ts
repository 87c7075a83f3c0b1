/** What nft keeps with a set and can not do without when it lists it (libnftnl, include/libnftnl/udata.h, NFTNL_UDATA_SET_*). */
import type { NftSet } from '../types.js'
import { checkUserData, comment, splitComment, type UserDatum } from '../user-data.js'

const KEY_ORDER = 0
const DATA_ORDER = 1
const MERGE = 2
const DATA_INTERVAL = 6
const COMMENT = 7

/** Numbers stand in the machine's byte order. */
const datum = (type: number, value: number): UserDatum => ({ type, data: new Uint8Array(new Uint32Array([value]).buffer) })

/** The number of the only datum of a type; undefined when it is not alone, or no number. */
function numberIn(list: readonly UserDatum[], type: number): number | undefined {
  const [found, another] = list.filter(entry => entry.type === type)
  if (found?.data.length !== 4 || another) return undefined
  return new Uint32Array(found.data.slice().buffer)[0]
}

/**
 * All user data of a set: no more than every nft knows, for some end when they meet what newer ones write. What stands in `userData` goes
 * before it.
 */
export function setUserData(
  { autoMerge, dataInterval, comment: text, userData }: NftSet,
  keyOrder: number,
  dataOrder: number | undefined,
): readonly UserDatum[] {
  const own = [datum(KEY_ORDER, keyOrder)]
  if (dataOrder !== undefined) own.push(datum(DATA_ORDER, dataOrder))
  if (autoMerge) own.push(datum(MERGE, 1))
  if (dataInterval) own.push(datum(DATA_INTERVAL, 1))
  const others = userData === undefined ? [] : checkUserData(userData)
  const kept = new Set(others.map(entry => entry.type))
  const notes = own.filter(entry => !kept.has(entry.type))
  return [...notes, ...(text === undefined ? [] : [comment(COMMENT, text)]), ...others]
}

/** The byte orders that nft noted; undefined where it did not. */
export function ordersIn(list: readonly UserDatum[] = []): {
  readonly key: number | undefined
  readonly data: number | undefined
  readonly dataInterval: boolean
} {
  return { key: numberIn(list, KEY_ORDER), data: numberIn(list, DATA_ORDER), dataInterval: numberIn(list, DATA_INTERVAL) === 1 }
}

/** The fields that user data stand for, and what is left: `setUserData` makes it of them again. */
export function readSetUserData(
  list: readonly UserDatum[] = [],
  keyOrder: number,
  dataOrder: number | undefined,
): Pick<NftSet, 'autoMerge' | 'dataInterval' | 'comment' | 'userData'> {
  const merge = numberIn(list, MERGE)
  const interval = numberIn(list, DATA_INTERVAL)
  const understood = new Set<number>()
  if (numberIn(list, KEY_ORDER) === keyOrder) understood.add(KEY_ORDER)
  if (numberIn(list, DATA_ORDER) === (dataOrder ?? 0)) understood.add(DATA_ORDER)
  if (merge === 0 || merge === 1) understood.add(MERGE)
  if (interval === 0 || interval === 1) understood.add(DATA_INTERVAL)
  const rest = list.filter(entry => !understood.has(entry.type))
  return {
    ...(interval === 1 && { dataInterval: true }),
    ...(merge === 1 && { autoMerge: true }),
    ...(rest.length > 0 && splitComment(rest, COMMENT)),
  }
}
