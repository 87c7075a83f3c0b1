/** A peer in another namespace, as one tells it what to do. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Order, Orders, Outcome } from './peer.js'

type Waiting = { readonly order: keyof Orders; resolve(value: unknown): void; reject(error: Error): void }

/** Starts a peer in a namespace. It ends when this process does. */
export function startPeer(netns: string): Orders {
  const child = spawn('ip', ['netns', 'exec', netns, process.execPath, fileURLToPath(new URL('peer.js', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const waiting = new Map<number, Waiting>()
  let count = 0
  let gone: Error | undefined
  createInterface({ input: child.stdout }).on('line', line => {
    const outcome = JSON.parse(line) as Outcome
    const asked = waiting.get(outcome.id)
    waiting.delete(outcome.id)
    if ('error' in outcome) asked?.reject(new Error(`${asked.order} in ${netns}: ${outcome.error}`))
    else asked?.resolve(outcome.value)
  })
  const end = (error: Error): void => {
    gone = error
    for (const { reject } of waiting.values()) reject(error)
  }
  child.on('error', end)
  child.on('exit', (code, signal) => end(new Error(`the peer in ${netns} ended: ${signal ?? code}`)))
  child.stdin.on('error', end)

  const order =
    (name: keyof Orders) =>
    (...parameters: readonly unknown[]): Promise<never> =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone)
        const id = ++count
        waiting.set(id, { order: name, resolve: resolve as (value: unknown) => void, reject })
        child.stdin.write(`${JSON.stringify({ id, name, parameters } satisfies Order)}\n`)
      })
  return {
    serve: order('serve'),
    ask: order('ask'),
    attempt: order('attempt'),
    hold: order('hold'),
    askHeld: order('askHeld'),
    release: order('release'),
    startLoad: order('startLoad'),
    load: order('load'),
    stopLoad: order('stopLoad'),
    get: order('get'),
    retransmitted: order('retransmitted'),
  }
}
