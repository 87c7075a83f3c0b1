/** What a misspelt name may have meant. */

/** `: did you mean policy?`, or all there are: to stand behind "there is no such field". */
export function nearest(name: string, known: readonly string[]): string {
  const close = closest(name, known)
  return close === undefined ? `: the fields are ${known.join(', ')}` : `: did you mean ${close}?`
}

/** The one that is written almost like it. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const close = known
    .map(word => ({ word, distance: editDistance(name.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return close && close.distance <= Math.max(2, name.length / 3) ? close.word : undefined
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
