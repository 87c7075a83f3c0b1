/** Lines and columns of a text. */
import { LineCounter } from 'yaml'

/** Both from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** What says where an offset is. */
export function placesIn(text: string): (offset: number) => Place {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) lines.addNewLine(i + 1)
  return offset => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
}
