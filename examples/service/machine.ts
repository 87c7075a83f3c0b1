/** A machine of the network: a namespace, and a process in it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Answer, Endpoint } from '../web.js'

export interface Order {
  readonly id: number
  readonly target: Endpoint
  /** Milliseconds; where it is there it is only to be seen whether a connection is accepted. */
  readonly patience?: number
}

export interface Outcome {
  readonly answer?: Answer
  readonly open?: boolean
  readonly problem?: string
}

export interface Machine {
  readonly name: string
  /** Sends a request from there. */
  ask(target: Endpoint): Promise<Answer>
  /** Whether a connection from there is accepted, within so many milliseconds. */
  isOpen(target: Endpoint, patience: number): Promise<boolean>
}

/** Starts the process in the namespace. It ends when this one does. */
export async function start(name: string): Promise<Machine> {
  const resident = fileURLToPath(new URL('resident.js', import.meta.url))
  const child = spawn('nsenter', [`--net=/run/netns/${name}`, process.execPath, ...process.execArgv, resident, name], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process of ${name} ended with ${code}`)
  })
  await Promise.race([once(child, 'message'), ended])
  const waiting = new Map<number, (outcome: Outcome) => void>()
  child.on('message', ([id, outcome]: [number, Outcome]) => {
    waiting.get(id)?.(outcome)
    waiting.delete(id)
  })
  let count = 0
  const send = (order: Omit<Order, 'id'>): Promise<Outcome> =>
    new Promise(resolve => {
      const id = ++count
      waiting.set(id, resolve)
      child.send({ ...order, id } satisfies Order)
    })
  return {
    name,
    async ask(target) {
      const { answer, problem } = await send({ target })
      if (!answer) throw new Error(`${name} asked ${target.address}:${target.port}: ${problem}`)
      return answer
    },
    async isOpen(target, patience) {
      return (await send({ target, patience })).open === true
    },
  }
}
