/** Which endpoint has which number: numbers are from 0 on, without a gap, and stay as far as they can. */

/** Those that stay keep their numbers, as far as these are still among the lowest; new ones, and those from the end, fill the gaps. */
export function assign(before: readonly string[], wanted: readonly string[]): readonly string[] {
  const left = new Set(wanted)
  const slots: (string | undefined)[] = Array.from({ length: left.size })
  for (const [slot, endpoint] of before.entries()) if (slot < slots.length && left.delete(endpoint)) slots[slot] = endpoint
  const rest = left.values()
  return slots.map(endpoint => endpoint ?? (rest.next().value as string))
}
