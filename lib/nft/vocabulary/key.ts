/** What is known of packets beside their bytes: a key each. */
import type { ByteOrder } from '../data-types.js'
import { knownType } from './types.js'
import type { ValueType } from './value-type.js'

export interface Key {
  /** As JSON and text write it. */
  readonly name: string
  /** As the kernel's expression has it. */
  readonly kernel: string
  readonly type: ValueType
  readonly bits: number
  readonly order: ByteOrder
}

/** A line is `name type bits`, and the order where it is not that of the machine; `_` in a name is a blank. */
export function keys(text: string, kernel: Readonly<Record<string, string>> = {}): readonly Key[] {
  return text
    .trim()
    .split('\n')
    .map(line => {
      const [written = '', word = '', bits, order] = line.trim().split(/\s+/)
      const name = written.replaceAll('_', ' ')
      const type = knownType(word)
      const own = type.order === 'network' ? 'network' : 'host'
      return { name, kernel: kernel[name] ?? name, type, bits: Number(bits ?? type.bits), order: (order ?? own) as ByteOrder }
    })
}

export const keyNamed = (table: readonly Key[], name: string): Key | undefined => table.find(key => key.name === name)
/** By the kernel's word. */
export const keyOfKernel = (table: readonly Key[], kernel: string): Key | undefined => table.find(key => key.kernel === kernel)
