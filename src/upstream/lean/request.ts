import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Incoming, Outgoing } from '../exchange.js'
import type { FinalRequest } from '../final-request.js'
import type { UpstreamRequest } from '../types.js'
import { AnswerFault, type AnswerHead } from './answer-head.js'
import { answerParser } from './answer-parser.js'
import type { Lease, Pool } from './pool.js'

/** What becomes of a request, besides its own events. */
export interface RequestObserver {
  readonly answered: (incoming: Incoming) => void
  /** Nothing was answered, or what came is no answer. */
  readonly failed: (error: unknown) => void
}

/** Of the body that waits here while the client is slower than the upstream. */
const HIGH_WATER_MARK = 256 * 1024

/**
 * One request on one connection of the pool: written as it was signed, byte for byte, and its answer read strictly. Gives
 * what node's ClientRequest and IncomingMessage give to an exchange, and nothing more.
 *
 * @throws Error where a header or the path holds what would end a line
 */
export function sendLean(
  request: UpstreamRequest,
  final: FinalRequest,
  pool: Pool,
  observer: RequestObserver,
): Outgoing {
  const head = headOf(request, final)
  const events = new EventEmitter()
  const isChunked = final.length === 'chunked'
  let lease: Lease | 'none' = 'none'
  let isHeadSent = false
  let isSent = false
  let sent = 0
  let answer: { readonly incoming: Incoming; readonly head: AnswerHead } | 'none' = 'none'
  let isOver = false

  const stepBack = pool.ask(request.hostname, request.port, {
    take: (given) => {
      lease = given
      given.socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose).on('drain', onDrain)
      // the exchange listens from the next turn on
      queueMicrotask(() => {
        if (!isOver) events.emit('socket', given.socket)
      })
    },
  })

  const parser = answerParser(request.method, {
    head: (read) => {
      const incoming = incomingOf(read, {
        // the connection may have gone to the next request, whose pace is not for this one to set
        resume: () => {
          if (!isOver) socketOf(lease)?.resume()
        },
        abandon: () => over('discard'),
      })
      answer = { incoming, head: read }
      observer.answered(incoming)
    },
    body: (piece) => {
      if (answer !== 'none' && !answer.incoming.destroyed && !answer.incoming.push(piece)) socketOf(lease)?.pause()
    },
    end: (how) => {
      if (answer === 'none') return
      answer.incoming.complete = true
      const { keepAlive } = answer.head
      // Bytes of the request that are still here would be the beginning of the next one.
      if (isSent) over(how === 'clean' && keepAlive.type === 'yes' ? keepAlive.seconds : 'discard')
      answer.incoming.push(null)
    },
  })

  function onData(bytes: Buffer): void {
    try {
      if (!isHeadSent) throw new AnswerFault('it comes before its request')
      parser.execute(bytes)
    } catch (error) {
      broken(error)
    }
  }
  function onEnd(): void {
    if (parser.finish() === 'cut') broken(hangUp('the upstream ended the connection'))
    else over('discard')
  }
  function onError(error: Error): void {
    broken(error)
  }
  function onClose(): void {
    if (parser.finish() === 'cut') broken(hangUp('the connection was closed'))
    over('discard')
  }
  function onDrain(): void {
    events.emit('drain')
  }

  function broken(error: unknown): void {
    if (isOver) return
    const whole = answer !== 'none' && answer.incoming.complete
    over('discard')
    if (answer === 'none') observer.failed(error)
    else if (!whole) answer.incoming.destroy(hangUp('aborted', error))
  }

  function over(how: 'discard' | number): void {
    if (isOver) return
    isOver = true
    stepBack()
    if (lease !== 'none') {
      const { socket } = lease
      socket.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose).off('drain', onDrain)
      if (how === 'discard') lease.discard()
      else lease.giveBack(how)
    }
    queueMicrotask(() => events.emit('close'))
  }

  const outgoing: Outgoing = {
    once: (name: 'socket' | 'close', listener: (socket: TLSSocket) => void) => {
      events.once(name, listener)
      return outgoing
    },
    on: (name, listener) => {
      events.on(name, listener)
      return outgoing
    },
    off: (name, listener) => {
      events.off(name, listener)
      return outgoing
    },
    write: (chunk) => {
      const socket = socketOf(lease)
      if (socket === undefined || isOver || chunk.length === 0) return true
      socket.cork()
      if (!isHeadSent) socket.write(head, 'latin1')
      isHeadSent = true
      sent += chunk.length
      if (sent === final.length) isSent = true
      if (isChunked) socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
      let isFlowing = socket.write(chunk)
      if (isChunked) isFlowing = socket.write('\r\n', 'latin1')
      socket.uncork()
      return isFlowing
    },
    end: () => {
      const socket = socketOf(lease)
      if (socket === undefined || isOver) return
      isSent = true
      const last = isChunked ? '0\r\n\r\n' : ''
      if (!isHeadSent) socket.write(`${head}${last}`, 'latin1')
      else if (last !== '') socket.write(last, 'latin1')
      isHeadSent = true
    },
    destroy: () => {
      over('discard')
      return outgoing
    },
  }
  return outgoing
}

const socketOf = (lease: Lease | 'none'): TLSSocket | undefined => (lease === 'none' ? undefined : lease.socket)

/** As node says it, with the code that tells a lost connection from everything else. */
const hangUp = (message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code: 'ECONNRESET' })

const IN_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const IN_NAME = /^[a-z0-9-]+$/
const IN_PATH = /^[\x21-\x7e\x80-\xff]+$/

function headOf({ method, path }: UpstreamRequest, { headers }: FinalRequest): string {
  if (!/^[A-Z]+$/.test(method) || !IN_PATH.test(path)) throw new Error('the request line cannot be sent as it is')
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (const name in headers) {
    const value = headers[name] ?? ''
    if (!IN_NAME.test(name) || !IN_VALUE.test(value)) throw new Error('a header cannot be sent as it is')
    head += `${name}: ${value}\r\n`
  }
  return `${head}\r\n`
}

function incomingOf(
  { status, rawHeaders, framing }: AnswerHead,
  control: { readonly resume: () => void; readonly abandon: () => void },
): Incoming {
  const body = new Readable({
    highWaterMark: HIGH_WATER_MARK,
    read: control.resume,
    destroy(error, done) {
      control.abandon()
      done(error)
    },
  })
  // as with node's own answers: whoever comes late finds the error, and nobody has to come
  body.on('error', () => undefined)
  const incoming: Incoming = Object.assign(body, {
    complete: false,
    statusCode: status,
    rawHeaders,
    hasLength: framing !== 'close',
  })
  return incoming
}
