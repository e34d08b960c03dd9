import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { Logger } from './logger.js'
import type { RecentFailure } from './recent-failures.js'
import { STATUS_HEADERS, type StatusFile, statusPage } from './status-page.js'
import { hostAndPort, listen } from '../server/listen.js'

export interface AdminOptions {
  readonly host: string
  readonly port: number
  /** Whether this process, or all that it leads, takes requests: false before the start is over and while draining. */
  readonly ready: () => boolean
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  readonly status: () => AdminStatus
  readonly log: Logger
}

/** /status.json, for the status page; what numbers there are is in the metrics. */
export interface AdminStatus {
  readonly version: string
  readonly uptimeSeconds: number
  /** The last requests that were refused or failed, newest first. */
  readonly failed: readonly RecentFailure[]
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
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Health and metrics on a listener of their own, so that no name in S3's path can shadow them or be shadowed. It is
 * plain http and tells no secrets; /healthz says that the process runs, /readyz that it takes requests, /status shows a
 * person how it is.
 *
 * @throws StartError
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const page = statusPage()
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 65_000, maxHeaderSize: 8 * 1024 },
    (request, response) => void respond(request, response, options, page),
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

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminOptions,
  page: ReadonlyMap<string, StatusFile>,
): Promise<void> {
  const { status, text, contentType, headers = {} } = await answer(request, options, page)
  const body = Buffer.from(text, 'utf8')
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    ...headers,
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function answer(
  { method, url = '' }: IncomingMessage,
  options: AdminOptions,
  page: ReadonlyMap<string, StatusFile>,
): Promise<Answer> {
  const path = url.split('?', 1)[0] ?? ''
  const file = page.get(path)
  if (file === undefined && !PATHS.includes(path)) return plain(404, 'not found')
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'method not allowed')
  if (file !== undefined) return { status: 200, ...file, headers: STATUS_HEADERS }
  if (path === '/status.json') return json({ ready: options.ready(), ...options.status() })
  if (path === '/healthz') return plain(200, 'ok')
  if (path === '/readyz') return options.ready() ? plain(200, 'ready') : plain(503, 'not ready')
  try {
    return { status: 200, ...(await options.metrics()) }
  } catch (err) {
    options.log.error({ err }, 'metrics could not be collected')
    return plain(500, 'metrics could not be collected; the log says why')
  }
}

const PATHS: readonly string[] = ['/healthz', '/readyz', '/metrics', '/status.json']

const json = (value: object): Answer => ({
  status: 200,
  text: JSON.stringify(value),
  contentType: 'application/json',
  headers: STATUS_HEADERS,
})

const plain = (status: number, line: string): Answer => ({
  status,
  text: `${line}\n`,
  contentType: 'text/plain; charset=utf-8',
})
