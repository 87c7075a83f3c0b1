/** Files of virtual servers. */
import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Configuration } from '../../ipvs/index.js'
import { CommandError, FAILURE, type Io, write } from '../io.js'
import { type Problem, parseConfiguration } from './parse.js'
import { placesIn } from './places.js'

/**
 * Reads a configuration from a file, or with `-` from the standard input. Undefined when something is wrong with it: then all of that was
 * written to the standard error output, a line each: `FILE:LINE:COLUMN: what`.
 */
export async function readConfiguration(io: Io, file: string): Promise<Configuration | undefined> {
  const bytes = await readBytes(io, file)
  const text = bytes.toString()
  const parsed = isUtf8(bytes) ? parseConfiguration(text) : { problems: [notText(text)] }
  if ('configuration' in parsed) return parsed.configuration
  const name = file === '-' ? 'standard input' : file
  const lines = parsed.problems.map(({ line, column, message }) => `${name}:${line}:${column}: ${message}\n`)
  await write(io.stderr, lines.join(''))
  return undefined
}

/** Of a file, or with `-` of the standard input. */
export async function readBytes(io: Io, file: string): Promise<Buffer> {
  if (file === '-') return readInput(io)
  try {
    return await readFile(file)
  } catch (error) {
    throw new CommandError(`${file} can not be read: ${(error as Error).message}`)
  }
}

async function readInput({ signal, stdin }: Io): Promise<Buffer> {
  try {
    return await buffer(addAbortSignal(signal, stdin))
  } catch (error) {
    throw signal.aborted ? new CommandError('interrupted: nothing was done', FAILURE) : error
  }
}

/** Where the first bytes are that are no characters: they have become U+FFFD. */
function notText(text: string): Problem {
  return { ...placesIn(text)(text.indexOf('\ufffd')), message: 'these bytes are no text: give it in UTF-8' }
}
