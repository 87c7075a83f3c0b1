/** Logging and queueing (src/evaluate.c, stmt_evaluate_log and stmt_evaluate_queue). */
import { BadValue, shown } from '../../../netlink/schema.js'
import type { Log, Queue } from '../../expressions/index.js'
import { at, fieldsOf, optionalNumber, optionalText, optionalWord, wordsIn } from '../../json/fields.js'
import { INTEGER } from '../../vocabulary/types.js'
import type { Shape } from '../../vocabulary/value-type.js'
import { spanOf } from '../constant.js'
import { emit, register } from '../emit.js'
import type { Lowering } from '../lowering.js'
import { behind } from '../operand.js'
import { valueFor } from './value.js'

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'] as const
const FLAGS = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether', 'all'] as const
const ALL = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'] as const
const U16 = 0xffff
const U32 = 0xffff_ffff

export function log(given: unknown, rule: Lowering): void {
  const fields = given === null ? {} : fieldsOf(given, ['prefix', 'group', 'snaplen', 'queue-threshold', 'level', 'flags'])
  const prefix = optionalText(fields, 'prefix')
  const group = optionalNumber(fields, 'group', 0, U16)
  const snaplen = optionalNumber(fields, 'snaplen', 0, U32)
  const queueThreshold = optionalNumber(fields, 'queue-threshold', 0, U16)
  const level = optionalWord(fields, 'level', LEVELS)
  const flags = wordsIn(fields, 'flags', FLAGS)?.flatMap(flag => (flag === 'all' ? ALL : [flag]))
  const toGroup = group !== undefined
  if (toGroup && level !== undefined)
    throw new BadValue('type', 'give group or level, not both: packets go to a group or to the log').within('level')
  if (toGroup && flags !== undefined) throw new BadValue('type', 'is only of the log, not of a group').within('flags')
  const expression: Log = {
    kind: 'log',
    ...(prefix !== undefined && { prefix }),
    ...(toGroup ? { group, snaplen, queueThreshold } : { level: level ?? 'warn', flags: flags ?? [] }),
  }
  rule.add(expression)
}

const NUMBER: Shape = { type: INTEGER, bits: 16, order: 'host' }

export function queue(given: unknown, rule: Lowering): void {
  const fields = given === null ? {} : fieldsOf(given, ['num', 'flags'])
  const flags = wordsIn(fields, 'flags', ['bypass', 'fanout'] as const)
  const more: Pick<Queue, 'flags'> = { flags: flags ?? [] }
  const { num } = fields
  if (flags?.includes('fanout') && behind(num, 'range') === undefined)
    throw new BadValue('type', 'fanout is for several queues: give them as { "range": [first, last] }').within('flags')
  if (num === undefined) return rule.add({ kind: 'queue', number: 0, total: 1, ...more })
  at('num', () => {
    if (typeof num === 'number' || typeof num === 'string' || behind(num, 'range') !== undefined) {
      const { from, to } = spanOf(num, NUMBER)
      const total = Number(to - from + 1n)
      if (total > U16) throw new BadValue('range', `${shown(num)}: are too many queues: give ${U16} at most`)
      return rule.add({ kind: 'queue', number: Number(from), total, ...more })
    }
    const value = valueFor(num, NUMBER, rule)
    rule.add(...emit(value), { kind: 'queue', source: register(0), ...more })
  })
}
