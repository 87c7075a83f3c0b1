/** Transports that remember what went through them, and answer with what was remembered. */
import { readFileSync, writeFileSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import type { Reply, Transport } from '../../lib/netlink/transport.js'
import { intercept } from '../../test/kernel/support/intercept.js'

/** One crossing: what was sent, and what came back for it. */
export interface Crossing {
  readonly request: Uint8Array | null
  readonly reply: Reply
}

/** Keeps every crossing in `crossings`. */
export function recording(transport: Transport, crossings: Crossing[]): Transport {
  return intercept(transport, async ({ request }, go) => {
    const copy = request && new Uint8Array(request) // a send buffer is used again
    const reply = await go()
    crossings.push({ request: copy, reply })
    return reply
  })
}

/** What was said for each task, by its name. */
export type Transcripts<T extends string> = Readonly<Record<T, readonly Crossing[]>>

export function writeTranscripts<T extends string>(file: string, transcripts: Partial<Transcripts<T>>): void {
  writeFileSync(file, serialize(transcripts))
}

export function readTranscripts<T extends string>(file: string): Transcripts<T> {
  const transcripts = deserialize(readFileSync(file)) as Record<T, readonly Crossing[]>
  // They are views of the file now, while answers of the kernel are aligned.
  const aligned = ({ request, reply }: Crossing): Crossing => ({ request, reply: { ...reply, data: new Uint8Array(reply.data) } })
  for (const task in transcripts) transcripts[task] = transcripts[task].map(aligned)
  return transcripts
}

/** What the kernel grants the library, which makes its windows by it, and no transaction larger. */
const RECEIVE_BUFFER = 8 << 20
const SEND_BUFFER = 1 << 30

/** Answers a client that asks just what was asked before, each time in a later turn of the event loop, as the addon does. */
export function replaying(crossings: readonly Crossing[]): Transport {
  let at = 0
  const answer = (request: Uint8Array | null): Promise<Reply> => {
    const crossing = crossings[at++]
    const same = crossing && Buffer.compare(request ?? Buffer.alloc(0), crossing.request ?? Buffer.alloc(0)) === 0
    if (!same) throw new Error(`request ${at} is another one than was recorded`)
    return new Promise(resolve => setImmediate(resolve, crossing.reply))
  }
  const impossible = (): never => {
    throw new Error('a transcript has only requests and answers')
  }
  return {
    open: () => ({
      receiveBuffer: RECEIVE_BUFFER,
      sendBuffer: SEND_BUFFER,
      portId: 0,
      namespace: undefined,
      exchange: request => answer(request),
      page: request => answer(request),
      dumpMany: request => answer(request),
      subscribe: impossible,
      ref: impossible,
      unref: impossible,
      join: impossible,
      leave: impossible,
      close: async () => {},
    }),
    readFile: impossible,
    writeFile: impossible,
    close: async () => {},
  }
}
