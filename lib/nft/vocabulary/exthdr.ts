/** Extension headers of IPv6 (nftables 1.1.3, src/exthdr.c). */
import { type Option, option } from './option.js'

const BEGINNING = `
  nexthdr inet_proto 0
  hdrlength integer 8 8`

/** In nft's order: the first one that has what the kernel loads is what is printed. */
export const EXTENSION_HEADERS: readonly Option[] = [
  option('hbh', 0, BEGINNING),
  option(
    'rt',
    43,
    `${BEGINNING}
    type integer 16 8
    seg-left integer 24 8`,
  ),
  option(
    'srh',
    43,
    `
    last-entry integer 32 8
    flags integer 40 8
    tag integer 48 16
    sid[1] ipv6_addr 64
    sid[2] ipv6_addr 192`,
    4,
  ),
  option(
    'rt2',
    43,
    `
    reserved integer 32 32
    addr ipv6_addr 64`,
    2,
  ),
  option(
    'rt0',
    43,
    `
    reserved integer 32 8
    addr[1] ipv6_addr 64
    addr[2] ipv6_addr 192`,
    0,
  ),
  option(
    'frag',
    44,
    `
    nexthdr inet_proto 0
    reserved integer 8 8
    frag-off integer 16 13
    reserved2 integer 29 2
    more-fragments integer 31 1
    id integer 32 32`,
  ),
  option('dst', 60, BEGINNING),
  option(
    'mh',
    135,
    `${BEGINNING}
    type mh_type 16
    reserved integer 24 8
    checksum integer 32 16`,
  ),
]
