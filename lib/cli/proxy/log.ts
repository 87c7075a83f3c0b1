/** What a proxy tells those who read its log. */
import type { Log } from '../../proxy/options.js'
import type { SourceProblem } from '../../source/source.js'
import { type Io, write } from '../io.js'
import type { ProxyOptions } from './options.js'

const problemText = ({ where, line, field, message }: SourceProblem): string =>
  `${where}${line === undefined ? '' : `:${line}`}: ${field === undefined ? '' : `${field}: `}${message}`

export async function tell(io: Io, problems: readonly SourceProblem[]): Promise<void> {
  for (const problem of problems) await write(io.stderr, `${problemText(problem)}\n`)
}

/** Lines for people, or JSON for programs, on the standard error output. */
export function logger(io: Io, { json }: ProxyOptions): Log {
  return (level, message, fields = {}) => {
    const { where, line, field, ...others } = fields as Partial<SourceProblem>
    const text = where === undefined ? message : problemText({ where, line, field, message })
    const rest = Object.entries(others).map(
      ([name, value]) => ` ${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
    )
    io.stderr.write(
      json
        ? `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`
        : `${level}: ${text}${rest.join('')}\n`,
    )
  }
}
