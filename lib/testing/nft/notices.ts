/** What is told of a transaction, to those who listen and to who asked for an echo (nf_tables_api.c, nft_commit_notify). */
import { MessageWriter } from '../../netlink/buffer.js'

/** NLMSG_GOODSIZE: a page without `struct skb_shared_info`. */
const GOOD_SIZE = 4096 - 320

/** Messages that go out as one datagram. */
export interface Notice {
  readonly data: Uint8Array
  /** Whether who made the transaction gets it. The others get it in any case. */
  readonly echo: boolean
}

export class Notices {
  readonly #listening: boolean
  readonly #datagrams: { readonly parts: Uint8Array[]; length: number; readonly echo: boolean }[] = []

  /** @param listening whether anybody has joined the group */
  constructor(listening: boolean) {
    this.#listening = listening
  }

  add(echo: boolean, encode: (writer: MessageWriter) => void): void {
    if (!echo && !this.#listening) return
    const writer = new MessageWriter(512)
    encode(writer)
    const data = writer.written()
    const current = this.#datagrams.at(-1)
    if (current && current.echo === echo && current.length + data.length < GOOD_SIZE) {
      current.parts.push(data)
      current.length += data.length
    } else this.#datagrams.push({ parts: [data], length: data.length, echo })
  }

  /** In their order. */
  take(): Notice[] {
    return this.#datagrams.map(({ parts, echo }) => ({ data: Buffer.concat(parts), echo }))
  }
}
