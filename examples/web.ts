/** What the example balances, and who asks: web servers and clients, in plain Node.js. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface Backend extends Endpoint {
  readonly name: string
}

/** Starts a web server that thinks for a moment, and answers with its name. */
export async function startBackend(name: string, address: string, port: number): Promise<Backend> {
  const server = createServer(async (_, response) => {
    await sleep(50)
    response.end(name)
  })
  server.listen(port, address)
  await once(server, 'listening')
  server.unref()
  return { name, address, port }
}

/** Sends a request over a connection of its own, from the address `client`, and returns the name of the backend that answered. */
export async function ask({ address, port }: Endpoint, client?: string): Promise<string> {
  const request = get({ host: address, port, localAddress: client, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return text(response)
}

/** Clients that ask again and again, each when it has its answer. */
export class Load {
  sent = 0
  failed = 0
  readonly #answers = new Map<string, number>()
  readonly #clients: readonly Promise<void>[]
  #stopped = false

  constructor(server: Endpoint, clients: number) {
    this.#clients = Array.from({ length: clients }, () => this.#client(server))
  }

  /** How many requests a backend has answered. */
  answersOf({ name }: Backend): number {
    return this.#answers.get(name) ?? 0
  }

  /** Waits until so many more requests were sent. */
  async more(count: number): Promise<void> {
    const enough = this.sent + count
    while (this.sent < enough) await sleep(10)
  }

  /** Waits for the last answers. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  async #client(server: Endpoint): Promise<void> {
    while (!this.#stopped) {
      this.sent++
      try {
        const name = await ask(server)
        this.#answers.set(name, (this.#answers.get(name) ?? 0) + 1)
      } catch {
        this.failed++
      }
    }
  }
}

/** What the command `ipvsadm` prints, if it is there. */
export function ipvsadm(...options: readonly string[]): string | undefined {
  try {
    return execFileSync('ipvsadm', options, { encoding: 'utf8' }).trimEnd()
  } catch {
    return undefined
  }
}
