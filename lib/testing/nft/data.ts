/** What registers and elements hold (nf_tables_api.c, nft_data_init): bytes, or a verdict. */
import type { MessageWriter } from '../../netlink/buffer.js'
import { EINVAL, ENOENT, EOPNOTSUPP, EOVERFLOW, Errno } from '../errno.js'
import { binary, nestedRule, type Policy, string, u32Rule } from '../policy.js'
import { type Nest, putBe32, putBytes, putNest, putText } from './attributes.js'
import { type Chain, chainFlag, type Table } from './state.js'
import type { Transaction } from './transaction.js'

/** NFT_DATA_VALUE_MAXLEN: of keys. */
export const KEY_LENGTH = 64
/** `struct nft_data`: of what expressions hold. */
export const VALUE_LENGTH = 16
/** NFT_JUMP, NFT_GOTO */
export const JUMP = 0xfffffffd
export const GOTO = 0xfffffffc
/** NF_DROP, NF_ACCEPT; NFT_CONTINUE, NFT_BREAK, NFT_RETURN */
const PLAIN_VERDICTS = [0, 1, 0xffffffff, 0xfffffffe, 0xfffffffb]

export const dataPolicy: Policy = { 1: binary(KEY_LENGTH), 2: nestedRule }
const verdictPolicy: Policy = { 1: u32Rule, 2: string(255), 3: u32Rule }

export interface Verdict {
  readonly code: number
  /** Where it jumps to. */
  readonly chain: Chain | undefined
}

export type Data = Uint8Array | Verdict

export const isVerdict = (data: Data): data is Verdict => !(data instanceof Uint8Array)

/** Where the names in a verdict are looked up. */
export interface Scope {
  readonly table: Table
  readonly transaction: Transaction
}

/** The bytes of a data attribute, at most `size`; `length` of them if it is given. */
export function readValue(attributes: Nest, id: number, size: number, length?: number): Uint8Array {
  const nest = attributes.nest(id, dataPolicy)
  const value = nest.bytes(1)
  if (!value || value.length === 0) throw new Errno(EINVAL)
  if (value.length > size) throw new Errno(EOVERFLOW)
  if (length !== undefined && value.length !== length) throw new Errno(EINVAL)
  return value
}

/** The verdict of a data attribute. It counts as a user of the chain that it jumps to. */
export function readVerdict(attributes: Nest, id: number, scope: Scope, ofElement = false): Verdict {
  const nest = attributes.nest(id, dataPolicy)
  if (nest.has(1) || !nest.has(2)) throw new Errno(EINVAL)
  const verdict = nest.nest(2, verdictPolicy)
  const code = verdict.be32(1)
  if (code === undefined) throw new Errno(EINVAL)
  if (PLAIN_VERDICTS.includes(code)) return { code, chain: undefined }
  if (code !== JUMP && code !== GOTO) throw new Errno(EINVAL)
  const chain = target(verdict, scope)
  if (chain.hook) throw new Errno(EOPNOTSUPP)
  if (chain.bound || (ofElement && chain.flags & chainFlag.binding)) throw new Errno(EINVAL)
  scope.transaction.use(chain, 1)
  return { code, chain }
}

function target(verdict: Nest, { table, transaction }: Scope): Chain {
  const name = verdict.text(2)
  const id = verdict.be32(3)
  if (name === undefined && id === undefined) throw new Errno(EINVAL)
  const chain = name !== undefined ? table.chains.get(name) : transaction.chains.get(id as number)
  if (!chain?.active || chain.table !== table) throw new Errno(ENOENT)
  return chain
}

/** nft_data_dump */
export function putData(writer: MessageWriter, id: number, data: Data): void {
  putNest(writer, id, () => {
    if (!isVerdict(data)) return putBytes(writer, 1, data)
    const { code, chain } = data
    putNest(writer, 2, () => {
      putBe32(writer, 1, code)
      if (chain) putText(writer, 2, chain.name)
    })
  })
}
