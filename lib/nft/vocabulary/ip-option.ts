/** Options of IPv4 (nftables 1.1.3, src/ipopt.c). */
import { type Option, option } from './option.js'

const BEGINNING = `
  type integer 0 8
  length integer 8 8`
const ROUTE = `${BEGINNING}
  ptr integer 16 8
  addr ipv4_addr 24`

export const IP_OPTIONS: readonly Option[] = [
  option('lsrr', 131, ROUTE),
  option('rr', 7, ROUTE),
  option('ssrr', 137, ROUTE),
  option(
    'ra',
    148,
    `${BEGINNING}
    value integer 16 16`,
  ),
]
