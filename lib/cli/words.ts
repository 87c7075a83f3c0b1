/** Words of the command line that stand for objects: namespaces, virtual servers, durations. */
import type { Netns, RealServerKey, VirtualServerKey } from '../ipvs/index.js'
import { canonicalAddress } from '../netlink/address.js'
import { CommandError } from './io.js'

/** `blue`, `/run/netns/blue`, `1234`. */
export function parseNetns(word: string): Netns {
  if (/^\d+$/.test(word)) return { pid: Number(word) }
  return word.includes('/') ? { path: word } : { name: word }
}

const ENDPOINT = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<v4>[0-9.]+)):(?<port>\d{1,5})$/

function parseEndpoint(word: string, what: string, example: string): RealServerKey {
  const { v4, v6, port } = ENDPOINT.exec(word)?.groups ?? {}
  const address = canonicalAddress(v4 ?? v6 ?? '')
  if (address === undefined || Number(port) > 65535) throw new CommandError(`${what} ${word}: give it as ${example}`)
  return { address, port: Number(port) }
}

/** `tcp:10.0.0.1:80`, `udp:[2001:db8::1]:53`, `fwmark:7`, `fwmark:7:ipv6`: the same words as in the output, joined by colons. */
export function parseVirtualServer(word: string): VirtualServerKey {
  const { mark, family = 'ipv4' } = /^fwmark:(?<mark>\d+)(?::(?<family>ipv4|ipv6))?$/.exec(word)?.groups ?? {}
  if (mark !== undefined) {
    const firewallMark = Number(mark)
    if (firewallMark < 1 || firewallMark > 0xffffffff)
      throw new CommandError(`virtual server ${word}: give a mark from 1 to 4294967295`)
    return { firewallMark, family: family as 'ipv4' | 'ipv6' }
  }
  const { protocol, endpoint = '' } = /^(?<protocol>tcp|udp|sctp):(?<endpoint>.*)$/.exec(word)?.groups ?? {}
  const example = 'tcp:10.0.0.1:80, udp:[2001:db8::1]:53 or fwmark:7'
  if (protocol === undefined) throw new CommandError(`virtual server ${word}: give it as ${example}`)
  return { protocol: protocol as 'tcp', ...parseEndpoint(endpoint, `virtual server ${word}, address and port`, example) }
}

/** Where to listen: `0.0.0.0:10256`, `[::]:10256`. */
export function parseBind(word: string, option: string): { readonly address: string; readonly port: number } {
  return parseEndpoint(word, option, '0.0.0.0:10256 or [::]:10256')
}

/** `10.1.0.1:8080`, `[2001:db8::9]:53`. */
export function parseRealServer(word: string): RealServerKey {
  return parseEndpoint(word, 'real server', '10.1.0.1:8080 or [2001:db8::9]:8080')
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 }

/** Seconds: timers of Node.js count milliseconds in 31 bits, and one that is longer ends at once. */
const LONGEST = 2_147_483

/** `30s`, `500ms`, `5m`, `1.5h`; without a unit it is seconds. Returns seconds, at least `minimum`, at most what a timer takes. */
export function parseDuration(word: string, option: string, minimum = 0): number {
  const { number, unit = 's' } = /^(?<number>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)?$/.exec(word)?.groups ?? {}
  if (number === undefined) throw new CommandError(`${option} ${word}: give a time as 30s, 500ms, 5m or 1h`)
  const seconds = Number(number) * (UNITS[unit] ?? 1)
  if (seconds < minimum) throw new CommandError(`${option} ${word}: give at least ${minimum * 1000}ms`)
  if (seconds > LONGEST) throw new CommandError(`${option} ${word}: give at most ${LONGEST}s, which is 24 days`)
  return seconds
}

/** Time between two looks at the kernel, in seconds. */
export function parseInterval(word: string): number {
  return parseDuration(word, '--interval', 0.01)
}
