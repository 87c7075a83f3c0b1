/** A list of objects as an API server answers it, read while it comes: one of 250,000 endpoints is 100 MB of JSON. */

const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, QUOTE, BACKSLASH] = [...'{}[]"\\'].map(one => one.charCodeAt(0))

/** What a list says of itself (ListMeta). */
export interface ListMetadata {
  readonly resourceVersion: string
  /** Token of the next page; empty or not there in the last one. */
  readonly continue?: string | undefined
}

/**
 * Takes the items out of `{"metadata": {…}, "items": [{…}, …]}`, wherever the pieces are cut. An item is what is between braces in a list
 * that is a field of the whole; the rest is small and parsed at the end.
 */
export class ListReader {
  #depth = 0
  #inText = false
  #escaped = false
  #inItems = false
  #item: Buffer[] = []
  #rest: Buffer[] = []

  /** What is not items, when all pieces have been taken. Throws where it ended too soon, or is no list. */
  end(): ListMetadata {
    const { metadata } = parsed(textOf(this.#rest)) as { readonly metadata?: Partial<ListMetadata> }
    if (!metadata?.resourceVersion) throw new Error('answered with something that is no list of objects')
    return { ...metadata, resourceVersion: metadata.resourceVersion }
  }

  /** The items that end in a piece. */
  *take(piece: Buffer): Generator<unknown, void, undefined> {
    // Where what is being gathered begins in this piece.
    let start = 0
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i]
      if (this.#inText) {
        if (this.#escaped) this.#escaped = false
        else if (byte === BACKSLASH) this.#escaped = true
        else if (byte === QUOTE) this.#inText = false
      } else if (byte === QUOTE) this.#inText = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#depth++
        if (this.#depth === 2 && byte === OPEN_BRACKET) {
          this.#rest.push(piece.subarray(start, i + 1))
          this.#inItems = true
        }
        if (this.#depth === 3 && this.#inItems) start = i
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--
        if (this.#depth === 2 && this.#inItems) {
          yield parsed(textOf([...this.#item, piece.subarray(start, i + 1)]))
          this.#item = []
        }
        if (this.#depth === 1 && this.#inItems) {
          this.#inItems = false
          start = i
        }
      }
    }
    if (!this.#inItems) this.#rest.push(piece.subarray(start))
    else if (this.#depth > 2) this.#item.push(piece.subarray(start))
  }
}

const textOf = (pieces: readonly Buffer[]): string => (pieces.length === 1 ? String(pieces[0]) : Buffer.concat(pieces).toString())

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`answered with something that is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

/** Lines of a stream: a watch is an object a line. */
export async function* lines(pieces: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let before: Buffer[] = []
  for await (const piece of pieces) {
    let start = 0
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', start)) {
      yield textOf([...before, piece.subarray(start, end)])
      before = []
      start = end + 1
    }
    if (start < piece.length) before.push(piece.subarray(start))
  }
}
