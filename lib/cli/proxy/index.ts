/** `ts-ipvs proxy`: Services for real traffic. */
import { release } from 'node:os'
import type { ProxyObserver } from '../../proxy/observer.js'
import type { Log } from '../../proxy/options.js'
import { ServiceProxy } from '../../proxy/proxy.js'
import type { Source } from '../../source/source.js'
import { CommandError, FAILURE, type Io, SUCCESS, write } from '../io.js'
import { version } from '../version.js'
import { explain } from './explain.js'
import { logger, tell } from './log.js'
import { clusterOptions, drainTimeoutOf, kernelOf, type ProxyOptions } from './options.js'
import { sourceOf } from './source.js'
import { remember, remembered } from './state.js'
import { openWatchers } from './watchers.js'

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

async function run(io: Io, options: ProxyOptions): Promise<number> {
  // A signal ends it from now on, not the process: connections live on in the kernel.
  const { signal } = io
  const log = logger(io, options)
  const source = await sourceOf(options)
  await using watchers = await openWatchers(options, log)
  await using proxy = await open(io, options, source, log, watchers.observers)
  log('info', `ts-ipvs ${version} serves Services on Linux ${release()}`, {
    ...proxy.engines,
    node: clusterOptions(options).node,
    source: source.name,
  })
  if (options.once) {
    await proxy.once(signal)
    log('info', 'the kernel is as the source says', sizesOf(proxy))
    await remember(options, proxy.allocations)
    return proxy.problems.length === 0 ? SUCCESS : FAILURE
  }
  await proxy.run(signal, () => remember(options, proxy.allocations))
  return SUCCESS
}

function sizesOf({ frontends }: ServiceProxy): Readonly<Record<string, number>> {
  const all = [...frontends]
  return { services: new Set(all.map(({ service }) => service)).size, frontends: all.length }
}

async function plan(io: Io, options: ProxyOptions): Promise<number> {
  await using proxy = await open(io, options, await sourceOf(options), () => {})
  await proxy.read()
  await tell(io, proxy.problems)
  await write(io.stdout, await proxy.plan())
  return SUCCESS
}

/** What is removed is known from the kernel alone. */
const NOTHING: Source = { name: 'nothing', async *updates() {} }

async function cleanup(io: Io, options: ProxyOptions): Promise<number> {
  // What IPVS has of ours is found in the ledger.
  await using proxy = await open(io, { ...options, backend: 'nftables' }, NOTHING, () => {})
  const found = await proxy.cleanup()
  await write(io.stdout, found ? 'removed\n' : 'there was nothing to remove\n')
  return SUCCESS
}

async function open(
  io: Io,
  options: ProxyOptions,
  source: Source,
  log: Log,
  observers: readonly ProxyObserver[] = [],
): Promise<ServiceProxy> {
  return ServiceProxy.open({
    ...clusterOptions(options),
    source,
    allocations: await remembered(options),
    backend: options.backend,
    drainTimeout: drainTimeoutOf(options),
    log,
    observers,
    ...kernelOf(io, options),
  })
}
