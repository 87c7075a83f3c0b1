/** Seconds after which a case counts as hung, unless it is told otherwise. */
export const HUNG = 300

/** Waits for a case, but not for ever. */
export async function orHung(running: Promise<void>, seconds = HUNG): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${seconds} s`)), 1000 * seconds)
  })
  await Promise.race([running, hung]).finally(() => clearTimeout(timer))
}
