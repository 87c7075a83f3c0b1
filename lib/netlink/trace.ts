/** `NODE_DEBUG=ts-ipvs` prints every message, decoded. */
import { debuglog, inspect } from 'node:util'
import { MessageReader } from './buffer.js'
import { errnoName } from './error.js'
import { type Message, messagesOf, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, readAcknowledgement } from './message.js'

const log = debuglog('ts-ipvs')

/** Says what a message of a family means, or undefined when it is not of that family. */
export type Describe = (
  reader: MessageReader,
  message: Message,
  direction: '→' | '←',
) => { name: string; attributes: unknown } | undefined

export interface Trace {
  sent(data: Uint8Array): void
  received(data: Uint8Array): void
}

/** A trace that costs nothing unless it is switched on. */
export function trace(describe: Describe): Trace {
  const print = (direction: '→' | '←', data: Uint8Array): void => {
    if (!log.enabled) return
    const reader = new MessageReader(data)
    for (const message of messagesOf(reader)) log('%s', line(direction, reader, message, describe))
  }
  return { sent: data => print('→', data), received: data => print('←', data) }
}

function line(direction: '→' | '←', reader: MessageReader, message: Message, describe: Describe): string {
  const head = `${direction} seq ${message.sequence} flags 0x${message.flags.toString(16)}`
  if (message.type === NLMSG_NOOP) return `${head} barrier`
  if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) return `${head} ${acknowledgement(reader, message)}`
  const known = describe(reader, message, direction)
  if (known) return `${head} ${known.name} ${inspect(known.attributes, { depth: 6, breakLength: Infinity, compact: true })}`
  return `${head} type ${message.type} ${Buffer.from(reader.bytes.subarray(message.payload, message.end)).toString('hex')}`
}

function acknowledgement(reader: MessageReader, message: Message): string {
  const { errno, kernelMessage, offset } = readAcknowledgement(reader, message)
  const what = errno === 0 ? (message.type === NLMSG_DONE ? 'done' : 'ok') : errnoName(errno)
  return [what, kernelMessage, offset === undefined ? undefined : `at byte ${offset}`].filter(Boolean).join(', ')
}

/** An attribute record without what is absent, for printing. */
export function present(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(present)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => [k, present(v)]),
  )
}
