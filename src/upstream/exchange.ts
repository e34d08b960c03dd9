import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { fieldsOf } from '../s3/fields.js'
import { streamBody } from './answer-body.js'
import { noBody, pumpBody, type BodySink } from './body-pump.js'
import { isReset, upstreamFailure } from './failure.js'
import type { FinalRequest } from './final-request.js'
import { UpstreamFailure, type Cancellation, type UpstreamRequest, type UpstreamResponse } from './types.js'

/** What becomes of a request whose kept connection was dead, and of whose body nothing was taken: it may be sent once more. */
export type OnStale = (
  request: UpstreamRequest,
  signal: Cancellation,
  failure: UpstreamFailure,
) => Promise<UpstreamResponse>

/** What an exchange needs of a request: of node's ClientRequest, or of our own. */
export interface Outgoing extends BodySink {
  once(name: 'socket', listener: (socket: Socket) => void): unknown
  once(name: 'close', listener: () => void): unknown
  destroy(): unknown
}

/** What an exchange needs of an answer; its body is read from itself. */
export type Incoming = Readable & {
  /** Whether its end has arrived. */
  complete: boolean
  readonly statusCode: number
  readonly rawHeaders: readonly string[]
  /** Whether something else than the end of the connection ends it. */
  readonly hasLength: boolean
}

/** One request and its answer on one connection. */
export interface Exchange {
  /** Rejects with UpstreamFailure, or with the error of the body's stream as it is. */
  readonly result: Promise<UpstreamResponse>
  /** Takes the request over, before it has a connection or has written a byte. */
  begin(outgoing: Outgoing): void
  answered(incoming: Incoming): void
  failed(error: unknown): void
  /** body bytes handed to the connection so far */
  bytesSent(): number
}

/** milliseconds */
export interface ExchangeLimits {
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number
}

/**
 * Nothing is written before the upstream's certificate was verified: the customer key is in the request's head.
 *
 * Three clocks run, one after the other: the wait for a free connection (`idleTimeoutMs`), name look-up, TCP and TLS
 * (`connectTimeoutMs`), and from then on the upstream's silence (`idleTimeoutMs`). Time in which the upstream waits
 * for us is not its silence: a client that sends or reads slowly is ended by the listener's limits.
 */
export function openExchange(
  request: UpstreamRequest,
  final: FinalRequest,
  signal: Cancellation,
  limits: ExchangeLimits,
  onStale: OnStale,
): Exchange {
  let outgoing: Outgoing | undefined
  let socket: Socket | undefined
  let incoming: Incoming | undefined
  let isReused = false
  let readBefore = 0
  let isSettled = false
  let clock: NodeJS.Timeout | undefined
  let settle: { resolve(result: UpstreamResponse | Promise<UpstreamResponse>): void; reject(error: Error): void }
  const result = new Promise<UpstreamResponse>((resolve, reject) => (settle = { resolve, reject }))
  const pump = request.body.type === 'none' ? noBody() : pumpBody(request.body.stream, final.length, fail)
  const failure = (reason: UpstreamFailure['reason'], cause: unknown): UpstreamFailure =>
    new UpstreamFailure(reason, pump.sent() > 0, cause)

  function fail(error: Error): void {
    release()
    if (!isSettled) {
      isSettled = true
      const isHeard = socket !== undefined && socket.bytesRead > readBefore
      const isStale =
        isReused && !isHeard && !pump.isTouched() && error instanceof UpstreamFailure && isReset(error.cause)
      if (isStale) settle.resolve(onStale(request, signal, error))
      else settle.reject(error)
    } else if (incoming?.complete === false) incoming.destroy(error)
    outgoing?.destroy()
  }

  function release(): void {
    clearTimeout(clock)
    signal.removeEventListener('abort', onAbort)
    socket?.off('timeout', onSilence).off('secureConnect', onVerified)
    pump.stop()
  }

  function onAbort(): void {
    fail(failure('aborted', signal.reason))
  }

  function onSocket(assigned: Socket): void {
    clearTimeout(clock)
    socket = assigned
    // The type of the agent says so already; a key must not depend on it.
    if (!(assigned instanceof TLSSocket)) fail(failure('tls', new Error('the connection is not TLS')))
    else if (assigned.authorized) {
      isReused = true
      readBefore = assigned.bytesRead
      onVerified()
    } else {
      clock = setTimeout(() => {
        fail(failure('timeout', new Error(`no connection within ${limits.connectTimeoutMs} ms`)))
      }, limits.connectTimeoutMs)
      assigned.once('secureConnect', onVerified)
    }
  }

  function onVerified(): void {
    clearTimeout(clock)
    if (outgoing === undefined || isSettled) return
    if (!(socket instanceof TLSSocket && socket.authorized)) {
      fail(failure('tls', new Error("the upstream's certificate was not verified")))
      return
    }
    // The agent's own option does not reach TLS sockets (Node 20), and a body of several small pieces would wait for the
    // upstream's delayed acknowledgement, 40 ms, after the first.
    socket.setNoDelay(true)
    socket.on('timeout', onSilence)
    socket.setTimeout(limits.idleTimeoutMs)
    pump.start(outgoing)
  }

  function onSilence(): void {
    const upstreamWaits = incoming === undefined ? pump.isStarved() : incoming.readableLength > 0
    if (upstreamWaits) socket?.setTimeout(limits.idleTimeoutMs)
    else fail(failure('timeout', new Error(`the upstream was silent for ${limits.idleTimeoutMs} ms`)))
  }

  function onClose(): void {
    if (!isSettled) fail(failure('protocol', new Error('the connection was closed without an answer')))
    release()
  }

  return {
    result,
    begin: (created) => {
      outgoing = created
      outgoing.once('socket', onSocket)
      outgoing.once('close', onClose)
      signal.addEventListener('abort', onAbort)
      clock = setTimeout(() => {
        fail(failure('timeout', new Error(`no connection was free within ${limits.idleTimeoutMs} ms`)))
      }, limits.idleTimeoutMs)
      if (signal.aborted) onAbort()
    },
    answered: (message) => {
      if (isSettled) {
        message.destroy()
        return
      }
      incoming = message
      const fault = answerFault(message.statusCode, message.hasLength, request.method, pump.isComplete())
      if (fault !== 'none') {
        fail(failure('protocol', new Error(fault)))
        return
      }
      if (!pump.isComplete()) {
        // S3 refuses before it has read the body. Its answer counts; the connection is of no more use after it.
        pump.stop()
        message.once('end', () => outgoing?.destroy())
      }
      isSettled = true
      const status = message.statusCode
      settle.resolve({ status, fields: fieldsOf(message.rawHeaders), body: streamBody(message) })
    },
    failed: (error) => {
      fail(
        upstreamFailure(
          error,
          socket instanceof TLSSocket && socket.authorized ? 'connected' : 'connecting',
          pump.sent() > 0,
        ),
      )
    },
    bytesSent: () => pump.sent(),
  }
}

/**
 * An answer without a length ends with its connection, so one that was cut off would look whole; S3 always gives a
 * length or chunks. And nobody can have stored a body of which a part is still here.
 */
export function answerFault(status: number, hasLength: boolean, method: string, isSent: boolean): string | 'none' {
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304
  if (hasBody && !hasLength) {
    return 'the answer does not tell its length'
  }
  if (status < 300 && !isSent) return `the upstream answered ${status} before it had the body`
  return 'none'
}
