import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { Logger } from './logger.js'
import { hostAndPort, listen } from '../server/listen.js'

export interface AdminOptions {
  readonly host: string
  readonly port: number
  /** Whether this process, or all that it leads, takes requests: false before the start is over and while draining. */
  readonly ready: () => boolean
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  readonly log: Logger
}

export interface Admin {
  /** `host:port` */
  readonly address: string
  readonly close: () => Promise<void>
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly contentType: string
}

/**
 * Health and metrics on a listener of their own, so that no name in S3's path can shadow them or be shadowed. It is
 * plain http and tells no secrets; /healthz says that the process runs, /readyz that it takes requests.
 *
 * @throws StartError
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 65_000, maxHeaderSize: 8 * 1024 },
    (request, response) => void respond(request, response, options),
  )
  server.timeout = 70_000
  const name = `admin ${hostAndPort(options.host, options.port)}`
  const address = await listen(server, { type: 'tcp', host: options.host, port: options.port }, name)
  server.on('error', (err) => options.log.error({ listener: name, err }, 'listener'))
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(request: IncomingMessage, response: ServerResponse, options: AdminOptions): Promise<void> {
  const { status, text, contentType } = await answer(request, options)
  const body = Buffer.from(text, 'utf8')
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function answer({ method, url = '' }: IncomingMessage, options: AdminOptions): Promise<Answer> {
  const path = url.split('?', 1)[0]
  if (path !== '/healthz' && path !== '/readyz' && path !== '/metrics') return plain(404, 'not found')
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'method not allowed')
  if (path === '/healthz') return plain(200, 'ok')
  if (path === '/readyz') return options.ready() ? plain(200, 'ready') : plain(503, 'not ready')
  try {
    return { status: 200, ...(await options.metrics()) }
  } catch (err) {
    options.log.error({ err }, 'metrics could not be collected')
    return plain(500, 'metrics could not be collected; the log says why')
  }
}

const plain = (status: number, line: string): Answer => ({
  status,
  text: `${line}\n`,
  contentType: 'text/plain; charset=utf-8',
})
