/** `ts-ipvs proxy explain`: what becomes of a connection. */
import { inTurns } from '../../netlink/turns.js'
import { Cluster } from '../../proxy/cluster.js'
import { explain as explainFlow, type ServedExplanation } from '../../proxy/explain.js'
import { disagreement, explainKernel } from '../../proxy/explain-kernel.js'
import type { Flow } from '../../service/index.js'
import { FAILURE, type Io, SUCCESS, write } from '../io.js'
import { toJson } from '../json.js'
import { tell } from './log.js'
import { clusterOptions, flowOf, kernelOf, machineAddresses, type ProxyOptions } from './options.js'
import { hasSource, sourceOf } from './source.js'
import { remembered } from './state.js'

/**
 * By the source alone, without a kernel; where none is given by what is in the kernel. With `--kernel` and a source the kernel answers, and
 * where the source says something else that is told, with status 1.
 */
export async function explain(io: Io, words: readonly string[], options: ProxyOptions): Promise<number> {
  const flow = flowOf(options, words)
  const wanted = hasSource(options) ? await bySource(io, flow, options) : undefined
  if (hasSource(options) && !wanted) return FAILURE
  if (wanted && !options.kernel) {
    await print(io, wanted, options)
    return SUCCESS
  }
  const found = await explainKernel(flow, kernelOf(io, options))
  const different = wanted && disagreement(found, wanted)
  await print(io, found, options, different)
  return different === undefined ? SUCCESS : FAILURE
}

/** Undefined where it can not be read. */
async function bySource(io: Io, flow: Flow, options: ProxyOptions): Promise<ServedExplanation | undefined> {
  const cluster = new Cluster({ ...clusterOptions(options), allocations: await remembered(options) }, machineAddresses())
  const ending = new AbortController()
  for await (const { complete, changes, problems } of (await sourceOf(options)).updates(ending.signal)) {
    await inTurns(cluster.apply(changes))
    await tell(io, [...problems, ...cluster.problems])
    ending.abort()
    if (!complete) return undefined
  }
  const meant = options.backend === 'auto' ? undefined : options.backend
  return explainFlow(cluster.model.frontends, flow, cluster.surroundings, () => meant)
}

async function print(
  io: Io,
  { verdict, service, endpoints, masquerade, reason, engine, limitation }: ServedExplanation,
  { json }: ProxyOptions,
  disagreement?: string,
): Promise<void> {
  const text = json
    ? toJson({ verdict, service, endpoints, masquerade, reason, engine, limitation, disagreement })
    : [
        `${verdict}: ${reason}`,
        ...(service === undefined ? [] : [`service ${service}`]),
        ...endpoints.map(endpoint => `endpoint ${endpoint}`),
        ...(engine === undefined ? [] : [`engine ${engine}`]),
        ...(limitation === undefined ? [] : [`limitation ${limitation}`]),
        ...(disagreement === undefined ? [] : [`disagreement: ${disagreement}`]),
      ].join('\n')
  await write(io.stdout, `${text}\n`)
}
