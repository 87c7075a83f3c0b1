/** Requests to an API server: where it is and who asks is said by a kubeconfig, or by the pod that this runs in. */
import { accessSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import https, { type RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { loadPeer } from '../peer.js'

export interface AccessOptions {
  /** A kubeconfig. Default: those that the variable KUBECONFIG names, else the service account of the pod, else ~/.kube/config. */
  readonly kubeconfig?: string | undefined
  /** Name of a context in it. Default: the current one. */
  readonly context?: string | undefined
}

export interface GetOptions {
  readonly signal: AbortSignal
  /** Milliseconds without a byte after which the connection is given up. */
  readonly silence: number
}

export interface Access {
  readonly server: string
  /** Rejects with an `ApiError` where the server refuses. What it returns rejects when the connection is lost, or silent for too long. */
  get(path: string, query: Readonly<Record<string, string>>, options: GetOptions): Promise<AsyncIterable<Buffer>>
}

/** What an API server answers that refuses (meta/v1 Status). */
export interface Status {
  readonly code?: number | undefined
  readonly message?: string | undefined
}

/** A refusal. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** Of HTTP. 410: what was asked for is too old, and forgotten. */
  readonly status: number
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined

  constructor({ code = 500, message = '' }: Status, retryAfter?: number) {
    const advice = ADVICE[code]
    super(`${code} ${message}${advice ? `: ${advice}` : ''}`)
    this.status = code
    this.retryAfter = retryAfter
  }
}

const ADVICE: Readonly<Record<number, string>> = {
  401: 'the server does not know these credentials',
  403: 'give the account a ClusterRole that may get, list and watch Services, EndpointSlices and Nodes',
  404: 'Kubernetes has had it since 1.21: is this an API server?',
}

/** Rejects, with what to do, where client-node is not there or nothing says where the server is. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { KubeConfig } = await loadPeer({
    name: '@kubernetes/client-node',
    range: '^1.4.0',
    use: 'reading an API server',
    load: () => import('@kubernetes/client-node'),
  })
  const config = new KubeConfig()
  load(config, options)
  if (options.context !== undefined) config.setCurrentContext(options.context)
  const server = serverOf(config)
  return { server, get: (path, query, options) => get(config, `${server}${path}?${new URLSearchParams(query)}`, options) }
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

function load(config: KubeConfig, { kubeconfig }: AccessOptions): void {
  const files = kubeconfig ?? process.env.KUBECONFIG
  try {
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig)
    else if (files || !(process.env.KUBERNETES_SERVICE_HOST && isThere(TOKEN))) config.loadFromDefault()
    else config.loadFromCluster()
  } catch (error) {
    throw new Error(`the kubeconfig${files ? ` ${files}` : ''} can not be read: ${(error as Error).message}`, { cause: error })
  }
}

function isThere(file: string): boolean {
  try {
    accessSync(file)
    return true
  } catch {
    return false
  }
}

/** Without a slash at its end. */
function serverOf(config: KubeConfig): string {
  const name = config.getCurrentContext()
  const names = config.getContexts().map(({ name }) => name)
  // What loadFromDefault makes where it finds nothing.
  if (name === 'loaded-context')
    throw new Error(
      'nothing says where the API server is: give --kubeconfig FILE, or set KUBECONFIG; in a pod, give it a service account',
    )
  if (!config.getContextObject(name))
    throw new Error(`the kubeconfig has no context ${JSON.stringify(name ?? '')}: give ${names.join(' or ') || 'it one'}`)
  const cluster = config.getCurrentCluster()
  if (!cluster || !/^https?:\/\/./.test(cluster.server) || !URL.canParse(cluster.server))
    throw new Error(
      `the kubeconfig has no cluster with an address of a server, as https://…, for the context ${JSON.stringify(name)}`,
    )
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify)
    throw new Error(`${cluster.server} is not encrypted: give its cluster insecure-skip-tls-verify: true if that is wanted`)
  // client-node leaves out the certificate of the authority as well where there is no user.
  if (!config.getCurrentUser()) throw new Error(`the kubeconfig has no user for the context ${JSON.stringify(name)}`)
  return cluster.server.replace(/\/+$/, '')
}

async function get(config: KubeConfig, url: string, { signal, silence }: GetOptions): Promise<AsyncIterable<Buffer>> {
  const quiet = new AbortController()
  const timer = setTimeout(() => quiet.abort(new Error(`nothing came for ${silence / 1000} s`)), silence)
  const options: RequestOptions = { headers: { accept: 'application/json' }, signal: AbortSignal.any([signal, quiet.signal]) }
  try {
    // Each time anew: tokens and certificates may be others by now.
    await config.applyToHTTPSOptions(options)
    const response = await new Promise<IncomingMessage>((resolve, reject) =>
      (url.startsWith('https:') ? https : http).get(url, options, resolve).on('error', reject),
    )
    const pieces = read(response, timer, quiet.signal)
    if (response.statusCode !== 200) throw await refusal(response, pieces)
    return pieces
  } catch (error) {
    clearTimeout(timer)
    throw quiet.signal.aborted ? quiet.signal.reason : error
  }
}

async function* read(
  response: IncomingMessage,
  timer: NodeJS.Timeout,
  quiet: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const piece of response) {
      timer.refresh()
      yield piece
    }
  } catch (error) {
    throw quiet.aborted ? quiet.reason : error
  } finally {
    clearTimeout(timer)
    response.destroy()
  }
}

/** Bytes of an answer that are looked at for the reason. */
const MOST = 65_536

async function refusal(response: IncomingMessage, pieces: AsyncIterable<Buffer>): Promise<ApiError> {
  let text = ''
  for await (const piece of pieces) {
    text += piece
    if (text.length > MOST) break
  }
  const seconds = Number(response.headers['retry-after'])
  const code = response.statusCode ?? 500
  return new ApiError({ code, message: messageIn(text) ?? response.statusMessage }, seconds > 0 ? seconds * 1000 : undefined)
}

function messageIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as Status).message
  } catch {
    return undefined
  }
}
