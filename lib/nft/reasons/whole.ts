/** What the transaction as a whole was refused for: the kernel points at no command. */

import { whyNotPermitted } from '../../netlink/permission.js'
import type { partsOf } from '../commands.js'
import type { Chain, NftSet } from '../types.js'
import type { Meaning } from './reason.js'

type Parts = ReturnType<typeof partsOf>

export const NO_NFTABLES =
  'this kernel has no nftables: it has to be built with CONFIG_NF_TABLES, and to load nf_tables (modprobe nf_tables)'

export function meaningOfWhole(code: string, commands: readonly Parts[]): Meaning {
  switch (code) {
    case 'EPERM':
      return { problem: 'not-permitted', why: whyNotPermitted() }
    case 'ENOTSUP':
      return {
        problem: 'not-supported',
        why: `${NO_NFTABLES}; or a device does not take the rules that are to be offloaded to it`,
      }
    case 'ENOMEM':
      return { problem: 'no-memory', why: noMemory(commands) }
    case 'EINVAL':
      return { problem: 'invalid', why: unbound(commands) }
    default:
      return { problem: 'other', why: 'the kernel took each of the commands, and could not carry them out together' }
  }
}

/** A set that gets a `size` may be a hash table of so many buckets from the beginning (nft_hash_buckets). */
function noMemory(commands: readonly Parts[]): string {
  const sizes = commands.map(({ word, object }) => (word === 'set' ? ((object as NftSet).size ?? 0) : 0))
  const largest = Math.max(0, ...sizes)
  const hint =
    largest > 0 ? `; it makes room for the \`size\` of sets at once: commands[${sizes.indexOf(largest)}] asks for ${largest}` : ''
  return `the kernel has no memory for one of the commands and does not say which${hint}`
}

/** nf_tables_commit: what belongs to a rule has to get one. */
function unbound(commands: readonly Parts[]): string {
  const places = commands.flatMap(({ word, object, verb }, i) =>
    (word === 'set' && (object as NftSet).flags?.includes('anonymous')) ||
    (word === 'chain' && (object as Chain).flags?.includes('binding'))
      ? [`commands[${i}].${verb}.${word}`]
      : [],
  )
  if (places.length === 0) return 'the kernel took each of the commands, and takes them together for invalid'
  return `an anonymous set, or a chain with the flag \`binding\`, has to be used by a rule of the same transaction: see ${places.join(', ')}`
}
