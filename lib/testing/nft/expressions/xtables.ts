/** Matches and targets of xtables (net/netfilter/nft_compat.c). Their structures are kept and not looked into. */
import { EINVAL, ENOENT, Errno } from '../../errno.js'
import { binary, text, u32Rule } from '../../policy.js'
import { type ExpressionType, need, Told } from '../expression.js'

/** XT_EXTENSION_MAXNAMELEN without the NUL */
const NAME = 28
const INFO = 256

/** Names and revisions, as modules of Linux bring them, of those that iptables-nft writes most. */
const MATCHES = [
  'addrtype.1',
  'comment.0',
  'conntrack.3',
  'limit.0',
  'mark.1',
  'multiport.1',
  'state.0',
  'statistic.0',
  'tcp.0',
  'udp.0',
]
const TARGETS = ['CT.2', 'DNAT.2', 'LOG.0', 'MARK.2', 'MASQUERADE.0', 'REDIRECT.0', 'REJECT.0', 'SNAT.0', 'TCPMSS.0']
const FAMILIES = [2, 3, 7, 10]

function extension(name: string, known: readonly string[]): ExpressionType {
  return {
    name,
    families: FAMILIES,
    policy: { 1: text(NAME), 2: u32Rule, 3: binary(INFO) },
    select(_, attributes) {
      need(attributes, 1, 2, 3)
      if (!known.includes(`${attributes.text(1)}.${attributes.be32(2)}`)) throw new Errno(ENOENT)
    },
    init(_, attributes) {
      const info = attributes.bytes(3) as Uint8Array
      if (info.length % 8 !== 0) throw new Errno(EINVAL)
      return new Told().text(1, attributes.text(1)).be32(2, attributes.be32(2)).bytes(3, info)
    },
  }
}

export const xtables: readonly ExpressionType[] = [extension('match', MATCHES), extension('target', TARGETS)]
