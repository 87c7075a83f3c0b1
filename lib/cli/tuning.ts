/** How V8 shall work for us. */
import { setFlagsFromString } from 'node:v8'

/**
 * ipvsadm's commands end soon: before code that was optimised for them would have paid for it, and before much of what they make is garbage.
 * So V8 shall not optimise, use the same small memory for new objects again and again, for each new page costs a fault, and wake no threads
 * to clean it.
 */
export function tuneForShortRuns(): void {
  setFlagsFromString('--max-optimized-bytecode-size=0')
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-parallel-scavenge')
}

/** Takes that back: V8's own values. */
export function tuneForLongRuns(): void {
  setFlagsFromString('--max-optimized-bytecode-size=61440')
  setFlagsFromString('--semi-space-growth-factor=2')
  setFlagsFromString('--parallel-scavenge')
}
