/** Extension headers, options and chunks: what the kernel's `exthdr` looks for by a number. */
import { fields } from './fields.js'
import type { HeaderField } from './protocol.js'

export interface Option {
  readonly name: string
  /** What the kernel looks for: IPPROTO_*, the kind of a TCP or IP option, the type of an SCTP chunk. */
  readonly type: number
  /** Of routing headers: what `rt type` is, for it decides which fields there are. */
  readonly routing?: number | undefined
  readonly fields: readonly HeaderField[]
}

export const option = (name: string, type: number, text: string, routing?: number): Option => ({
  name,
  type,
  fields: fields(text),
  ...(routing === undefined ? {} : { routing }),
})

export const optionNamed = (table: readonly Option[], name: string): Option | undefined =>
  table.find(option => option.name === name)

export const optionField = (option: Option, name: string): HeaderField | undefined =>
  option.fields.find(field => field.name === name)
