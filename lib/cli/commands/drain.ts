/** `ts-ipvs drain`: a real server leaves its virtual server, and one sees its connections end. */
import ansiEscapes from 'ansi-escapes'
import {
  type DrainProgress,
  type DrainResult,
  describeRealServer,
  describeVirtualServer,
  formatRealServerRule,
  type IpvsClient,
  NetlinkError,
  type RealServer,
  type RealServerKey,
  type VirtualServerKey,
} from '../../ipvs/index.js'
import { count, seconds } from '../format.js'
import { CommandError, FAILURE, type Io, SUCCESS, write } from '../io.js'
import { toJson } from '../json.js'
import { type CommonOptions, openClient } from '../program.js'
import { parseDuration, parseInterval, parseRealServer, parseVirtualServer } from '../words.js'

export interface DrainOptions extends CommonOptions {
  readonly timeout: string
  readonly interval: string
  readonly keep?: true
}

/** What is drained, as it was given and as it was found. */
interface Drained {
  readonly words: readonly [virtualServer: string, realServer: string]
  readonly virtualServer: VirtualServerKey
  readonly realServer: RealServerKey
  /** As it was before; undefined when there is none. */
  readonly before: RealServer | undefined
  readonly options: DrainOptions
}

export async function drain(io: Io, virtualServerWord: string, realServerWord: string, options: DrainOptions): Promise<number> {
  const virtualServer = parseVirtualServer(virtualServerWord)
  const realServer = parseRealServer(realServerWord)
  const timeout = parseDuration(options.timeout, '--timeout')
  const interval = parseInterval(options.interval)
  await using client = await openClient(io, options)
  const before = await client.getRealServer(virtualServer, realServer, { signal: io.signal })
  const drained: Drained = { words: [virtualServerWord, realServerWord], virtualServer, realServer, before, options }
  // A drain that has begun goes on when nobody reads any more. For ever: the process writes at its end, too.
  for (const output of [io.stdout, io.stderr]) output.on('error', () => {})
  const report = reporter(io, options, timeout)
  const began = performance.now()
  try {
    const result = await client.drain(virtualServer, realServer, {
      timeout,
      interval,
      whenLate: options.keep ? 'keep' : 'remove',
      onProgress: report.progress,
      onWarning: warning => void io.stderr.write(`${io.program}: warning: ${warning}\n`),
      signal: io.signal,
    })
    if (result.outcome === 'not-found' && !options.json) throw await notFound(client, drained)
    const elapsed = (performance.now() - began) / 1000
    await tell(io, report.end(options.json ? toJson({ ...result, elapsed }) : describe(result, elapsed, drained)))
    return result.outcome === 'drained' ? SUCCESS : FAILURE
  } catch (error) {
    if (!io.signal.aborted || !(error instanceof NetlinkError)) throw error
    await tell(io, report.end())
    throw new CommandError(error.operation === 'drain' ? interrupted(drained, io.program) : error.message, FAILURE)
  }
}

/** Writes to those who still read. */
async function tell({ stdout }: Io, text: string): Promise<void> {
  await write(stdout, text).catch(error => {
    if (error.code !== 'EPIPE') throw error
  })
}

interface Reporter {
  progress(progress: DrainProgress): void
  /** What ends the output: a last line, on a terminal in the place of the progress. */
  end(line?: string): string
}

function reporter(io: Io, options: DrainOptions, timeout: number): Reporter {
  const { stdout } = io
  const words = ({ remaining, elapsed }: DrainProgress): string =>
    `${count(remaining, 'connection')} left, ${seconds(elapsed)} of ${seconds(timeout)}`
  if (options.json)
    return {
      progress: progress => void stdout.write(`${toJson({ ...progress, timeout })}\n`),
      end: line => (line ? `${line}\n` : ''),
    }
  if (stdout.isTTY && io.env.TERM !== 'dumb') {
    const rewind = `${ansiEscapes.cursorLeft}${ansiEscapes.eraseLine}`
    return {
      progress: progress => void stdout.write(rewind + words(progress).slice(0, (stdout.columns || 80) - 1)),
      end: line => (line ? `${rewind}${line}\n` : '\n'),
    }
  }
  let last: number | undefined
  return {
    progress: progress => {
      if (progress.remaining !== last) stdout.write(`${words(progress)}\n`)
      last = progress.remaining
    },
    end: line => (line ? `${line}\n` : ''),
  }
}

function describe({ outcome, removed, remaining }: DrainResult, elapsed: number, { virtualServer, realServer }: Drained): string {
  const server = describeRealServer(realServer)
  const from = `from ${describeVirtualServer(virtualServer)}`
  if (outcome === 'drained') return `drained in ${seconds(elapsed)}: ${server} is removed ${from}`
  const late = `timed out after ${seconds(elapsed)} with ${count(remaining, 'connection')} left`
  return removed ? `${late}, which are cut: ${server} is removed ${from}` : `${late}: ${server} stays, with weight 0`
}

async function notFound(client: IpvsClient, { virtualServer, realServer }: Drained): Promise<CommandError> {
  const name = describeVirtualServer(virtualServer)
  const known = await client.getVirtualServer(virtualServer)
  return new CommandError(
    known
      ? `${name} has no real server ${describeRealServer(realServer)}: \`ts-ipvs -Ln\` lists those that it has`
      : `there is no virtual server ${name}: \`ts-ipvs -Ln\` lists those that there are`,
    FAILURE,
  )
}

/** What a person has to know who has interrupted a drain: nothing goes back by itself. */
function interrupted({ words, virtualServer, realServer, before, options }: Drained, program: string): string {
  const netns = options.netns === undefined ? '' : `--netns ${options.netns} `
  const timing = `--timeout ${options.timeout}${options.keep ? ' --keep' : ''}`
  // An edit replaces everything, so everything is given; where the drain had begun before, nobody knows the weight any more.
  const rule = before && formatRealServerRule(virtualServer, before)?.replace(' -w 0', ' -w WEIGHT')
  return [
    `interrupted: the weight of ${describeRealServer(realServer)} is 0 and stays 0`,
    `  to go on:      ${program} ${netns}drain ${words.join(' ')} ${timing}`,
    ...(rule === undefined ? [] : [`  to undo it:    ${program} ${netns}-e ${rule}`]),
  ].join('\n')
}
