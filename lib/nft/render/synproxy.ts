/** What a SYN proxy answers. */
import type * as json from '../json/index.js'
import { list } from './words.js'

interface Answer {
  readonly mss?: number | undefined
  readonly wscale?: number | undefined
  readonly flags?: json.SynproxyFlag | readonly json.SynproxyFlag[] | undefined
}

/** Its parts: each is a line of an object. nft shows both numbers or none. */
export function renderSynproxy({ mss, wscale, flags }: Answer): readonly string[] {
  const set = list(flags)
  const numbers = mss !== undefined || wscale !== undefined
  return [...(numbers ? [`mss ${mss ?? 0}`, `wscale ${wscale ?? 0}`] : []), ...(set.length === 0 ? [] : [set.join(' ')])]
}
