/** A transport that counts what is sent. */
import type { Socket, SocketOptions, Transport } from '../../lib/netlink/index.js'

export class Counting implements Transport {
  readonly #transport: Transport
  /** Calls that send something. */
  sent = 0

  constructor(transport: Transport) {
    this.#transport = transport
  }

  open(options: SocketOptions): Socket {
    const socket = this.#transport.open(options)
    const count = () => {
      this.sent++
    }
    return new Proxy(socket, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (name === 'exchange' || name === 'page' || name === 'dumpMany') count()
        return value.bind(target)
      },
    })
  }

  readFile(path: string): AsyncIterable<Uint8Array> {
    return this.#transport.readFile(path)
  }

  writeFile(path: string, text: string): Promise<void> {
    return this.#transport.writeFile(path, text)
  }

  close(): Promise<void> {
    return this.#transport.close()
  }
}
