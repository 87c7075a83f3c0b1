/**
 * One end of the traffic, in a network namespace of its own: a program that serves and asks as it is told, in lines of JSON on standard
 * input, and answers in lines of JSON. It is one process for the whole suite, for a process takes seconds to start under emulation. It ends
 * with its standard input.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { connect, createServer, isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** Whom to ask, and from where. */
export interface Target {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  /** Address of the client. Default: what the kernel takes. */
  readonly from?: string | undefined
  /** Port of the client. Default: one that is free. */
  readonly fromPort?: number | undefined
}

/** What a server says of a question. */
export interface Answer {
  readonly server: string
  /** The address that the question came to. */
  readonly to: string
  /** The address that the question came from. */
  readonly from: string
}

export interface WebAnswer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** What clients of a load have met with so far. */
export interface LoadReport {
  readonly answers: Readonly<Record<string, number>>
  readonly failures: readonly string[]
}

/** What a peer can be told to do, and what it answers. */
export interface Orders {
  /** Answers over TCP and UDP at all these addresses. */
  serve(name: string, addresses: readonly string[], port: number): Promise<void>
  /** Asks so many times, each over a connection (or UDP socket) of its own. */
  ask(target: Target, times: number): Promise<Answer[]>
  /**
   * Asks so many times at once, each over a connection (or UDP socket) of its own. What came of each: the answer, the code of an error
   * (`ECONNREFUSED`), or `silence` for so many milliseconds.
   */
  attempt(target: Target, times: number, patience: number): Promise<(Answer | string)[]>
  /** Opens a connection (or UDP socket) that stays, and asks once. */
  hold(target: Target): Promise<{ readonly held: number; readonly answer: Answer }>
  /** Asks over one that is held. */
  askHeld(held: number): Promise<Answer>
  release(held: number): Promise<void>
  /**
   * So many clients that ask one request after the other, each over a connection of its own.
   *
   * @param pause milliseconds between two. Default none
   */
  startLoad(target: Target, clients: number, pause?: number): Promise<void>
  load(): Promise<LoadReport>
  stopLoad(): Promise<LoadReport>
  /** What a web server says at `/`: status, text and what it says of the text. */
  get(target: Omit<Target, 'protocol'>): Promise<WebAnswer>
  /** TCP segments that were sent again in this namespace, ever. */
  retransmitted(): Promise<Retransmitted>
}

export interface Retransmitted {
  readonly all: number
  /** Those that open a connection. */
  readonly openings: number
  /** Those that had come all the same, as the other end says (RFC 2883): answers take longer than a segment waits where a machine is slow. */
  readonly needless: number
}

export interface Order {
  readonly id: number
  readonly name: keyof Orders
  readonly parameters: readonly unknown[]
}

export type Outcome = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string }

/** Milliseconds that a client waits for an answer: far more than a slow machine takes. */
const PATIENCE = 60_000

/** Milliseconds that the reason why something was not sent takes to come. */
const REASON = 1000

/** Nothing came. */
class Silence extends Error {
  readonly code = 'silence'
}

interface Talk {
  ask(): Promise<Answer>
  close(): Promise<void>
}

async function serve(name: string, addresses: readonly string[], port: number): Promise<void> {
  const answer = (to: string, from = ''): string => `${JSON.stringify({ server: name, to, from } satisfies Answer)}\n`
  for (const address of addresses) {
    const tcp = createServer(socket => {
      socket.on('data', () => socket.write(answer(address, socket.remoteAddress)))
      socket.on('error', () => socket.destroy())
    })
    await once(tcp.listen(port, address), 'listening')
    const udp = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    udp.on('message', (_, from) => udp.send(answer(address, from.address), from.port, from.address))
    udp.on('error', () => {}) // the client is gone
    udp.bind(port, address)
    await once(udp, 'listening')
  }
}

/** The next answer, or why there is none. */
function waiting(
  what: string,
  patience: number,
): { next(): Promise<Answer>; take(bytes: Buffer): void; fail(error: Error): void } {
  let settle: { resolve(answer: Answer): void; reject(error: Error): void } | undefined
  let broken: Error | undefined
  return {
    next: () =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken)
        const late = (): void => settle?.reject(new Silence(`no answer from ${what} in ${patience / 1000} s`))
        const timer = setTimeout(late, patience)
        const done = (): void => {
          clearTimeout(timer)
          settle = undefined
        }
        settle = {
          resolve: answer => [done(), resolve(answer)],
          reject: error => [done(), reject(error)],
        }
      }),
    take: bytes => settle?.resolve(JSON.parse(bytes.toString()) as Answer), // an answer is one small segment
    fail: error => {
      broken = error
      settle?.reject(error)
    },
  }
}

const ownEnd = ({ from, fromPort }: Pick<Target, 'from' | 'fromPort'>) => ({
  ...(from !== undefined && { localAddress: from }),
  ...(fromPort !== undefined && { localPort: fromPort }),
})

async function talkTcp(target: Target, patience: number): Promise<Talk> {
  const { address, port } = target
  const answers = waiting(`tcp ${address} port ${port}`, patience)
  const socket = connect({ host: address, port, ...ownEnd(target) })
  socket.setNoDelay()
  await once(socket, 'connect', { signal: AbortSignal.timeout(patience) }).catch((error: Error) => {
    socket.destroy()
    throw error.name === 'AbortError' ? new Silence(`no connection to ${address} port ${port} in ${patience / 1000} s`) : error
  })
  socket.on('data', bytes => answers.take(bytes))
  socket.on('error', error => answers.fail(error))
  socket.on('close', () => answers.fail(new Error(`${address} port ${port} closed the connection`)))
  return {
    ask: () => {
      socket.write('who are you?\n')
      return answers.next().catch(error => {
        socket.destroy() // an end that is not answered either would be waited for
        throw error
      })
    },
    close: async () => {
      if (!socket.destroyed) await Promise.all([once(socket, 'close').catch(() => {}), socket.end()])
    },
  }
}

async function talkUdp({ address, port, from, fromPort }: Target, patience: number): Promise<Talk> {
  const answers = waiting(`udp ${address} port ${port}`, patience)
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('message', bytes => answers.take(bytes))
  socket.on('error', error => answers.fail(error))
  socket.bind(fromPort, from)
  await once(socket, 'listening')
  socket.connect(port, address) // answers from elsewhere are none
  await once(socket, 'connect')
  return {
    ask: () => {
      const answer = answers.next()
      // What a rule refuses as it leaves is not sent (EPERM); the ICMP message that says why comes behind.
      socket.send('who are you?\n', error => error && setTimeout(() => setImmediate(() => answers.fail(error)), REASON))
      return answer
    },
    close: async () => {
      socket.close()
    },
  }
}

const talk = (target: Target, patience = PATIENCE): Promise<Talk> =>
  target.protocol === 'tcp' ? talkTcp(target, patience) : talkUdp(target, patience)

async function askOnce(target: Target, patience?: number): Promise<Answer> {
  const { ask, close } = await talk(target, patience)
  try {
    return await ask()
  } finally {
    await close()
  }
}

/**
 * Ports of clients that ask over UDP, one after the other. A datagram from a port that was used a moment ago is of a flow that there is; where
 * that leads to what is removed at this moment, the kernel drops it while it forgets the flow (ip_vs_core.c, ip_vs_in_hook).
 */
const UDP_PORTS = { first: 10_000, last: 29_999 }
let udpPort = UDP_PORTS.last

function nextPort(): number {
  udpPort = udpPort === UDP_PORTS.last ? UDP_PORTS.first : udpPort + 1
  return udpPort
}

class Load {
  readonly answers: Record<string, number> = {}
  readonly failures: string[] = []
  readonly #clients: readonly Promise<void>[]
  #stopped = false

  constructor(target: Target, clients: number, pause: number) {
    this.#clients = Array.from({ length: clients }, () => this.#client(target, pause))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  async #client(target: Target, pause: number): Promise<void> {
    while (!this.#stopped) {
      try {
        const { server } = await askOnce(target.protocol === 'udp' ? { ...target, fromPort: nextPort() } : target)
        this.answers[server] = (this.answers[server] ?? 0) + 1
      } catch (error) {
        this.failures.push(String(error))
      }
      if (pause > 0) await sleep(pause)
    }
  }
}

const held = new Map<number, Talk>()
let holds = 0
let load: Load | undefined

function known<T>(thing: T | undefined, what: string): T {
  if (thing === undefined) throw new Error(`there is no ${what}`)
  return thing
}

const orders: Orders = {
  serve,
  async ask(target, times) {
    const answers: Answer[] = []
    for (let i = 0; i < times; i++) answers.push(await askOnce(target))
    return answers
  },
  attempt(target, times, patience) {
    const once = (): Promise<Answer | string> =>
      askOnce(target, patience).catch((error: NodeJS.ErrnoException) => error.code ?? error.message)
    return Promise.all(Array.from({ length: times }, once))
  },
  async hold(target) {
    const opened = await talk(target)
    held.set(++holds, opened)
    return { held: holds, answer: await opened.ask() }
  },
  askHeld: async number => known(held.get(number), `held connection ${number}`).ask(),
  async release(number) {
    const talk = known(held.get(number), `held connection ${number}`)
    held.delete(number)
    await talk.close()
  },
  async startLoad(target, clients, pause = 0) {
    load = new Load(target, clients, pause)
  },
  load: async () => known(load, 'load'),
  async stopLoad() {
    const running = known(load, 'load')
    await running.stop()
    return running
  },
  async get(target) {
    const { address: host, port } = target
    const asked = get({ host, port, ...ownEnd(target), agent: false, timeout: PATIENCE })
    asked.on('timeout', () => asked.destroy(new Silence(`no answer from ${host} port ${port}`)))
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    const body = (await answer.setEncoding('utf8').toArray()).join('')
    return { status: answer.statusCode, headers: answer.headers, body }
  },
  async retransmitted() {
    return {
      all: counter('snmp', 'Tcp', 'RetransSegs'),
      openings: counter('netstat', 'TcpExt', 'TCPSynRetrans'),
      needless: counter('netstat', 'TcpExt', 'TCPDSACKRecv'),
    }
  },
}

/** A counter of this namespace: of each group there is a line with names, and one with numbers. */
function counter(file: string, group: string, name: string): number {
  const [names, values] = readFileSync(`/proc/net/${file}`, 'latin1')
    .split('\n')
    .filter(line => line.startsWith(`${group}:`))
    .map(line => line.split(' '))
  return Number(values?.[names?.indexOf(name) ?? -1])
}

async function obey({ id, name, parameters }: Order): Promise<Outcome> {
  try {
    const order = orders[name] as (...parameters: readonly unknown[]) => Promise<unknown>
    return { id, value: await order(...parameters) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

createInterface({ input: process.stdin })
  .on('line', line => {
    obey(JSON.parse(line) as Order).then(outcome => process.stdout.write(`${JSON.stringify(outcome)}\n`))
  })
  .on('close', () => process.exit())
