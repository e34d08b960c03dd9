import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
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
import { openExchange, type Exchange, type Incoming, type OnStale } from './exchange.js'
import { finalRequest, type FinalRequest } from './final-request.js'
import { connectionPool } from './lean/pool.js'
import { LeanExchange } from './lean/exchange.js'
import {
  UpstreamFailure,
  type Cancellation,
  type Transport,
  type UpstreamRequest,
  type UpstreamResponse,
} from './types.js'

export interface TransportOptions extends ConnectionOptions {
  /** Who speaks HTTP behind http-proxy's entry: its own pass with node's client, or the one in `lean/` (docs/adr/0007). */
  readonly pass: 'http-proxy' | 'lean'
  /** The process's environment: some variables would take the protection away, and are refused. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface TransportStats extends SocketCounts {
  /** requests sent a second time, because a kept connection was dead; since the start */
  readonly retries: number
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
  const connections = options.pass === 'lean' ? leanPass(options) : ownPass(options)
  let isClosed = false
  let retries = 0

  const send = (request: UpstreamRequest, signal: Cancellation, onStale: OnStale | 'new connection') => {
    try {
      if (isClosed) throw new UpstreamFailure('aborted', false, new Error('the transport is closed'))
      return connections.send(request, signal, onStale)
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }
  const sendAgain: OnStale = (request, signal) => {
    retries += 1
    return send(request, signal, 'new connection')
  }

  return {
    // No asynchronous function around it: nearly all requests wait for nothing else.
    transport: (request, signal) => send(request, signal, sendAgain),
    stats: () => ({ ...connections.counts(), retries }),
    close: async () => {
      isClosed = true
      await connections.close()
    },
  }
}

/** Where requests go in through http-proxy's entry. */
interface Connections {
  /**
   * Over a kept connection, or a new one for itself.
   *
   * @throws UpstreamFailure `protocol` (or rejects with it), where the request cannot go out as it was signed
   */
  readonly send: (
    request: UpstreamRequest,
    signal: Cancellation,
    onStale: OnStale | 'new connection',
  ) => Promise<UpstreamResponse>
  readonly counts: () => SocketCounts
  /** Requests without an answer fail with `aborted`. */
  readonly close: () => Promise<void>
}

/** Of a connection of its own, which was not kept by anybody. */
const failStale: OnStale = (_request, _signal, failure) => Promise.reject(failure)

/** Node's answer with what an exchange asks of it. */
const withLength = (incoming: IncomingMessage): Incoming =>
  Object.assign(incoming, {
    statusCode: incoming.statusCode ?? 0,
    hasLength: incoming.headers['content-length'] !== undefined || incoming.headers['transfer-encoding'] === 'chunked',
  })

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

/** http-proxy's own pass: node's https client and its agents. */
function ownPass(options: ConnectionOptions): Connections {
  const proxy = createProxyServer()
  const agents = createAgents(options)
  const exchanges = new WeakMap<object, Exchange>()
  const unanswered = new Set<Exchange>()
  proxy.on('proxyRes', (incoming, forwarded) => exchanges.get(forwarded)?.answered(withLength(incoming)))
  const webOptions = ({ hostname, port }: UpstreamRequest, exchange: Exchange, isKept: boolean): ServerOptions => ({
    target: { protocol: 'https:', host: hostname, hostname, port },
    agent: isKept ? agents.pooled : agents.fresh,
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
  })
  return {
    send: (request, signal, onStale) => {
      const final = finalRequest(request)
      const isKept = onStale !== 'new connection'
      const exchange = openExchange(request, final, signal, options, isKept ? onStale : failStale)
      const forwarded = forwardedMessage(request, final)
      exchanges.set(forwarded, exchange)
      unanswered.add(exchange)
      const settled = () => void unanswered.delete(exchange)
      exchange.result.then(settled, settled)
      try {
        proxy.web(forwarded, NO_CLIENT, webOptions(request, exchange, isKept), (error) => exchange.failed(error))
      } catch (error) {
        exchange.failed(error) // a header or a path is refused before there is a connection
      }
      return exchange.result
    },
    counts: () => countSockets(agents),
    close: async () => {
      const cause = new Error('the transport was closed')
      for (const exchange of unanswered) {
        exchange.failed(new UpstreamFailure('aborted', exchange.bytesSent() > 0, cause))
      }
      await closeAgents(agents)
    },
  }
}

/** A pass of our own in front of http-proxy's, after which none of them runs (docs/adr/0007). */
function leanPass(options: ConnectionOptions): Connections {
  const proxy = createProxyServer(LEAN_OPTIONS)
  const kept = connectionPool(options, true)
  const fresh = connectionPool(options, false)
  proxy.before('web', 'deleteLength', (forwarded) => {
    ;(forwarded as unknown as LeanExchange).begin()
    return true
  })
  return {
    send: (request, signal, onStale) => {
      const exchange =
        onStale === 'new connection'
          ? new LeanExchange(request, signal, options, fresh, failStale)
          : new LeanExchange(request, signal, options, kept, onStale)
      proxy.web(exchange as unknown as IncomingMessage, NO_CLIENT)
      return exchange.result
    },
    counts: () => {
      const [one, other] = [kept.counts(), fresh.counts()]
      return {
        inUse: one.inUse + other.inUse,
        free: one.free + other.free,
        pending: one.pending + other.pending,
      }
    },
    close: async () => {
      await Promise.all([kept.close(), fresh.close()])
    },
  }
}

/** http-proxy wants a target, which the pass does not look at; given once, it is not put into the options of each request. */
const LEAN_OPTIONS: ServerOptions = { target: { protocol: 'https:', host: 'upstream', port: 443 } }
