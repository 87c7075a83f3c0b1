import type { MessageReader, MessageWriter } from '../../netlink/buffer.js'
import { BadValue, shown } from '../../netlink/schema.js'
import type { Family, Table } from '../types.js'
import { joinComment, splitComment } from '../user-data.js'
import { tableAttributes } from '../wire.js'
import { bitsOf, wordsOf } from './bits.js'
import { named, needed } from './needed.js'

/** NFT_TABLE_F_* */
const FLAGS = { dormant: 1, owner: 2, persist: 4 } as const
/** NFTNL_UDATA_TABLE_COMMENT */
const COMMENT = 0

export function writeTable(writer: MessageWriter, table: Table): void {
  const { name, flags = [], unknown } = table
  named({ name })
  const bits = bitsOf(flags, FLAGS, 'flags')
  if (bits & FLAGS.persist && !(bits & FLAGS.owner))
    throw new BadValue('type', `${shown(flags)}: "persist" needs "owner" beside it`).within('flags')
  // User data comes with a new table only: the kernel does not look at it where the table is there.
  tableAttributes.encode(writer, { name, flags: bits, userData: joinComment(table, COMMENT), unknown })
}

export function writeTableKey(
  writer: MessageWriter,
  { name, handle }: { readonly name?: string | undefined; readonly handle?: number | undefined },
): void {
  // Without either the kernel would remove every table there is.
  if (handle === undefined) needed({ name })
  tableAttributes.encode(writer, name === undefined ? { handle } : { name })
}

export function readTable(family: Family, reader: MessageReader, start: number, end: number): Table | undefined {
  const record = tableAttributes.decode(reader, start, end)
  if (!record) return undefined
  const { name = '', flags = 0, userData, ...others } = record
  return { family, name, ...(flags !== 0 && { flags: wordsOf(flags, FLAGS) }), ...others, ...splitComment(userData, COMMENT) }
}
