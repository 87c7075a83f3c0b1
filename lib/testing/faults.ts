/** What goes wrong between a program and the kernel, on demand. */

/** The three ways to talk through a `Socket`. */
export type SocketCall = 'exchange' | 'page' | 'dumpMany'

/**
 * What goes wrong:
 *
 * - `lost-replies`: the receive buffer overflows, and every reply is dropped, the closing one too (ENOBUFS). The request was carried out
 * - `late-reply`: the replies to the call before on this socket come once more, ahead of those to this one
 * - `foreign-reply`: an error for a sequence number that was never used comes first
 * - `malformed-reply`: the first attribute of each reply is longer than its message
 * - `no-reply`: the request is carried out and nothing answers: ETIMEDOUT after the call's timeout
 * - `hang`: the kernel does not come back from `sendmsg`, and does nothing, until `release`
 * - an errno: `sendmsg` fails and nothing is carried out, or `recvmsg` or `poll` fails afterwards
 */
export type Fault =
  | 'lost-replies'
  | 'late-reply'
  | 'foreign-reply'
  | 'malformed-reply'
  | 'no-reply'
  | 'hang'
  | {
      /** Positive, a number of Linux. */
      readonly errno: number
      readonly syscall: 'sendmsg' | 'recvmsg' | 'poll'
    }

export interface Injection {
  readonly fault: Fault
  /** Default: whichever comes next. */
  readonly on?: SocketCall | undefined
  /** How many calls it strikes. Default 1. */
  readonly times?: number | undefined
  /** How many calls go well before that. Default 0. A client asks for the number of the family first: that is an exchange. */
  readonly skip?: number | undefined
}

/** A fault that was injected. */
export interface Injected {
  /** Calls that it struck so far. */
  readonly struck: number
  /** Withdraws it, and lets go what hangs. */
  release(): void
}

/** A fault on the call that it strikes. */
export interface Strike {
  readonly fault: Fault
  /** Settles with `release`. */
  readonly released: Promise<void>
}

interface Pending extends Strike {
  readonly on: SocketCall | undefined
  times: number
  skip: number
  struck: number
}

export class Faults {
  readonly #pending = new Set<Pending>()

  inject({ fault, on, times = 1, skip = 0 }: Injection): Injected {
    let free = (): void => {}
    const released = new Promise<void>(resolve => {
      free = resolve
    })
    const pending: Pending = { fault, on, times, skip, struck: 0, released }
    this.#pending.add(pending)
    return {
      get struck() {
        return pending.struck
      },
      release: () => {
        this.#pending.delete(pending)
        free()
      },
    }
  }

  /** What strikes this call: the oldest fault that fits. */
  strike(call: SocketCall): Strike | undefined {
    for (const pending of this.#pending) {
      if (pending.on !== undefined && pending.on !== call) continue
      if (pending.skip-- > 0) continue
      pending.struck++
      if (pending.struck === pending.times) this.#pending.delete(pending)
      return pending
    }
    return undefined
  }
}
