import { type ListenerConfig } from '../../src/config/types.js'
import { type Listeners, SERVER_TIMES, type StartOptions, startListeners } from '../../src/server.js'
import { type Socket, connect } from 'node:net'
import type { ClientRequest, ClientResponse, Handler } from '../../src/proxy/handler.js'
import type { RequestEvent } from '../../src/proxy/event.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const LOOPBACK: ListenerConfig = { type: 'http', host: '127.0.0.1', port: 0, anonymous: 'none' }

export interface Running {
  readonly listeners: Listeners
  readonly port: number
  readonly log: readonly Record<string, unknown>[]
  readonly events: readonly RequestEvent[]
  /** Lines that the handler was called with: `PUT /a`. */
  readonly handled: readonly string[]
}

interface Test {
  teardown(end: () => unknown): void
}

/** Takes in the body and tells its length. */
export const countBody: Handler = async (request, response) => {
  const size = await sizeOf(request)
  if (size !== 'cut off') answer(response, `got ${size}`)
}

/** A whole answer. */
export function answer(
  response: ClientResponse,
  text: string | Buffer,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(text)
  response.writeHead(status, new Map(Object.entries({ 'content-length': String(bytes.length), ...headers })))
  response.end(bytes)
}

export function sizeOf(request: ClientRequest): Promise<number | 'cut off'> {
  return new Promise((resolve) => {
    let size = 0
    const body = request.openBody()
    body.on('data', (chunk: Buffer) => (size += chunk.length))
    body.on('end', () => resolve(size))
    body.on('close', () => resolve('cut off'))
  })
}

export async function start(t: Test, given: Partial<StartOptions> = {}): Promise<Running> {
  const log: Record<string, unknown>[] = []
  const events: RequestEvent[] = []
  const handled: string[] = []
  const handler = given.handler ?? countBody
  const listeners = await startListeners({
    listeners: [LOOPBACK],
    timeouts: { headersMs: 10_000, clientIdleMs: 10_000, keepAliveMs: 10_000, drainMs: 1_000 },
    times: SERVER_TIMES,
    log: createLogger({
      level: 'debug',
      destination: { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) },
    }),
    observe: (event) => void events.push(event),
    outOfOrder: () => 'none',
    onBytes: () => undefined,
    onCertificate: () => undefined,
    onCertificateReload: () => undefined,
    ...given,
    handler: (request, response, context) => {
      handled.push(`${request.method} ${request.url}`)
      return handler(request, response, context)
    },
  })
  t.teardown(() => listeners.close({ timeoutMs: 0 }))
  const port = Number(listeners.addresses[0]?.address.split(':').at(-1))
  return { listeners, port, log, events, handled }
}

export interface RawClient {
  readonly socket: Socket
  /** Everything received so far, latin1. */
  readonly received: () => string
  /** Resolves when what was received matches; rejects when the connection closes before that. */
  readonly until: (pattern: RegExp) => Promise<string>
  /** Resolves with everything received when the connection is closed. */
  readonly closed: Promise<string>
  send(text: string): void
}

/** A client that says exactly what it is told. */
/** `stubborn`: does not close when the server has. */
export function rawClient(where: number | string | Socket, manner: 'polite' | 'stubborn' = 'polite'): RawClient {
  const socket =
    typeof where === 'number'
      ? connect({ port: where, host: '127.0.0.1', allowHalfOpen: true })
      : typeof where === 'string'
        ? connect({ path: where, allowHalfOpen: true })
        : where
  let text = ''
  let isClosed = false
  const hearers = new Set<() => void>()
  const tell = () => {
    for (const hear of [...hearers]) hear()
  }
  socket.setNoDelay(true)
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    tell()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => (text += `[${error.code}]`))
  const closed = new Promise<string>((resolve) => {
    if (manner === 'polite') socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      isClosed = true
      resolve(text)
      tell()
    })
  })
  return {
    socket,
    received: () => text,
    closed,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!pattern.test(text) && !isClosed) return
          hearers.delete(check)
          if (pattern.test(text)) resolve(text)
          else reject(new Error(`closed, and no ${pattern} in: ${text}`))
        }
        hearers.add(check)
        check()
      }),
    send: (sent) => void socket.write(Buffer.from(sent, 'latin1')),
  }
}

/** Sends `text` and gives all that came back when the server closed the connection. */
export function exchange(port: number, text: string): Promise<string> {
  const client = rawClient(port)
  client.send(text)
  return client.closed
}

export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'server-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Looks again and again until it is so; a test that waits in vain ends by tap's timeout. */
export async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}
