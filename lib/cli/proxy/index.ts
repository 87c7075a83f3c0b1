/** `ts-ipvs proxy`: Services for real traffic. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { inTurns } from '../../netlink/turns.js'
import { Cluster } from '../../proxy/cluster.js'
import { explain as explainFlow } from '../../proxy/explain.js'
import type { Log } from '../../proxy/options.js'
import { ServiceProxy } from '../../proxy/proxy.js'
import type { Allocations } from '../../service/index.js'
import type { Source, SourceProblem } from '../../source/source.js'
import { CommandError, FAILURE, type Io, SUCCESS, write } from '../io.js'
import { toJson } from '../json.js'
import { parseNetns } from '../words.js'
import { clusterOptions, flowOf, machineAddresses, type ProxyOptions } from './options.js'
import { sourceOf } from './source.js'

const STATE = '/run/ts-ipvs/proxy.json'

/** @param action `run` is the default */
export async function proxy(
  io: Io,
  action: string | undefined,
  words: readonly string[],
  options: ProxyOptions,
): Promise<number> {
  if (action !== 'explain' && words.length > 0) throw new CommandError(`${words.join(' ')}: only explain takes more words`)
  switch (action) {
    case undefined:
    case 'run':
      return run(io, options)
    case 'explain':
      return explain(io, words, options)
    case 'plan':
      return plan(io, options)
    case 'cleanup':
      return cleanup(io, options)
  }
  throw new CommandError(`${action}: give run, explain, plan or cleanup`)
}

/** From the source alone: the kernel is not asked. */
async function explain(io: Io, words: readonly string[], options: ProxyOptions): Promise<number> {
  const flow = flowOf(options, words)
  const allocations = await remembered(options)
  const cluster = new Cluster({ ...clusterOptions(options), allocations }, machineAddresses())
  const ending = new AbortController()
  for await (const { complete, changes, problems } of (await sourceOf(options)).updates(ending.signal)) {
    await inTurns(cluster.apply(changes))
    await tell(io, [...problems, ...cluster.problems])
    ending.abort()
    if (!complete) return FAILURE
  }
  const meant = options.backend === 'auto' ? undefined : options.backend
  const explained = explainFlow(cluster.model.frontends, flow, cluster.surroundings, () => meant)
  const { service, verdict, endpoints, masquerade, reason, engine, limitation } = explained
  const text = options.json
    ? toJson({ verdict, service, endpoints, masquerade, reason, engine, limitation })
    : [
        `${verdict}: ${reason}`,
        ...(service === undefined ? [] : [`service ${service}`]),
        ...endpoints.map(endpoint => `endpoint ${endpoint}`),
        ...(engine === undefined ? [] : [`engine ${engine}`]),
        ...(limitation === undefined ? [] : [`limitation ${limitation}`]),
      ].join('\n')
  await write(io.stdout, `${text}\n`)
  return SUCCESS
}

async function run(io: Io, options: ProxyOptions): Promise<number> {
  // A signal ends it from now on, not the process: connections live on in the kernel.
  const { signal } = io
  const log = logger(io, options)
  const source = await sourceOf(options)
  await using proxy = await open(options, source, log)
  if (options.once) {
    const report = await proxy.once(signal)
    log('info', 'synced', report)
    await remember(options, proxy.allocations)
    return proxy.problems.length === 0 ? SUCCESS : FAILURE
  }
  log('info', 'serving', { source: source.name, node: clusterOptions(options).node, engines: proxy.engines })
  await proxy.run(signal, () => remember(options, proxy.allocations))
  return SUCCESS
}

async function plan(io: Io, options: ProxyOptions): Promise<number> {
  await using proxy = await open(options, await sourceOf(options), () => {})
  await proxy.read()
  await tell(io, proxy.problems)
  await write(io.stdout, await proxy.plan())
  return SUCCESS
}

/** What is removed is known from the kernel alone. */
const NOTHING: Source = { name: 'nothing', async *updates() {} }

async function cleanup(io: Io, options: ProxyOptions): Promise<number> {
  // What IPVS has of ours is found in the ledger.
  await using proxy = await open({ ...options, backend: 'nftables' }, NOTHING, () => {})
  const found = await proxy.cleanup()
  await write(io.stdout, found ? 'removed\n' : 'there was nothing to remove\n')
  return SUCCESS
}

async function open(options: ProxyOptions, source: Source, log: Log): Promise<ServiceProxy> {
  return ServiceProxy.open({
    ...clusterOptions(options),
    source,
    allocations: await remembered(options),
    backend: options.backend,
    log,
    ...(options.netns === undefined ? {} : { netns: parseNetns(options.netns) }),
  })
}

/** What Services were given the last time; nothing where it can not be read. */
async function remembered({ state = STATE }: ProxyOptions): Promise<Allocations> {
  try {
    return JSON.parse(await readFile(state, 'utf8')) as Allocations
  } catch {
    return {}
  }
}

async function remember({ state = STATE }: ProxyOptions, allocations: Allocations): Promise<void> {
  await mkdir(dirname(state), { recursive: true })
  await writeFile(`${state}.new`, toJson(allocations))
  await rename(`${state}.new`, state)
}

const problemText = ({ where, line, field, message }: SourceProblem): string =>
  `${where}${line === undefined ? '' : `:${line}`}: ${field === undefined ? '' : `${field}: `}${message}`

async function tell(io: Io, problems: readonly SourceProblem[]): Promise<void> {
  for (const problem of problems) await write(io.stderr, `${problemText(problem)}\n`)
}

/** Lines for people, or JSON for programs, on the standard error output. */
function logger(io: Io, { json }: ProxyOptions): Log {
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
