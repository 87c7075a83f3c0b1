/**
 * How the kernel checks attributes before it reads them (lib/nlattr.c, validate_nla), in the liberal mode that IPVS and nftables, being older than
 * the strict one, use: unknown attributes and longer numbers pass, shorter ones do not.
 */
import { align4, type MessageReader } from '../netlink/buffer.js'
import { attributes, cstring, nested, u32, u64 } from '../netlink/schema.js'
import { readBe32 } from '../netlink/values.js'
import { EINVAL, ERANGE, Errno } from './errno.js'

/** What one attribute has to be. */
export type Rule =
  | { readonly kind: 'u8' | 'u16' | 'u32' | 'u64' | 'nested' }
  /** 32 bits in network byte order, at most so much. */
  | { readonly kind: 'be32'; readonly maximum: number }
  /** 32 bits in network byte order, none but these. */
  | { readonly kind: 'flags'; readonly mask: number }
  /** Attributes whose numbers do not matter, each a nest. */
  | { readonly kind: 'array'; readonly policy: Policy }
  /** At most so many bytes. */
  | { readonly kind: 'binary'; readonly maximum: number }
  /** At most so many characters and a NUL. */
  | { readonly kind: 'text'; readonly maximum: number }
  /** The same, and the NUL may be missing. */
  | { readonly kind: 'string'; readonly maximum: number }
  /** At least so many bytes, of which the kernel tells nobody. */
  | { readonly kind: 'unspecified'; readonly minimum: number }

/** The rules of a nest, by the attributes' numbers. */
export type Policy = Readonly<Record<number, Rule>>

export const u8Rule: Rule = { kind: 'u8' }
export const u16Rule: Rule = { kind: 'u16' }
export const u32Rule: Rule = { kind: 'u32' }
export const u64Rule: Rule = { kind: 'u64' }
export const nestedRule: Rule = { kind: 'nested' }
export const binary = (maximum: number): Rule => ({ kind: 'binary', maximum })
export const text = (maximum: number): Rule => ({ kind: 'text', maximum })
export const string = (maximum: number): Rule => ({ kind: 'string', maximum })
export const be32Rule = (maximum: number): Rule => ({ kind: 'be32', maximum })
export const flagsRule = (mask: number): Rule => ({ kind: 'flags', mask })
export const arrayRule = (policy: Policy): Rule => ({ kind: 'array', policy })

/** What an acknowledgement says besides its error (`struct netlink_ext_ack`). */
export interface Report {
  message?: string
  /** Where in the message the attribute at fault begins. */
  offset?: number
  rule?: Rule
}

/** Where an attribute's payload stands in the request. */
export interface Payload {
  readonly start: number
  readonly end: number
}

/** The attributes from `start` to `end` by their numbers, the last of each (__nla_validate_parse). Throws an `Errno` for the first that breaks its rule. */
export function parse(reader: MessageReader, start: number, end: number, policy: Policy, report: Report): Map<number, Payload> {
  const found = new Map<number, Payload>()
  let offset = start
  while (offset + 4 <= end) {
    const length = reader.u16[offset >> 1] as number
    if (length < 4 || offset + length > end) break
    const type = (reader.u16[(offset >> 1) + 1] as number) & 0x3fff
    const payload = { start: offset + 4, end: offset + length }
    const rule = policy[type]
    if (rule) check(rule, reader, payload, report)
    found.set(type, payload)
    offset += align4(length)
  }
  if (offset < end) report.message = 'bytes leftover after parsing attributes'
  return found
}

function check(rule: Rule, reader: MessageReader, payload: Payload, report: Report): void {
  const { start, end } = payload
  const errno = violation(rule, reader.bytes, payload)
  if (errno) {
    Object.assign(report, { message: 'Attribute failed policy validation', offset: start - 4, rule })
    throw new Errno(errno)
  }
  if (rule.kind === 'be32' && readBe32(reader, start) > rule.maximum) {
    Object.assign(report, { message: 'integer out of range', offset: start - 4, rule })
    throw new Errno(ERANGE)
  }
  if (rule.kind === 'flags' && readBe32(reader, start) & ~rule.mask) {
    Object.assign(report, { message: 'reserved bit set', offset: start - 4, rule })
    throw new Errno(EINVAL)
  }
  if (rule.kind === 'array')
    for (const entry of elements(reader, start, end))
      if (entry.end > entry.start) parse(reader, entry.start, entry.end, rule.policy, report)
}

/** The attributes from `start` to `end` in their order, whatever their numbers. */
export function* elements(reader: MessageReader, start: number, end: number): Generator<Payload & { readonly type: number }> {
  for (let offset = start; offset + 4 <= end; ) {
    const length = reader.u16[offset >> 1] as number
    if (length < 4 || offset + length > end) return
    yield { type: (reader.u16[(offset >> 1) + 1] as number) & 0x3fff, start: offset + 4, end: offset + length }
    offset += align4(length)
  }
}

const SIZES = { u8: 1, u16: 2, u32: 4, u64: 8, be32: 4, flags: 4 } as const

function violation(rule: Rule, bytes: Uint8Array, { start, end }: Payload): number {
  const length = end - start
  switch (rule.kind) {
    case 'nested':
    case 'array':
      return length > 0 && length < 4 ? ERANGE : 0
    case 'binary':
      return length > rule.maximum ? ERANGE : 0
    case 'unspecified':
      return length < rule.minimum ? ERANGE : 0
    case 'text':
      if (!bytes.subarray(start, Math.min(end, start + rule.maximum + 1)).includes(0)) return EINVAL
      return length - (bytes[end - 1] === 0 ? 1 : 0) > rule.maximum ? ERANGE : 0
    case 'string':
      return length < 1 || length - (bytes[end - 1] === 0 ? 1 : 0) > rule.maximum ? ERANGE : 0
    default:
      return length < SIZES[rule.kind] ? ERANGE : 0
  }
}

/** A rule as the kernel writes it into an acknowledgement (net/netlink/policy.c, netlink_policy_dump_write_attr). */
const describedRule = attributes({
  minimum: [4, u64],
  maximum: [5, u64],
  maximumLength: [7, u32],
  mask: [12, u64],
  type: [1, u32],
})

/** What follows the error in an acknowledgement (net/netlink/af_netlink.c, netlink_ack_tlv_fill). */
export const reportTable = attributes({ message: [1, cstring], offset: [2, u32], rule: [4, nested(describedRule)] })

/** A rule in the shape of `reportTable`. */
export function describeRule(rule: Rule | undefined): Parameters<typeof describedRule.encode>[1] | undefined {
  switch (rule?.kind) {
    case 'u8':
      return { minimum: 0n, maximum: 0xffn, type: 2 }
    case 'u16':
      return { minimum: 0n, maximum: 0xffffn, type: 3 }
    case 'u32':
      return { minimum: 0n, maximum: 0xffff_ffffn, type: 4 }
    case 'u64':
      return { minimum: 0n, maximum: 0xffff_ffff_ffff_ffffn, type: 5 }
    case 'be32':
      return { minimum: 0n, maximum: BigInt(rule.maximum), type: 4 }
    case 'flags':
      return { mask: BigInt(rule.mask), type: 4 }
    case 'binary':
      return { maximumLength: rule.maximum, type: 10 }
    case 'string':
      return { maximumLength: rule.maximum, type: 11 }
    case 'array':
      return { type: 14 }
    case 'text':
      return { maximumLength: rule.maximum, type: 12 }
    case 'nested':
      return { type: 13 }
    default:
      return undefined
  }
}
