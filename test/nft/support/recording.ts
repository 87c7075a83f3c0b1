/** Messages of real kernels: lines of `messages.txt`, each the kind, the bytes from the header of netfilter on, and what they depend on. */
import { readFileSync } from 'node:fs'
import { message } from '../../../lib/nft/wire.js'

export const RECORDING = new URL('../../../../../test/nft/messages.txt', import.meta.url)

/** What an NLMSG_ERROR is called here. */
export const ERROR = 'error'

/** A message without its netlink header. */
export interface Recorded {
  /** Its name in `message`, or `error`. */
  readonly kind: string
  /** From the header of netfilter on; of an error all. */
  readonly bytes: Uint8Array
  /** Of elements: the message of their set. */
  readonly set?: Uint8Array | undefined
}

const NAMES = new Map<number, string>(Object.entries(message).map(([name, number]) => [number, name]))

/** The kind of a message of nftables; undefined for what is none. */
export const kindOf = (type: number): string | undefined => (type >> 8 === 10 ? NAMES.get(type & 255) : undefined)

export function readRecording(): Recorded[] {
  const lines = readFileSync(RECORDING, 'latin1').split('\n').filter(Boolean)
  return lines.map(line => {
    const [kind = '', bytes = '', set] = line.split(' ')
    return { kind, bytes: fromHex(bytes), ...(set !== undefined && { set: fromHex(set) }) }
  })
}

const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** A recorded message as its line. */
export function lineOf({ kind, bytes, set }: Recorded): string {
  return [kind, toHex(bytes), ...(set ? [toHex(set)] : [])].join(' ')
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
