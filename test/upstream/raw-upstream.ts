import { once } from 'node:events'
import type { AnswerBody } from '../../src/upstream/answer-body.js'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { httpProxyTransport, type HttpProxyTransport } from '../../src/upstream/http-proxy-transport.js'
import type { TransportOptions } from '../../src/upstream/http-proxy-transport.js'
import { UpstreamFailure, type UpstreamRequest } from '../../src/upstream/types.js'
import { TEST_PASS } from '../support/pass.js'
import { testCertificates } from '../support/certificates.js'

/** A TLS server that speaks bytes, not HTTP: the test decides what is sent, when, and what is left out. */
export interface RawUpstream {
  readonly port: number
  /** Every connection that was made, in order. */
  readonly connections: readonly RawConnection[]
  /** Connections that are still open. */
  readonly open: () => number
}

export interface RawConnection {
  readonly socket: TLSSocket
  /** Everything that arrived, latin1. */
  readonly received: () => string
  /** Resolves when what arrived matches. */
  readonly until: (pattern: RegExp) => Promise<void>
  /** Ends the TCP connection with RST. */
  readonly reset: () => void
  readonly closed: Promise<void>
}

export async function rawUpstream(
  t: Test,
  onConnection: (connection: RawConnection, index: number) => void,
  tls: TlsOptions = {},
): Promise<RawUpstream> {
  const connections: RawConnection[] = []
  let open = 0
  const server = createServer({ ...testCertificates().leaf, ...tls }, (socket) => {
    open += 1
    socket.on('error', () => undefined)
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    void closed.then(() => (open -= 1))
    let received = ''
    const checks = new Set<() => void>()
    const connection: RawConnection = {
      socket,
      received: () => received,
      until: (pattern) =>
        new Promise((resolve) => {
          const check = (): void => {
            if (!pattern.test(received)) return
            checks.delete(check)
            resolve()
          }
          checks.add(check)
          check()
        }),
      reset: () => tcp.get(socket.remotePort ?? 0)?.resetAndDestroy(),
      closed,
    }
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      for (const check of checks) check()
    })
    connections.push(connection)
    onConnection(connection, connections.length - 1)
  })
  server.on('tlsClientError', () => undefined)
  const tcp = new Map<number, Socket>()
  const front = createTcpServer((socket) => {
    tcp.set(
      socket.remotePort ?? 0,
      socket.on('error', () => undefined),
    )
    server.emit('connection', socket)
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.teardown(() => {
    for (const socket of tcp.values()) socket.destroy()
    front.close()
  })
  return { port: (front.address() as AddressInfo).port, connections, open: () => open }
}

/** Answers every request that is complete by its head with `answer`. */
export function answering(answer: string): (connection: RawConnection) => void {
  return ({ socket, received }) => {
    let answered = 0
    socket.on('data', () => {
      const heads = received().split('\r\n\r\n').length - 1
      for (; answered < heads; answered += 1) socket.write(answer, 'latin1')
    })
  }
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

export function transportFor(t: Test, options: Partial<TransportOptions> = {}): HttpProxyTransport {
  const made = httpProxyTransport({
    connectTimeoutMs: 5000,
    idleTimeoutMs: 5000,
    maxSockets: 8,
    keepAliveMs: 5000,
    ca: testCertificates().authority.cert,
    environment: {},
    pass: TEST_PASS,
    ...options,
  })
  t.teardown(() => made.close())
  return made
}

export function getRequest(port: number, overrides: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'GET',
    hostname: '127.0.0.1',
    port,
    path: '/bucket/key',
    headers: { host: `127.0.0.1:${port}` },
    body: { type: 'none' },
    ...overrides,
  }
}

export type Expected = Partial<Pick<UpstreamFailure, 'reason' | 'sent'>> & {
  readonly code?: RegExp
  readonly message?: RegExp
}

/** Asserts that the upstream failed, and how; `code` and `message` are those of the failure's cause. */
export async function failsWith(t: Test, running: Promise<unknown>, expected: Expected, name?: string): Promise<void> {
  const error: unknown = await running.then(
    () => 'it did not fail',
    (caught: unknown) => caught,
  )
  if (!(error instanceof UpstreamFailure)) {
    t.equal(error, 'an UpstreamFailure', name ?? 'an UpstreamFailure')
    return
  }
  const { reason, sent } = error
  const cause = error.cause as { code?: string; message?: string }
  const { code, message, ...plain } = expected
  const seen = { reason, sent, code: cause.code ?? '', message: cause.message ?? '' }
  t.match(seen, { ...plain, code: code ?? /^/, message: message ?? /^/ }, name ?? `fails with ${reason}`)
}

/** Polls, for what has no event. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}

export const streamOf = (bytes: Buffer): UpstreamRequest['body'] => ({
  type: 'stream',
  stream: Readable.from([bytes], { objectMode: false }),
})

/** A PUT with a body. */
export function putRequest(
  port: number,
  length: number,
  stream: Readable,
  overrides: Partial<UpstreamRequest> = {},
): UpstreamRequest {
  const headers = { host: 'x', 'content-length': String(length) }
  return getRequest(port, { method: 'PUT', headers, body: { type: 'stream', stream }, ...overrides })
}

/** A body without end. */
export function endless(): Readable {
  const chunk = Buffer.alloc(64 * 1024)
  const stream: Readable = new Readable({ read: () => void stream.push(chunk) })
  return stream
}

export const never = (): AbortSignal => new AbortController().signal

export async function textOf(body: AnswerBody): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body.stream() as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}
