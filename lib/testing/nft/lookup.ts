/** Finds what attributes name (nf_tables_api.c, nft_table_lookup, nft_chain_lookup). */
import { EINVAL, ENOENT, EPERM, Errno } from '../errno.js'
import type { NetfilterRequest } from '../netfilter.js'
import { blaming, type Nest } from './attributes.js'
import type { Kernel } from './kernel.js'
import { type Chain, type Table, tableFlag } from './state.js'

/**
 * The table that an attribute names. Its errors do not point.
 *
 * @param portId of the socket that wants to change it; 0 to read it
 */
export function lookUpTable(kernel: Kernel, family: number, attributes: Nest, id: number, portId: number): Table {
  const name = attributes.text(id)
  if (name === undefined) throw new Errno(EINVAL)
  return owned(kernel.tables.get(`${family}/${name}`), portId)
}

/** The table, unless another socket owns it. */
export function owned(table: Table | undefined, portId: number): Table {
  if (!table) throw new Errno(ENOENT)
  if (table.flags & tableFlag.owner && portId !== 0 && table.owner !== portId) throw new Errno(EPERM)
  return table
}

/** The table of what a message is about. */
export function tableOf({ family, attributes, socket }: NetfilterRequest, kernel: Kernel, id: number, reads = false): Table {
  return blaming(attributes.at(id), () => lookUpTable(kernel, family, attributes, id, reads ? 0 : socket.portId))
}

/** The chain that an attribute names. */
export function chainOf(table: Table, attributes: Nest, id: number): Chain {
  const name = attributes.text(id)
  if (name === undefined) throw new Errno(EINVAL)
  const chain = table.chains.get(name)
  if (!chain) throw attributes.refuse(ENOENT, id)
  return chain
}
