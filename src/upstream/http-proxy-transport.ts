import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Agent } from 'node:https'
import { isIP } from 'node:net'
import type { Stream } from 'node:stream'
import { createProxyServer, type ServerOptions } from 'http-proxy'
import {
  closeAgents,
  countSockets,
  createAgents,
  refuseUnsafeEnvironment,
  type ConnectionOptions,
  type SocketCounts,
} from './agents.js'
import { openExchange, type Exchange, type ExchangeResult } from './exchange.js'
import { finalRequest, type FinalRequest } from './final-request.js'
import { UpstreamFailure, type Transport, type UpstreamRequest } from './types.js'

export interface TransportOptions extends ConnectionOptions {
  /** The process's environment: some variables would take the protection away, and are refused. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface TransportStats extends SocketCounts {
  /** requests sent a second time, because a kept connection was dead; since the start */
  readonly retries: number
  /** body bytes handed to connections since the start */
  readonly bodyBytesSent: number
}

export interface HttpProxyTransport {
  readonly transport: Transport
  readonly stats: () => TransportStats
  /** Destroys every connection; requests that still run fail with `aborted`. Resolves when all sockets are closed. */
  readonly close: () => Promise<void>
}

/**
 * The transport over the package http-proxy (docs/adr/0001): https to verified hosts only, kept connections, no
 * redirects.
 *
 * A request is sent twice in one case only: a kept connection turned out to be closed (the upstream ended it while it
 * was idle), there was no answer, and nothing of its body was taken. The second goes out on a new connection.
 *
 * @throws Error where the environment would turn verification off or print keys
 */
export function httpProxyTransport(options: TransportOptions): HttpProxyTransport {
  refuseUnsafeEnvironment(options.environment)
  const agents = createAgents(options)
  const proxy = createProxyServer()
  proxy.on('proxyRes', (incoming, forwarded) => exchanges.get(forwarded)?.answered(incoming))
  const exchanges = new WeakMap<object, Exchange>()
  const unanswered = new Set<Exchange>()
  let isClosed = false
  let retries = 0
  let bodyBytesSent = 0

  const send = async (
    request: UpstreamRequest,
    final: FinalRequest,
    signal: AbortSignal,
    agent: Agent,
  ): Promise<ExchangeResult> => {
    const exchange = openExchange(request, final, signal, options)
    const forwarded = forwardedMessage(request, final)
    exchanges.set(forwarded, exchange)
    unanswered.add(exchange)
    try {
      proxy.web(forwarded, NO_CLIENT, webOptions(request, exchange, agent), (error) => exchange.failed(error))
    } catch (error) {
      exchange.failed(error) // node refuses a header or a path before there is a connection
    }
    try {
      return await exchange.result
    } finally {
      unanswered.delete(exchange)
      bodyBytesSent += exchange.bytesSent()
    }
  }

  return {
    transport: async (request, signal) => {
      if (isClosed) throw new UpstreamFailure('aborted', false, new Error('the transport is closed'))
      const final = finalRequest(request)
      const first = await send(request, final, signal, agents.pooled)
      if (first.type === 'answer') return first.response
      retries += 1
      const second = await send(request, final, signal, agents.fresh)
      if (second.type === 'answer') return second.response
      throw second.failure
    },
    stats: () => ({ ...countSockets(agents), retries, bodyBytesSent }),
    close: async () => {
      isClosed = true
      const cause = new Error('the transport was closed')
      for (const exchange of unanswered) {
        exchange.failed(new UpstreamFailure('aborted', exchange.bytesSent() > 0, cause))
      }
      await closeAgents(agents)
    },
  }
}

/**
 * What http-proxy reads of a client's request: ours, and nothing of the client's. Frozen, so that an attempt to change
 * the signed headers throws instead of breaking the signature.
 */
function forwardedMessage(request: UpstreamRequest, final: FinalRequest): IncomingMessage {
  const message = Object.freeze({
    method: request.method,
    url: request.path,
    headers: final.headers,
    httpVersionMajor: 1,
    socket: Object.freeze({ destroyed: false }),
    on: () => undefined,
  })
  return message as unknown as IncomingMessage
}

/** What http-proxy reads of a client's answer. It writes nothing to it: the answer is taken from its event. */
const NO_CLIENT = Object.freeze({
  headersSent: false,
  finished: false,
  writableFinished: false,
  on: () => undefined,
}) as unknown as ServerResponse

function webOptions(request: UpstreamRequest, exchange: Exchange, agent: Agent): ServerOptions {
  const { hostname } = request
  return {
    target: { protocol: 'https:', host: hostname, hostname, port: request.port },
    agent,
    secure: true,
    // With these two the request-target goes out as it is.
    toProxy: true,
    prependPath: false,
    selfHandleResponse: true,
    followRedirects: false,
    // http-proxy pipes this into the request it made; the exchange takes over from there.
    buffer: { pipe: (outgoing: ClientRequest) => exchange.begin(outgoing) } as unknown as Stream,
    // The options of node's https.request; http-proxy writes into this object. Two more here would double the time
    // that making a request takes (the object becomes a hash table), so node's 16 KiB for an answer's head it is.
    ssl: { servername: isIP(hostname) === 0 ? hostname : '' },
  }
}
