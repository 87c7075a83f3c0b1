/** Which of a chain's rules can stay. */

/**
 * For each wanted one the place of the same one among those that are there; undefined where there is none that can stay. What stays is in
 * order: the longest increasing run of places, which is the longest there is unless the same rule stands several times.
 */
export function kept(wanted: readonly string[], there: readonly string[]): readonly (number | undefined)[] {
  const places = new Map<string, number[]>()
  for (let i = there.length - 1; i >= 0; i--) {
    const known = places.get(there[i] as string)
    if (known) known.push(i)
    else places.set(there[i] as string, [i])
  }
  const candidates = wanted.map(rule => places.get(rule)?.pop())
  const stays = increasing(candidates)
  return candidates.map((place, i) => (stays.has(i) ? place : undefined))
}

/** The positions of the longest increasing run: for each length the run that ends lowest. */
function increasing(places: readonly (number | undefined)[]): ReadonlySet<number> {
  const ends: number[] = []
  const before: (number | undefined)[] = []
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue
    let low = 0
    for (let high = ends.length; low < high; ) {
      const middle = (low + high) >> 1
      if ((places[ends[middle] as number] as number) < place) low = middle + 1
      else high = middle
    }
    before[i] = ends[low - 1]
    ends[low] = i
  }
  const stays = new Set<number>()
  for (let i = ends.at(-1); i !== undefined; i = before[i]) stays.add(i)
  return stays
}
