/** TCP options (nftables 1.1.3, src/tcpopt.c). */
import { type Option, option } from './option.js'

const KIND = 'kind integer 0 8'
const BEGINNING = `${KIND}
  length integer 8 8`
/** Up to four blocks: `sack` is the first of them, without its number. */
const sack = (name: string, block: number): Option =>
  option(
    name,
    5,
    `${BEGINNING}
    left integer ${16 + 64 * block} 32
    right integer ${48 + 64 * block} 32`,
  )

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
  sack('sack', 0),
  sack('sack0', 0),
  sack('sack1', 1),
  sack('sack2', 2),
  sack('sack3', 3),
  option(
    'timestamp',
    8,
    `${BEGINNING}
    tsval integer 16 32
    tsecr integer 48 32`,
  ),
  option('echo', 6, BEGINNING),
  option('echo-reply', 7, BEGINNING),
  option('md5sig', 19, BEGINNING),
  option(
    'mptcp',
    30,
    `${BEGINNING}
    subtype integer 16 4`,
  ),
  option('fastopen', 34, BEGINNING),
]
