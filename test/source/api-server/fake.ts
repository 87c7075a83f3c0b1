/**
 * An API server for tests, as far as a reader of Services sees one: lists in pages, and watches, over real HTTP and HTTPS. Debian has no
 * kube-apiserver. What it follows is from kubernetes.io/docs/reference/using-api/api-concepts:
 *
 * - Every change has a resourceVersion; a list has the one that it was made at, and so have all its pages (KEP-365): the token of the next
 *   page names it. A token that is too old is answered with 410 and the reason Expired.
 * - resourceVersion=0 may be served from the watch cache, which before KEP-4988 does not look at limit.
 * - resourceVersionMatch without a resourceVersion, or with a token, is 400.
 * - A watch tells what happened after its resourceVersion, an object a line. Where that is forgotten it is answered with 200 and an ERROR
 *   whose object is a Status with the code 410 (watch cache), or with 410 (storage).
 * - BOOKMARK (KEP-956): an object with a resourceVersion and nothing else; only where allowWatchBookmarks asks for it.
 * - An object that stops to match a selector is told as DELETED, one that begins to as ADDED; DELETED has the last state, with the
 *   resourceVersion of the deletion.
 * - Items of a list have no kind and no apiVersion, objects of a watch have. Every object has managedFields (KEP-555).
 * - Refusals are a Status; 429 and 503 have Retry-After.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { SecureContextOptions } from 'node:tls'

export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export interface FakeObject {
  readonly kind: string
  readonly metadata: Metadata
  readonly [field: string]: unknown
}

type Stored = FakeObject & { readonly metadata: { readonly resourceVersion: string } }

interface Change {
  readonly version: number
  readonly before: Stored | undefined
  readonly after: Stored | undefined
}

export interface Asked {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingMessage['headers']
}

/** What a request is answered with instead. */
export interface Refusal {
  readonly status: number
  readonly message?: string
  readonly retryAfter?: number
  /** Not a Status, but what a load balancer answers. */
  readonly body?: string
}

export interface FakeOptions {
  readonly tls?: SecureContextOptions & { readonly requestCert?: boolean; readonly rejectUnauthorized?: boolean }
  readonly token?: string
}

const PATHS: Readonly<Record<string, string>> = {
  Service: '/api/v1/services',
  Node: '/api/v1/nodes',
  EndpointSlice: '/apis/discovery.k8s.io/v1/endpointslices',
}
const VERSIONS: Readonly<Record<string, string>> = { Service: 'v1', Node: 'v1', EndpointSlice: 'discovery.k8s.io/v1' }
const MANAGED = [{ manager: 'kubectl', operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:spec': { 'f:ports': {} } } }]

interface Watch {
  readonly kind: string
  readonly query: Asked['query']
  readonly response: ServerResponse
}

const keyOf = ({ kind, metadata }: FakeObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`

export class FakeApiServer {
  readonly asked: Asked[] = []
  /** What requests of a path are answered with, until it is taken away. */
  readonly refusals = new Map<string, Refusal>()
  /** Called when the last page of a list was answered, before anything else. */
  afterList: (path: string) => void = () => {}
  /** Called when a page that is not the last one was answered. */
  afterPage: (path: string) => void = () => {}
  /** As servers before Kubernetes 1.34 do. */
  limitsCachedLists = false
  /** How a watch is answered whose version is forgotten. */
  expiredAs: 'event' | 'status' = 'event'
  #version = 1000
  #forgotten = 0
  #silent = false
  readonly #objects = new Map<string, Stored>()
  readonly #history: Change[] = []
  readonly #pages = new Map<string, readonly Stored[]>()
  readonly #watches = new Set<Watch>()
  readonly #sockets = new Set<Socket>()
  readonly #server: http.Server
  readonly #options: FakeOptions

  private constructor(options: FakeOptions) {
    this.#options = options
    const answer = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response)
    this.#server = options.tls ? https.createServer(options.tls, answer) : http.createServer(answer)
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(options: FakeOptions = {}): Promise<FakeApiServer> {
    const server = new FakeApiServer(options)
    await server.listen(0)
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`
  }

  get watching(): number {
    return this.#watches.size
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => this.#server.once('error', reject).listen(port, '127.0.0.1', resolve))
  }

  /** Ends everything at once, as a machine does that is switched off with its network in order. */
  async stop(): Promise<void> {
    this.cut()
    await new Promise(resolve => this.#server.close(resolve))
  }

  /** Connections end without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#watches.clear()
  }

  /** Watches end as they do after timeoutSeconds. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end()
    this.#watches.clear()
  }

  /** From now on nothing is answered, and nothing closed: a connection that is half open. */
  set silent(silent: boolean) {
    this.#silent = silent
  }

  put(object: FakeObject): void {
    const before = this.#objects.get(keyOf(object))
    const metadata = { managedFields: MANAGED, ...object.metadata, resourceVersion: `${++this.#version}` }
    const after = { apiVersion: VERSIONS[object.kind], ...object, metadata } as Stored
    this.#objects.set(keyOf(object), after)
    this.#happened({ version: this.#version, before, after })
  }

  remove(object: FakeObject): void {
    const before = this.#objects.get(keyOf(object))
    if (!before) throw new Error(`${keyOf(object)} is not there`)
    this.#objects.delete(keyOf(object))
    this.#happened({ version: ++this.#version, before, after: undefined })
  }

  bookmark(): void {
    for (const { kind, query, response } of this.#watches)
      if (query.allowWatchBookmarks === 'true')
        this.#write(response, 'BOOKMARK', {
          kind,
          apiVersion: VERSIONS[kind],
          metadata: { resourceVersion: `${++this.#version}` },
        })
  }

  /** What was before is not known any more, and pages of lists are not. */
  forget(): void {
    this.#forgotten = this.#version
    this.#history.length = 0
    this.#pages.clear()
  }

  /** A line that all watches get. */
  raw(line: string): void {
    for (const { response } of this.#watches) response.write(`${line}\n`)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://server')
    const query = Object.fromEntries(searchParams)
    this.asked.push({ path, query, headers: request.headers })
    if (this.#silent) return
    const kind = Object.keys(PATHS).find(kind => PATHS[kind] === path)
    const refusal = this.refusals.get(path) ?? this.#refusal(request, kind, query)
    if (kind === undefined || refusal)
      return refuse(response, refusal ?? { status: 404, message: 'the server could not find it' })
    if (query.watch === 'true') return this.#watch(kind, query, response)
    await this.#list(kind, path, query, response)
  }

  #refusal({ headers }: IncomingMessage, kind: string | undefined, query: Asked['query']): Refusal | undefined {
    const { token } = this.#options
    if (token !== undefined && headers.authorization !== `Bearer ${token}`) return { status: 401, message: 'Unauthorized' }
    if (kind === undefined) return { status: 404, message: 'the server could not find the requested resource' }
    const forbidden =
      query.resourceVersionMatch !== undefined && (query.resourceVersion === undefined || query.continue !== undefined)
    return forbidden ? { status: 400, message: 'resourceVersionMatch is forbidden here' } : undefined
  }

  async #list(kind: string, path: string, query: Asked['query'], response: ServerResponse): Promise<void> {
    const cached = query.resourceVersion === '0' && !this.limitsCachedLists
    const limit = query.limit === undefined || cached ? Number.POSITIVE_INFINITY : Number(query.limit)
    const all =
      query.continue === undefined
        ? [...this.#objects.values()].filter(object => object.kind === kind && matches(object, query))
        : this.#pages.get(query.continue)
    if (!all) return refuse(response, { status: 410, message: 'The provided continue parameter is too old' })
    const version = query.continue?.split(' ')[0] ?? `${this.#version}`
    const rest = all.slice(limit)
    const next = rest.length > 0 ? `${version} ${kind} ${rest.length}` : ''
    if (rest.length > 0) this.#pages.set(next, rest)
    const items = all.slice(0, limit).map(({ kind, apiVersion, ...object }) => object)
    const metadata = { resourceVersion: version, ...(next ? { continue: next, remainingItemCount: rest.length } : {}) }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ kind: `${kind}List`, apiVersion: VERSIONS[kind], metadata, items }))
    await setImmediate()
    if (next) this.afterPage(path)
    else this.afterList(path)
  }

  #watch(kind: string, query: Asked['query'], response: ServerResponse): void {
    const from = Number(query.resourceVersion)
    const expired = {
      kind: 'Status',
      status: 'Failure',
      message: `too old resource version: ${from}`,
      reason: 'Expired',
      code: 410,
    }
    if (from < this.#forgotten && this.expiredAs === 'status') return refuse(response, { status: 410, message: expired.message })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    if (from < this.#forgotten) return void response.end(`${JSON.stringify({ type: 'ERROR', object: expired })}\n`)
    const watch = { kind, query, response }
    for (const change of this.#history) if (change.version > from) this.#tell(watch, change)
    this.#watches.add(watch)
    response.on('close', () => this.#watches.delete(watch))
  }

  #happened(change: Change): void {
    this.#history.push(change)
    for (const watch of this.#watches) this.#tell(watch, change)
  }

  #tell({ kind, query, response }: Watch, { version, before, after }: Change): void {
    if ((after ?? before)?.kind !== kind) return
    const [was, is] = [before, after].map(object => object !== undefined && matches(object, query))
    if (is) this.#write(response, was ? 'MODIFIED' : 'ADDED', after)
    else if (was && before)
      this.#write(response, 'DELETED', { ...before, metadata: { ...before.metadata, resourceVersion: `${version}` } })
  }

  #write(response: ServerResponse, type: string, object: unknown): void {
    if (!this.#silent) response.write(`${JSON.stringify({ type, object })}\n`)
  }
}

/** Selectors of the forms `!label` and `metadata.name=name`. */
function matches({ metadata }: FakeObject, { labelSelector, fieldSelector }: Asked['query']): boolean {
  const labels = (labelSelector?.split(',') ?? []).map(clause => clause.slice(1))
  const name = fieldSelector?.slice('metadata.name='.length)
  return labels.every(label => metadata.labels?.[label] === undefined) && (name === undefined || name === metadata.name)
}

function refuse(response: ServerResponse, { status, message = '', retryAfter, body }: Refusal): void {
  const reason = status === 410 ? 'Expired' : http.STATUS_CODES[status]
  response.writeHead(status, {
    'content-type': body === undefined ? 'application/json' : 'text/html',
    ...(retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` }),
  })
  response.end(body ?? JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code: status }))
}
