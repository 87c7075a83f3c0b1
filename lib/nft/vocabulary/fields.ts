/** Fields of headers as text, so that their tables can be read as a specification. */
import type { HeaderField } from './protocol.js'
import { knownType } from './types.js'

/**
 * A line is `name type offset bits`; without bits they are those of the type. `_` in a name is a blank; the type `raw` is a
 * number that text shows in hexadecimal.
 */
export function fields(text: string): readonly HeaderField[] {
  return text
    .trim()
    .split('\n')
    .map(line => {
      const [name = '', type = '', offset, bits] = line.trim().split(/\s+/)
      const known = knownType(type)
      return { name: name.replaceAll('_', ' '), type: known, offset: Number(offset), bits: Number(bits ?? known.bits) }
    })
}
