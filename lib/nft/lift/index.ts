/** From the kernel's expressions back to the language (nftables 1.1.3, src/netlink_delinearize.c). */
import { BadValue } from '../../netlink/schema.js'
import type { Expression } from '../expressions/index.js'
import type * as json from '../json/index.js'
import type { Rule } from '../types.js'
import { bitwiseValue, byteorderValue, hashValue } from './calculate.js'
import type { LiftContext } from './context.js'
import { forget } from './dependencies.js'
import { readCmp, readLookup, readRange } from './match.js'
import { readDup, readFwd, readNat, readPortNat, readQueue, readTproxy } from './nat.js'
import { add, type Reading, readingOf } from './reading.js'
import { readDynset, statefulStatement } from './set-statement.js'
import { sourceOf } from './source.js'
import { readImmediate, readLog, readObjref, readReject, readSynproxy } from './statement.js'
import { Unliftable, unliftable } from './value.js'
import { writeCt, writeMeta, writeOption, writePayload } from './write.js'

export type { LiftContext } from './context.js'

/**
 * The statements of a rule, as `nft -j` prints them. Where its expressions are none that the language can say, one statement with all of
 * them: nothing of a rule is lost.
 */
export function liftRule(rule: Pick<Rule, 'expressions'>, context: LiftContext): readonly json.Statement[] {
  try {
    const reading = readingOf(context)
    for (const expression of rule.expressions) read(reading, expression)
    if (reading.registers.unread) unliftable('registers that nothing looks at')
    return reading.entries.flatMap(({ statement }) => statement ?? [])
  } catch (error) {
    // Sets that do not fit what is looked up have values that are none of its type.
    if (error instanceof Unliftable || error instanceof BadValue) return [{ bytecode: rule.expressions }]
    throw error
  }
}

type Reader<K extends Expression['kind']> = (reading: Reading, expression: Extract<Expression, { readonly kind: K }>) => void

/** Statements; what is not here only loads something. */
const READERS: { readonly [K in Expression['kind']]?: Reader<K> } = {
  cmp: readCmp,
  range: readRange,
  lookup: readLookup,
  immediate: readImmediate,
  nat: readNat,
  masq: readPortNat,
  redir: readPortNat,
  tproxy: readTproxy,
  dup: readDup,
  fwd: readFwd,
  queue: readQueue,
  log: readLog,
  synproxy: readSynproxy,
  reject: readReject,
  objref: readObjref,
  dynset: readDynset,
  counter: readStateful,
  limit: readStateful,
  quota: readStateful,
  connlimit: readStateful,
  last: readStateful,
  notrack: reading => {
    add(reading, { notrack: null })
  },
  flow_offload: (reading, { flowtable }) => {
    add(reading, { flow: { op: 'add', flowtable: `@${flowtable}` } })
  },
  match: (reading, { name }) => {
    add(reading, { xt: { type: 'match', name } })
  },
  target: (reading, { name }) => {
    add(reading, { xt: { type: 'target', name } })
  },
  bitwise: (reading, expression) => reading.registers.set(expression.destination, bitwiseValue(reading, expression)),
  byteorder: (reading, expression) => reading.registers.set(expression.destination, byteorderValue(reading, expression)),
  hash: (reading, expression) => reading.registers.set(expression.destination, hashValue(reading, expression)),
}

function readStateful(reading: Reading, expression: Parameters<typeof statefulStatement>[0]): void {
  add(reading, (statefulStatement(expression, false) ?? unliftable(expression.kind)) as json.Statement)
}

function read(reading: Reading, expression: Expression): void {
  const before = reading.entries.length
  if (!write(reading, expression)) readOne(reading, expression)
  const last = reading.entries.at(-1)?.statement
  if (reading.entries.length > before && last && !('match' in last)) forget(reading.packet)
}

function readOne(reading: Reading, expression: Expression): void {
  const reader = READERS[expression.kind] as Reader<Expression['kind']> | undefined
  if (reader) return reader(reading, expression)
  const value = sourceOf(expression, reading.context.family) ?? unliftable(expression.kind)
  const { destination = 0 } = (expression.kind === 'inner' ? expression.expression : expression) as { destination?: number }
  reading.registers.set(destination, value)
}

/** Expressions that load, and change with a source. */
function write(reading: Reading, expression: Expression): boolean {
  switch (expression.kind) {
    case 'meta':
      if (expression.source === undefined) return false
      writeMeta(reading, expression)
      return true
    case 'ct':
      if (expression.source === undefined) return false
      writeCt(reading, expression)
      return true
    case 'payload':
      if (expression.source === undefined) return false
      writePayload(reading, expression)
      return true
    case 'exthdr':
      if (expression.destination !== undefined) return false
      writeOption(reading, expression)
      return true
    default:
      return false
  }
}
