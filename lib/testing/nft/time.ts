/** Times as the kernel keeps them: in ticks of its clock (nf_tables_api.c, nf_msecs_to_jiffies64). */
import { ERANGE, Errno } from '../errno.js'
import type { Nest } from './attributes.js'

/** More nanoseconds do not fit into 64 bits. */
const LIMIT = 0xffff_ffff_ffff_ffffn / 1_000_000n

/** Milliseconds in whole ticks: at least one, if it is not 0. */
export function readMilliseconds(attributes: Nest, id: number, tick: number): number | undefined {
  const given = attributes.be64(id)
  if (given === undefined) return undefined
  if (given >= LIMIT) throw new Errno(ERANGE)
  const ticks = Math.floor(Number(given) / tick)
  return (ticks === 0 && given > 0n ? 1 : ticks) * tick
}
