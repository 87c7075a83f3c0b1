/** Names that the machine's own files give to numbers. Each file is read once, when the first of its names is asked for. */
import { readFileSync } from 'node:fs'
import type { Symbols } from './symbols.js'

/** A file that is not there has no names, as for nft. */
function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** Files with a number and a name a line, as iproute2 has them (nftables, src/rt.c: rt_symbol_table_init). */
const numbersFirst = (path: string): (() => Symbols) =>
  once(() =>
    linesOf(path).flatMap((line): Symbols => {
      const [, number, name] = /^\s*(0x[0-9a-f]+|\d+)\s+([^\s#]+)/i.exec(line) ?? []
      return number === undefined || name === undefined ? [] : [[name, BigInt(number)]]
    }),
  )

export const marks = numbersFirst('/etc/iproute2/rt_marks')
export const realms = numbersFirst('/etc/iproute2/rt_realms')
export const deviceGroups = numbersFirst('/etc/iproute2/group')
export const connectionLabels = numbersFirst('/etc/xtables/connlabel.conf')

/** `/etc/protocols`: the first name of a number is the one that is printed, the others are understood. */
const protocolFile = once(() =>
  linesOf('/etc/protocols').flatMap((line): Symbols => {
    const [name, number, ...aliases] = (line.split('#')[0] as string).trim().split(/\s+/)
    if (name === undefined || number === undefined || !/^\d+$/.test(number)) return []
    return [name, ...aliases].map(word => [word, BigInt(number)] as const)
  }),
)

/** Those that nft's own grammar knows, for machines without that file. */
const PROTOCOLS: Symbols = [
  ['icmp', 1n],
  ['igmp', 2n],
  ['tcp', 6n],
  ['udp', 17n],
  ['dccp', 33n],
  ['gre', 47n],
  ['esp', 50n],
  ['ah', 51n],
  ['ipv6-icmp', 58n],
  ['comp', 108n],
  ['sctp', 132n],
  ['udplite', 136n],
]

export const internetProtocols = once((): Symbols => (protocolFile().length > 0 ? protocolFile() : PROTOCOLS))

/** `/etc/services`: the ports of all protocols together; they are only read, never printed. */
export const services = once(() =>
  linesOf('/etc/services').flatMap((line): Symbols => {
    const [name, port, ...aliases] = (line.split('#')[0] as string).trim().split(/\s+/)
    const number = /^(\d+)\//.exec(port ?? '')?.[1]
    return name === undefined || number === undefined ? [] : [name, ...aliases].map(word => [word, BigInt(number)] as const)
  }),
)

const accounts = (path: string): (() => Symbols) =>
  once(() =>
    linesOf(path).flatMap((line): Symbols => {
      const [name, , number] = line.split(':')
      return name === undefined || number === undefined || !/^\d+$/.test(number) ? [] : [[name, BigInt(number)]]
    }),
  )

export const users = accounts('/etc/passwd')
export const groups = accounts('/etc/group')
