/** Those who watch a proxy that runs: Prometheus, the kubelet, load balancers. */
import { ProxyHealth } from '../../proxy/health.js'
import { HealthPorts } from '../../proxy/health-ports.js'
import { type HttpAnswer, type HttpServer, serve } from '../../proxy/http.js'
import { ProxyMetrics } from '../../proxy/metrics.js'
import type { ProxyObserver } from '../../proxy/observer.js'
import type { Log } from '../../proxy/options.js'
import { CommandError } from '../io.js'
import { parseBind } from '../words.js'
import type { ProxyOptions } from './options.js'

export interface Watchers extends AsyncDisposable {
  readonly observers: readonly ProxyObserver[]
}

/** What the options ask for; nothing for a proxy that ends after the first sync. */
export async function openWatchers({ metricsBind, healthBind, once }: ProxyOptions, log: Log): Promise<Watchers> {
  if (once && (metricsBind ?? healthBind) !== undefined)
    throw new CommandError('--once: ends at once: leave out --metrics-bind and --health-bind')
  if (once) return { observers: [], [Symbol.asyncDispose]: async () => {} }
  const health = new ProxyHealth()
  const ports = new HealthPorts(health, log)
  const metrics = metricsBind === undefined ? undefined : await ProxyMetrics.create({ process: true, health })
  const servers: HttpServer[] = []
  const close = async (): Promise<void> => {
    for (const server of [ports, ...servers]) await server.close()
  }
  try {
    if (healthBind !== undefined) servers.push(await listen('--health-bind', healthBind, log, path => health.answer(path)))
    if (metrics && metricsBind !== undefined)
      servers.push(await listen('--metrics-bind', metricsBind, log, path => (path === '/metrics' ? answer(metrics) : undefined)))
  } catch (error) {
    await close()
    throw error
  }
  return { observers: [health, ports, ...(metrics ? [metrics] : [])], [Symbol.asyncDispose]: close }
}

async function answer({ registry }: ProxyMetrics): Promise<HttpAnswer> {
  return { headers: { 'content-type': registry.contentType }, body: await registry.metrics() }
}

async function listen(option: string, word: string, log: Log, answer: Parameters<typeof serve>[1]): Promise<HttpServer> {
  const bind = parseBind(word, option)
  try {
    const server = await serve(bind, answer)
    log('info', `${option} listens`, { address: bind.address, port: server.port })
    return server
  } catch (error) {
    throw new CommandError(
      `${option} ${word}: ${(error as Error).message}: give an address of this machine and a port that is free`,
    )
  }
}
