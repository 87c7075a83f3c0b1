/**
 * Expressions whose type a set has, as nft keeps them with it: `typeof ip saddr . meta mark` (nftables 1.1.3, expr_ops.build_udata and
 * parse_udata in src/).
 */
import { KEYS as CT_NUMBERS } from '../expressions/ct.js'
import { KEYS as META_NUMBERS } from '../expressions/meta.js'
import type * as json from '../json/index.js'
import { META_ALIASES } from './meta.js'
import { CONCAT, decodeNode, encodeNode, type Node } from './typeof-nodes.js'
import * as packet from './typeof-payload.js'

type Numbers = ReadonlyMap<number, number>

/** What is written for expressions of one kind, and read back. */
interface Kind {
  /** EXPR_* */
  readonly number: number
  /** Undefined for what nft keeps no user data of. */
  toNode(given: never): Node | undefined
  fromNode(numbers: Numbers): json.Expression | undefined
}

const nameOf = (numbers: Readonly<Record<string, number>>, number: number | undefined): string | undefined =>
  Object.keys(numbers).find(name => numbers[name] === number)

/** An expression that is nothing but a key. */
function keyed(word: string, number: number, keys: Readonly<Record<string, number>>): Kind {
  return {
    number,
    toNode(given: Readonly<Record<string, { readonly key: string }>>) {
      const key = keys[given[word]?.key ?? '']
      return key === undefined ? undefined : { kind: number, numbers: [[0, key]] }
    },
    fromNode(numbers) {
      const key = nameOf(keys, numbers.get(0))
      return key === undefined ? undefined : ({ [word]: { key } } as unknown as json.Expression)
    },
  }
}

const META = keyed('meta', 9, META_NUMBERS)
const DIRECTIONS = ['original', 'reply'] as const
const ANY_DIRECTION = 0xffff_ffff
const NEXTHOPS = { ip: 1, ip6: 2 } as const
const RT_KEYS = { classid: 0, mtu: 3, ipsec: 4 }
const RT = keyed('rt', 25, RT_KEYS)
const FIB_RESULTS = ['', 'oif', 'oifname', 'type'] as const
/** NFTA_FIB_F_* */
const FIB_FLAGS = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16 } as const
/** NFTA_FIB_F_PRESENT: the result is whether there is one. */
const FIB_PRESENT = 32
const IPSEC_KEYS = { 'ip daddr': 1, 'ip6 daddr': 2, 'ip saddr': 3, 'ip6 saddr': 4, reqid: 5, spi: 6 } as const
const SYMHASH = 1

const KINDS: Readonly<Record<string, Kind>> = {
  payload: { number: packet.PAYLOAD, toNode: packet.payloadToNode, fromNode: packet.payloadFromNode },
  exthdr: { number: packet.EXTHDR, toNode: packet.exthdrToNode, fromNode: packet.exthdrFromNode },
  'tcp option': { number: packet.EXTHDR, toNode: packet.tcpOptionToNode, fromNode: packet.exthdrFromNode },
  'ip option': { number: packet.EXTHDR, toNode: packet.ipOptionToNode, fromNode: packet.exthdrFromNode },
  'sctp chunk': { number: packet.EXTHDR, toNode: packet.sctpChunkToNode, fromNode: packet.exthdrFromNode },
  'dccp option': { number: packet.EXTHDR, toNode: packet.dccpOptionToNode, fromNode: packet.exthdrFromNode },
  meta: {
    ...META,
    toNode: ({ meta: { key } }: json.MetaExpression) => META.toNode({ meta: { key: META_ALIASES[key] ?? key } } as never),
  },
  socket: keyed('socket', 10, { transparent: 0, mark: 1, wildcard: 2, cgroupv2: 3 }),
  osf: { number: 11, toNode: () => ({ kind: 11, numbers: [] }), fromNode: () => ({ osf: { key: 'name' } }) },
  ct: {
    number: 12,
    toNode({ ct: { key, family, dir } }: json.CtExpression) {
      const number = (CT_NUMBERS as Readonly<Record<string, number>>)[family === undefined ? key : `${family} ${key}`]
      if (number === undefined) return undefined
      return {
        kind: 12,
        numbers: [
          [0, number],
          [1, dir === undefined ? ANY_DIRECTION : DIRECTIONS.indexOf(dir)],
        ],
      }
    },
    fromNode(numbers) {
      const key = nameOf(CT_NUMBERS, numbers.get(0))
      const dir = DIRECTIONS[numbers.get(1) ?? ANY_DIRECTION]
      return key === undefined ? undefined : { ct: { key, ...(dir && { dir }) } }
    },
  },
  numgen: {
    number: 23,
    toNode: ({ numgen: { mode, mod, offset = 0 } }: json.NumgenExpression) => ({
      kind: 23,
      numbers: [
        [0, mode === 'inc' ? 0 : 1],
        [1, mod],
        [2, offset],
      ],
    }),
    fromNode: numbers => ({
      numgen: { mode: numbers.get(0) === 1 ? 'random' : 'inc', mod: numbers.get(1) ?? 0, offset: numbers.get(2) ?? 0 },
    }),
  },
  symhash: {
    number: 24,
    toNode: ({ symhash: { mod, offset = 0 } }: json.SymhashExpression) => ({
      kind: 24,
      numbers: [
        [0, SYMHASH],
        [1, offset],
        [2, mod],
        [3, 0],
        [4, 0],
      ],
    }),
    // What jhash hashes is not kept: nft itself ends with a fault where it lists that.
    fromNode(numbers) {
      const offset = numbers.get(1) ?? 0
      return numbers.get(0) === SYMHASH ? { symhash: { mod: numbers.get(2) ?? 0, ...(offset > 0 && { offset }) } } : undefined
    },
  },
  rt: {
    number: 25,
    toNode({ rt: { key, family } }: json.RtExpression) {
      if (key !== 'nexthop') return RT.toNode({ rt: { key } } as never)
      return family && { kind: 25, numbers: [[0, NEXTHOPS[family]]] }
    },
    fromNode(numbers) {
      const family = nameOf(NEXTHOPS, numbers.get(0))
      return family === undefined ? RT.fromNode(numbers) : { rt: { key: 'nexthop', family: family === 'ip' ? 'ip' : 'ip6' } }
    },
  },
  fib: {
    number: 26,
    toNode({ fib: { result, flags } }: json.FibExpression) {
      const list = typeof flags === 'string' ? [flags] : flags
      const bits = list.reduce((sum, flag) => sum | FIB_FLAGS[flag], result === 'check' ? FIB_PRESENT : 0)
      const number = FIB_RESULTS.indexOf(result === 'check' ? 'oif' : result)
      return {
        kind: 26,
        numbers: [
          [0, number],
          [1, bits],
        ],
      }
    },
    fromNode(numbers) {
      const bits = numbers.get(1) ?? 0
      const result = bits & FIB_PRESENT ? 'check' : FIB_RESULTS[numbers.get(0) ?? 0]
      const flags = Object.entries(FIB_FLAGS).flatMap(([flag, bit]) => (bits & bit ? [flag as json.FibFlag] : []))
      return result ? { fib: { result, flags } } : undefined
    },
  },
  ipsec: {
    number: 27,
    toNode({ ipsec: { key, family, dir, spnum = 0 } }: json.IpsecExpression) {
      const number = (IPSEC_KEYS as Readonly<Record<string, number>>)[family === undefined ? key : `${family} ${key}`]
      if (number === undefined) return undefined
      return {
        kind: 27,
        numbers: [
          [0, number],
          [1, spnum],
          [2, dir === 'in' ? 0 : 1],
        ],
      }
    },
    fromNode(numbers) {
      const [, family, key] = /^(?:(ip6?) )?(.+)$/.exec(nameOf(IPSEC_KEYS, numbers.get(0)) ?? '') ?? []
      if (key === undefined) return undefined
      const dir = numbers.get(2) === 1 ? 'out' : 'in'
      return { ipsec: { key, ...(family && { family }), dir, spnum: numbers.get(1) ?? 0 } } as json.IpsecExpression
    },
  },
}

/** Undefined for expressions of which nft keeps nothing: the set then has their type alone. */
export function typeofToData(expression: json.Expression): Uint8Array | undefined {
  const node = nodeOf(expression)
  return node && encodeNode(node)
}

const OPERATORS: ReadonlySet<string> = new Set(['&', '|', '^', '<<', '>>'])

function nodeOf(expression: json.Expression): Node | undefined {
  const list = Array.isArray(expression) ? expression : (expression as Partial<json.ConcatExpression>).concat
  if (list === undefined) {
    const [word = '', given] = Object.entries(expression as object)[0] ?? []
    // Of what is calculated nft keeps the first operand.
    if (OPERATORS.has(word)) return nodeOf(given[0])
    return Object.hasOwn(KINDS, word) ? KINDS[word]?.toNode(expression as never) : undefined
  }
  const fields = (list as readonly json.Expression[]).map(nodeOf).filter(field => field !== undefined)
  return fields.length === list.length ? { kind: CONCAT, numbers: [], fields } : undefined
}

/** The expression; undefined for what is not known here. */
export function typeofFromData(bytes: Uint8Array): json.Expression | undefined {
  const node = decodeNode(bytes)
  return node && expressionOf(node)
}

/** EXPR_VERDICT */
const VERDICT = 1

/** What says that keys are mapped to verdicts. */
export const verdictData = (): Uint8Array => encodeNode({ kind: VERDICT, numbers: [] })

/** Whether data say so. */
export const isVerdictData = (bytes: Uint8Array): boolean => decodeNode(bytes)?.kind === VERDICT

function expressionOf({ kind, numbers, fields }: Node): json.Expression | undefined {
  if (!fields)
    return Object.values(KINDS)
      .find(({ number }) => number === kind)
      ?.fromNode(new Map(numbers))
  const concat = fields.map(expressionOf).filter(field => field !== undefined)
  // nft 1.0.6 writes one without fields where the types are given by name.
  return concat.length > 0 && concat.length === fields.length ? { concat } : undefined
}
