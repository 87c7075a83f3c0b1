/** What the examples balance, and who asks: web servers and clients, in plain Node.js. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface Answer {
  /** Name of the server. */
  readonly server: string
  /** The client's address, as the server saw it. */
  readonly client: string
}

/** Starts a web server that thinks for a moment, and answers with its name. */
export async function serve(name: string, port: number, address = '0.0.0.0'): Promise<void> {
  const server = createServer(async (request, response) => {
    await sleep(50)
    response.end(JSON.stringify({ server: name, client: request.socket.remoteAddress }))
  })
  server.listen(port, address)
  await once(server, 'listening')
  server.unref()
}

/** Milliseconds. A server that is cut off with a request says nothing more, and TCP does not tell who only waits. */
const PATIENCE = 10_000

/** Sends a request over a connection of its own, from the address `client`. */
export async function ask({ address, port }: Endpoint, client?: string): Promise<Answer> {
  const request = get({ host: address, port, localAddress: client, agent: false, signal: AbortSignal.timeout(PATIENCE) })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return (await json(response)) as Answer
}

/** Whether somebody accepts a connection, within so many milliseconds. */
export async function isOpen({ address, port }: Endpoint, patience: number): Promise<boolean> {
  const socket = connect(port, address)
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(patience) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** How many answers are whose. */
export function tally(answers: readonly Answer[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { server } of answers) counts.set(server, (counts.get(server) ?? 0) + 1)
  return counts
}

/** Clients that ask again and again, each when it has its answer. */
export class Load {
  readonly answers: Answer[] = []
  readonly failures: Error[] = []
  readonly #clients: readonly Promise<void>[]
  #stopped = false

  constructor(clients: number, ask: () => Promise<Answer>) {
    this.#clients = Array.from({ length: clients }, () => this.#client(ask))
  }

  /** Waits for so many more answers, at most two minutes, and returns them. */
  async more(count: number): Promise<readonly Answer[]> {
    const before = this.answers.length
    for (const end = performance.now() + 120_000; this.answers.length < before + count; await sleep(10))
      if (performance.now() > end) throw new Error('answers have become rare', { cause: this.failures.at(-1) })
    return this.answers.slice(before)
  }

  /** Waits for the last answers. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  async #client(ask: () => Promise<Answer>): Promise<void> {
    while (!this.#stopped) {
      try {
        this.answers.push(await ask())
      } catch (error) {
        this.failures.push(error as Error)
      }
    }
  }
}

/** Prints text, a little to the right. */
export function show(text: string): void {
  console.log(text.replaceAll(/^(?=.)/gm, '   '))
}

/** What a command prints; undefined where it is not there, or fails. */
export function output(command: string, ...words: readonly string[]): string | undefined {
  try {
    return execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined
  }
}
