/** A server of a few texts, for those who watch the proxy. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where a server listens. */
export interface Bind {
  readonly address: string
  /** 0: one that is free. */
  readonly port: number
}

export interface HttpAnswer {
  /** Default 200. */
  readonly status?: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A server that listens. Closing it ends what is under way. */
export interface HttpServer extends AsyncDisposable {
  readonly port: number
  close(): Promise<void>
}

/**
 * @param answer to a path, without what follows a question mark; undefined: there is nothing
 * @throws the error of listen(2), with its `code`
 */
export async function serve(
  { address, port }: Bind,
  answer: (path: string) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>,
): Promise<HttpServer> {
  const server = createServer(async ({ url = '/' }, response) => {
    try {
      const { status = 200, headers, body } = (await answer(url.split('?', 1)[0] as string)) ?? NOTHING
      response.writeHead(status, headers).end(body)
    } catch (error) {
      response.writeHead(500, PLAIN).end(`${(error as Error).message}\n`)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, ipv6Only: address !== '::' && address.includes(':') }, () => resolve())
  })
  const close = (): Promise<void> => closed(server)
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close }
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8' }
const NOTHING: HttpAnswer = { status: 404, headers: PLAIN, body: 'there is nothing here\n' }

function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
