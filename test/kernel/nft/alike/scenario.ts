/** What two kernels are asked one after the other, and that they answer alike. */
import assert from 'node:assert/strict'
import type { Spec } from './messages.js'
import type { Side } from './side.js'

/** Messages of one datagram, from the socket `on`, by default the first; what the other one has been told; a socket that is closed. */
export type Step =
  | readonly Spec[]
  | { readonly on: string; readonly send: readonly Spec[] }
  | { readonly listen: string }
  | { readonly read: string }
  | { readonly close: string }

export interface Scenario {
  readonly name: string
  readonly steps: readonly Step[]
}

async function take(side: Side, step: Step): Promise<string[]> {
  if ('read' in step) return side.read(step.read)
  if ('send' in step) return side.ask(step.on, step.send)
  if ('listen' in step) side.listen(step.listen)
  else if ('close' in step) await side.close(step.close)
  else return side.ask('first', step)
  return []
}

/** Throws at the first step that is answered differently. */
export async function playBoth(steps: Iterable<Step>, linux: Side, memory: Side): Promise<void> {
  let i = 0
  for (const step of steps) {
    const told = await take(linux, step)
    assert.deepEqual(await take(memory, step), told, `step ${i}: ${shown(step)}`)
    i++
  }
}

function shown(step: Step): string {
  return JSON.stringify(step, (_, given) => {
    if (typeof given === 'bigint') return `${given}n`
    return given instanceof Uint8Array ? Buffer.from(given).toString('hex') : given
  })
}
