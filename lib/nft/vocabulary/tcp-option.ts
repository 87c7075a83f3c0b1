/** TCP options (nftables 1.1.3, src/tcpopt.c). */
import { type Option, option } from './option.js'

const KIND = 'kind integer 0 8'
const BEGINNING = `${KIND}
  length integer 8 8`
/** Up to four blocks: `sack` is the first of them, without its number. */
const block = (number: number): string => `
    left integer ${16 + 64 * number} 32
    right integer ${48 + 64 * number} 32`

/** In nft's order: the first one that has what the kernel loads is what is printed. */
export const TCP_OPTIONS: readonly Option[] = [
  option('eol', 0, KIND),
  option('nop', 1, KIND),
  option(
    'maxseg',
    2,
    `${BEGINNING}
    size integer 16 16`,
  ),
  option(
    'window',
    3,
    `${BEGINNING}
    count integer 16 8`,
  ),
  option('sack-perm', 4, BEGINNING),
  option('sack', 5, `${BEGINNING}${block(0)}`),
  option('sack0', 5, `${BEGINNING}${block(0)}`),
  option('sack1', 5, block(1)),
  option('sack2', 5, block(2)),
  option('sack3', 5, block(3)),
  option(
    'timestamp',
    8,
    `${BEGINNING}
    tsval integer 16 32
    tsecr integer 48 32`,
  ),
  option('md5sig', 19, BEGINNING),
  option(
    'mptcp',
    30,
    `${BEGINNING}
    subtype mptcp_subtype 16`,
  ),
  option('fastopen', 34, BEGINNING),
]
