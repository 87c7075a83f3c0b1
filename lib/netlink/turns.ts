/** Milliseconds of work in one go: others in this process wait meanwhile. */
const SLICE = 4

/** Objects worked on from one look at the clock to the next: on some machines it takes longer than ten objects. */
const LOOK = 200

/** Bytes of a message that take as long as an object of an ordinary size. */
const ORDINARY = 256

/** For how many objects the work on a message counts: a rule may have a hundred expressions. */
export const objectsIn = (bytes: number): number => 1 + Math.floor(bytes / ORDINARY)

/** Gives others a turn in the middle of long work: `if (turns.due(objects)) await turns.give()`. */
export class Turns {
  #since = performance.now()
  #objects = 0

  /** Whether it is time for others, after work on so many more objects. */
  due(objects: number): boolean {
    this.#objects += objects
    if (this.#objects < LOOK) return false
    this.#objects = 0
    return performance.now() - this.#since > SLICE
  }

  async give(): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve))
    this.#since = performance.now()
  }
}

/** Does work in steps that tell how many objects each was for; others get a turn in between. */
export async function inTurns<T>(work: Iterator<number, T, void>, turns = new Turns()): Promise<T> {
  let step = work.next()
  for (; !step.done; step = work.next()) if (turns.due(step.value)) await turns.give()
  return step.value
}

/** Does the same work at once. */
export function atOnce<T>(work: Iterator<number, T, void>): T {
  let step = work.next()
  while (!step.done) step = work.next()
  return step.value
}
