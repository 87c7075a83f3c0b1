/** Milliseconds after which a case counts as hung. */
const HUNG = 300_000

/** Waits for a case, but not for ever. */
export async function orHung(running: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${HUNG / 1000} s`)), HUNG)
  })
  await Promise.race([running, hung]).finally(() => clearTimeout(timer))
}
