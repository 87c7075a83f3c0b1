/** What is told of changes: lines as a diff, or JSON. */
import { NetlinkError } from '../../ipvs/index.js'
import { hasColours, type Io, write } from '../io.js'
import { toJson } from '../json.js'
import type { Change, Outcome } from './changes.js'

/** SGR, by the sign of a line: green, yellow, red. */
const COLOURS: Readonly<Record<string, number>> = { '+': 32, '~': 33, '-': 31 }

function coloured(io: Io, line: string): string {
  return hasColours(io, io.stdout) ? `\x1b[${COLOURS[line[0] as string]}m${line}\x1b[39m` : line
}

/** Changes that are not carried out. */
export async function reportChanges(io: Io, changes: readonly Change[], json: boolean): Promise<void> {
  if (json) return reportJson(io, changes, [])
  const lines = changes.map(({ line }) => coloured(io, line))
  await write(io.stdout, lines.length > 0 ? `${lines.join('\n')}\n` : 'nothing to do\n')
}

/** What was carried out, and on the standard error output what was not. */
export async function reportOutcomes(io: Io, outcomes: readonly Outcome[], json: boolean): Promise<void> {
  const failures = outcomes.filter(({ error }) => error)
  for (const { change, applied, error } of failures)
    await write(io.stderr, `${io.program}: ${change.line}: ${reasonOf(error)}; applied: ${applied}\n`)
  const changes = outcomes.map(({ change }) => change)
  if (json) return reportJson(io, changes, outcomes)
  const lines = outcomes.filter(({ error }) => !error).map(({ change }) => coloured(io, change.line))
  await write(io.stdout, `${[...lines, count(outcomes)].join('\n')}\n`)
}

function reasonOf(error: Error | undefined): string {
  return error instanceof NetlinkError ? `${error.reason} (${error.code})` : String(error?.message)
}

/** `3 applied`, `3 applied, 1 not applied, 2 unknown` */
function count(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return 'nothing to do'
  const number = (applied: Outcome['applied']): number => outcomes.filter(outcome => outcome.applied === applied).length
  const [yes, no, unknown] = [number('yes'), number('no'), number('unknown')]
  return `${yes} applied${no > 0 ? `, ${no} not applied` : ''}${unknown > 0 ? `, ${unknown} unknown` : ''}`
}

async function reportJson(io: Io, changes: readonly Change[], outcomes: readonly Outcome[]): Promise<void> {
  const operations = changes.map(({ step }) => step)
  const failed = outcomes.flatMap(({ change, applied, error }) => {
    if (!error) return []
    const { problem, code } = error as Partial<NetlinkError>
    return [{ operation: change.step, applied, problem, code, reason: reasonOf(error) }]
  })
  const applied = outcomes.filter(outcome => outcome.applied === 'yes').length
  await write(io.stdout, `${toJson({ operations, applied, failed }, 2)}\n`)
}
