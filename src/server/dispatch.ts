import type { Connections, Exchange } from './connections.js'
import type { Handler, ListenerInfo } from '../proxy/handler.js'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { refusal, refusalEvent, sendRefusal } from './refusal.js'
import type { Logger } from '../telemetry/logger.js'
import type { RequestObserver } from '../proxy/event.js'
import { S3Error } from '../s3/error.js'
import { dropRest } from './connections.js'
import { headFault } from './head-fault.js'
import { nodeRequest, nodeResponse } from './node-client.js'

export interface Dispatch {
  readonly listener: ListenerInfo
  readonly handler: Handler
  readonly connections: Connections
  readonly log: Logger
  /** Hears of the requests that are refused here; the handler tells of the others. */
  readonly observe: RequestObserver
  readonly outOfOrder: () => string | 'none'
  /** How long the rest of an upload is taken in after its answer. */
  readonly lingerMs: number
}

/**
 * Gives each request of a server to the handler once: with Expect: 100-continue or without. Upgrade is ignored and
 * CONNECT closes the connection, because nobody listens to their events (node's rule).
 */
export function dispatchRequests(server: Server, to: Dispatch): void {
  server.on('request', (request, response) => dispatch(request, response, 'nothing', to))
  server.on('checkContinue', (request, response) => {
    // Node takes anything that has the word in it.
    const sole = request.headers.expect?.trim().toLowerCase() === '100-continue'
    dispatch(request, response, sole ? 'continue' : 'unknown', to)
  })
  server.on('checkExpectation', (request, response) => dispatch(request, response, 'unknown', to))
}

function dispatch(
  request: IncomingMessage,
  response: ServerResponse,
  expects: 'nothing' | 'continue' | 'unknown',
  to: Dispatch,
): void {
  if (to.connections.isClosing(request.socket)) {
    // Pipelined behind a request whose answer closes the connection: there is nowhere to answer it, so it must not run.
    response.destroy()
    return
  }
  const error = refusalOf(request, expects, to)
  let cutOff: () => void = () => undefined
  const over = new Promise<void>((resolve) => {
    response.once('close', resolve)
    cutOff = () => {
      // A response that waits for its turn on the connection is not told by node that the turn will not come.
      if (response.socket === null) response.emit('close')
      resolve()
    }
  })
  const exchange: Exchange = { request, response, awaitsContinue: expects === 'continue', cutOff }
  to.connections.begin(exchange)
  limitRest(exchange, to.lingerMs)
  response.on('error', (fault) => to.log.debug({ listener: to.listener.name, err: fault }, 'answer not sent'))
  if (error !== 'none') answer(exchange, error, to)
  const work = error === 'none' ? handle(exchange, to) : Promise.resolve()
  void Promise.all([work, over]).then(() => to.connections.end(exchange))
}

function refusalOf(
  request: IncomingMessage,
  expects: string,
  { connections, outOfOrder }: Pick<Dispatch, 'connections' | 'outOfOrder'>,
): S3Error | 'none' {
  const fault = headFault(request)
  if (fault !== 'none') return new S3Error('BadRequest', { cause: new Error(fault) })
  if (expects === 'unknown') return new S3Error('ExpectationFailed')
  if (connections.draining())
    return new S3Error('ServiceUnavailable', { message: 'Shutting down. Reconnect and try again.' })
  const reason = outOfOrder()
  if (reason !== 'none') return new S3Error('ServiceUnavailable', { cause: new Error(reason) })
  return 'none'
}

async function handle(exchange: Exchange, { handler, listener, log }: Dispatch): Promise<void> {
  const { request, response, awaitsContinue } = exchange
  if (awaitsContinue) noteContinue(exchange)
  try {
    await handler(nodeRequest(request), nodeResponse(response), { listener, expectsContinue: awaitsContinue })
  } catch (err) {
    log.error({ listener: listener.name, err }, 'the request handler failed')
    response.destroy()
  }
}

/**
 * A client that was not told to go on may send the body all the same, or the next request: nobody can tell which, so
 * node ends the connection with such an answer (RFC 9110, 10.1.1; a test holds it to that). Here it is only noted.
 */
function noteContinue(exchange: Exchange): void {
  const { response } = exchange
  const writeContinue = response.writeContinue.bind(response)
  response.writeContinue = (callback) => {
    exchange.awaitsContinue = false
    writeContinue(callback)
  }
}

function answer({ request, response }: Exchange, error: S3Error, to: Dispatch): void {
  // At once: the next request may be in the bytes that the parser is reading just now.
  to.connections.markClosing(request.socket)
  const refused = refusal(error, (request.url ?? '').split('?', 1)[0] as string)
  sendRefusal(request, response, refused)
  const remoteAddress = request.socket.remoteAddress ?? 'unix'
  to.observe(refusalEvent(refused, { listener: to.listener, remoteAddress, method: request.method ?? '' }))
}

/** What the client still sends after its answer is dropped, for a while; then it is cut off. */
function limitRest({ request, response }: Exchange, lingerMs: number): void {
  response.once('finish', () => {
    if (request.complete || request.destroyed) return
    dropRest(request)
    const timer = setTimeout(() => request.socket.destroy(), lingerMs).unref()
    request.once('end', () => clearTimeout(timer))
  })
}
