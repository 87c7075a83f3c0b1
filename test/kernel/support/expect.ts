/** What cases assert again and again. */
import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { describeVirtualServer, NetlinkError, type Problem, type VirtualServerKey } from '../../../lib/ipvs/index.js'
import type { Answer } from './raw.js'

export interface Refusal {
  readonly problem: Problem
  readonly code: string
  /** What the reason has to tell: the remedy. */
  readonly reason: RegExp
  readonly operation?: string
  readonly target?: string
  readonly applied?: 'no' | 'yes' | 'unknown'
}

/** The kernel's refusal, as an error that says what to do. */
export function isRefusal(error: unknown, { reason, ...expected }: Refusal): asserts error is NetlinkError {
  assert.ok(error instanceof NetlinkError, `a NetlinkError, not ${String(error)}`)
  assert.match(error.reason, reason)
  const wanted = { applied: 'no', ...expected }
  const actual = Object.fromEntries(Object.keys(wanted).map(key => [key, error[key as keyof NetlinkError]]))
  assert.deepEqual(actual, wanted)
  const number = (constants.errno as Readonly<Record<string, number>>)[error.code]
  assert.equal(error.errno, number === undefined ? 0 : -number)
  for (const part of [error.reason, error.code, expected.target ?? ''])
    assert.ok(error.message.includes(part), `the message tells ${part}: ${error.message}`)
}

export async function refused(call: Promise<unknown>, expected: Refusal): Promise<NetlinkError> {
  const error = await call.then(
    value => assert.fail(`it went well: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  isRefusal(error, expected)
  return error
}

/** The kernel's answer to a raw request, by the name of the errno. */
export async function answers(call: Promise<Answer>, code: string, why?: string): Promise<Answer> {
  const answer = await call
  assert.equal(answer.code, code, why)
  return answer
}

/** All that an asynchronous sequence brings. */
export async function all<T>(sequence: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of sequence) items.push(item)
  return items
}

/** Waits until something is so, however long a slow machine takes, within reason, with a pause of so many milliseconds between two looks. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>, pause = 50): Promise<void> {
  const end = Date.now() + 120_000
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(`it never became so: ${what}`)
    await new Promise(resolve => setTimeout(resolve, pause))
  }
}

/** Reading one brings its counters, which are no configuration. */
export function withoutStatistics<T extends { statistics?: unknown }>(objects: readonly (T | undefined)[]): unknown[] {
  return objects.map(object => {
    if (object === undefined) return undefined
    const { statistics: _, ...rest } = object
    return rest
  })
}

/** Names of virtual servers, sorted. */
export function keysOf(virtualServers: readonly VirtualServerKey[]): string[] {
  return virtualServers.map(describeVirtualServer).sort()
}
