/** What answers TCP's handshakes, and other statements that stand alone (src/parser_json.c). */
import { BadValue } from '../../../netlink/schema.js'
import { at, fieldsOf, optionalNumber, singleOf, wordsIn } from '../../json/fields.js'
import type { Lowering } from '../lowering.js'
import { tcpOptionPlace } from '../selectors/option.js'
import { object } from './stateful.js'

export function synproxy(given: unknown, rule: Lowering): void {
  const isNamed = typeof given === 'string' || (given !== null && typeof given === 'object' && 'map' in given)
  if (isNamed) return object('synproxy')(given, rule)
  const fields = given === null ? {} : fieldsOf(given, ['mss', 'wscale', 'flags'])
  const mss = optionalNumber(fields, 'mss', 0, 0xffff)
  const windowScale = optionalNumber(fields, 'wscale', 0, 14)
  const words = wordsIn(fields, 'flags', ['timestamp', 'sack-perm'] as const) ?? []
  rule.add({
    kind: 'synproxy',
    mss: mss ?? 0,
    windowScale: windowScale ?? 0,
    flags: [
      ...(mss === undefined ? [] : (['mss'] as const)),
      ...(windowScale === undefined ? [] : (['window-scale'] as const)),
      ...(words.includes('sack-perm') ? (['sack-permitted'] as const) : []),
      ...(words.includes('timestamp') ? (['timestamp'] as const) : []),
    ],
  })
}

/** Overwrites a TCP option. */
export function reset(given: unknown, rule: Lowering): void {
  const [word, option] = singleOf(given, ['tcp option'])
  const { type } = at(word, () => tcpOptionPlace(option))
  rule.add({ kind: 'exthdr', type, operation: 'tcpopt' })
}

export function notrack(_: unknown, rule: Lowering): void {
  rule.add({ kind: 'notrack' })
}

export function xt(): void {
  throw new BadValue('type', 'extensions of xtables can not be written: iptables-nft owns them')
}
