/** `ts-ipvs watch`: changes of the tables, one a line. */
import { describeChange } from '../../ipvs/index.js'
import { localTime, styled } from '../format.js'
import { hasColours, type Io, SUCCESS, write } from '../io.js'
import { toJson } from '../json.js'
import { type CommonOptions, openClient } from '../program.js'
import { parseInterval } from '../words.js'

export interface WatchOptions extends CommonOptions {
  readonly interval: string
  readonly initial?: true
}

const COLOURS = { added: 'green', changed: 'yellow', removed: 'red' } as const

export async function watch(io: Io, options: WatchOptions): Promise<number> {
  const interval = parseInterval(options.interval)
  const colours = hasColours(io, io.stdout)
  await using client = await openClient(io, options)
  for await (const change of client.watch({ interval, initial: options.initial, signal: io.signal })) {
    const time = localTime(new Date())
    const line = options.json
      ? toJson({ time, ...change })
      : `${time} ${styled(describeChange(change), COLOURS[change.type], colours)}`
    await write(io.stdout, `${line}\n`)
  }
  return SUCCESS
}
