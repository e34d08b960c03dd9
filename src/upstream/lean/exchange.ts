import { TLSSocket } from 'node:tls'
import { noBody, pumpBody, type BodyPump } from '../body-pump.js'
import { answerFault, type ExchangeLimits, type OnStale } from '../exchange.js'
import { isReset, upstreamFailure } from '../failure.js'
import { UpstreamFailure, type Cancellation, type UpstreamRequest, type UpstreamResponse } from '../types.js'
import { AnswerFault, type AnswerHead } from './answer-head.js'
import { AnswerParser, type AnswerSink } from './answer-parser.js'
import { LeanBody, type BodySource } from './body.js'
import type { Lease, Pool, Taker } from './pool.js'
import { requestHead } from './request-head.js'
import { RequestWriter } from './request-writer.js'

/**
 * One request and its answer on one connection of the pool: written as it was signed, byte for byte, and its answer read
 * strictly. What `openExchange` does with node's client, without it; the same tests hold both.
 *
 * Nothing is written before the upstream's certificate was verified: the customer key is in the request's head. Three clocks run,
 * one after the other: the wait for a free connection (`idleTimeoutMs`), name look-up, TCP and TLS (`connectTimeoutMs`), and
 * from then on the upstream's silence (`idleTimeoutMs`). Time in which the upstream waits for us is not its silence.
 */
export class LeanExchange implements Taker, AnswerSink, BodySource {
  readonly result: Promise<UpstreamResponse>
  /** What http-proxy reads of a request, for its debugging. */
  readonly url: string
  readonly #request: UpstreamRequest
  readonly #signal: Cancellation
  readonly #pool: Pool
  readonly #limits: ExchangeLimits
  readonly #onStale: OnStale
  readonly #pump: BodyPump
  readonly #parser: AnswerParser
  readonly #writer: RequestWriter
  #resolve!: (response: UpstreamResponse | Promise<UpstreamResponse>) => void
  #reject!: (error: Error) => void
  #phase: 'waiting' | 'connecting' | 'running' | 'over' = 'waiting'
  /** When the phase began, or the upstream was last found to wait for us. */
  #since: number
  #lease: Lease | 'none' = 'none'
  #isReused = false
  #isSettled = false
  /** Something of an answer has come: whoever sent it had the request. */
  #isHeard = false
  #body: LeanBody | 'none' = 'none'
  #keepAliveSeconds = 0
  readonly #onAbort = (): void => this.#fail(this.#failure('aborted', this.#signal.reason))

  /** @throws UpstreamFailure `protocol` where the request cannot go out as it was signed */
  constructor(request: UpstreamRequest, signal: Cancellation, limits: ExchangeLimits, pool: Pool, onStale: OnStale) {
    this.url = request.path
    this.#request = request
    this.#signal = signal
    this.#limits = limits
    this.#onStale = onStale
    this.#pool = pool
    this.#since = pool.now()
    const head = requestHead(request)
    this.#parser = new AnswerParser(request.method, this)
    this.result = new Promise<UpstreamResponse>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#pump =
      request.body.type === 'none' ? noBody() : pumpBody(request.body.stream, head.length, (error) => this.#fail(error))
    this.#writer = new RequestWriter(head, () => this.#pump.isComplete())
  }

  begin(): void {
    this.#signal.addEventListener('abort', this.#onAbort)
    if (this.#signal.aborted) this.#onAbort()
    else this.#pool.ask(this.#request.hostname, this.#request.port, this, this.#since)
  }

  /** Ends it from outside. */
  failed(error: unknown): void {
    const phase = this.#phase === 'running' ? 'connected' : 'connecting'
    this.#fail(upstreamFailure(error, phase, this.#pump.sent() > 0))
  }

  // of the pool

  onLease(lease: Lease): void {
    this.#lease = lease
    const { socket, isConnected } = lease.connection
    this.#isReused = isConnected
    this.#phase = 'connecting'
    // On a kept one the next thing is to write, which is noted there.
    if (!isConnected) this.#since = this.#pool.now()
    // The type of the pool says so already; a key must not depend on it.
    if (!(socket instanceof TLSSocket)) this.#fail(this.#failure('tls', new Error('the connection is not TLS')))
    else if (isConnected) this.onConnected()
  }

  onPoolClosed(): void {
    if (!this.#isSettled) this.#fail(this.#failure('aborted', new Error('the transport was closed')))
  }

  onTick(now: number): void {
    const { idleTimeoutMs, connectTimeoutMs } = this.#limits
    switch (this.#phase) {
      case 'waiting':
        if (now - this.#since < idleTimeoutMs) return
        this.#fail(this.#failure('timeout', new Error(`no connection was free within ${idleTimeoutMs} ms`)))
        return
      case 'connecting':
        if (now - this.#since < connectTimeoutMs) return
        this.#fail(this.#failure('timeout', new Error(`no connection within ${connectTimeoutMs} ms`)))
        return
      case 'running': {
        const last = Math.max(this.#since, this.#lease === 'none' ? 0 : this.#lease.connection.lastActivity)
        const upstreamWaits = this.#body === 'none' ? this.#pump.isStarved() : this.#body.isBlocked
        if (upstreamWaits) this.#since = now
        else if (now - last >= idleTimeoutMs) {
          this.#fail(this.#failure('timeout', new Error(`the upstream was silent for ${idleTimeoutMs} ms`)))
        }
        return
      }
      case 'over':
    }
  }

  // of the connection

  onConnected(): void {
    if (this.#phase !== 'connecting' || this.#lease === 'none') return
    if (!this.#lease.connection.socket.authorized) {
      this.#fail(this.#failure('tls', new Error("the upstream's certificate was not verified")))
      return
    }
    this.#phase = 'running'
    this.#writer.useConnection(this.#lease.connection)
    this.#pump.start(this.#writer)
  }

  onBytes(bytes: Buffer): void {
    this.#isHeard = true
    try {
      if (!this.#writer.isBegun) throw new AnswerFault('it comes before its request')
      this.#parser.execute(bytes)
    } catch (error) {
      this.#broken(error)
    }
  }

  onHalfClosed(): void {
    this.#ended('the upstream ended the connection')
  }

  onClosed(): void {
    this.#ended('the connection was closed')
  }

  onError(error: Error): void {
    this.#broken(error)
  }

  onDrain(): void {
    this.#writer.drained()
  }

  // of the parser

  onHead(head: AnswerHead): void {
    const fault = answerFault(head.status, head.framing !== 'close', this.#request.method, this.#pump.isComplete())
    if (fault !== 'none') {
      this.#fail(this.#failure('protocol', new Error(fault)))
      return
    }
    // S3 refuses before it has read the body. Its answer counts; the connection is of no more use after it.
    if (!this.#pump.isComplete()) this.#pump.stop()
    this.#keepAliveSeconds = head.keepAliveSeconds
    const body = new LeanBody(this)
    this.#body = body
    this.#isSettled = true
    this.#resolve({ status: head.status, fields: head.fields, body })
  }

  onBody(piece: Buffer): void {
    if (this.#body !== 'none') this.#body.push(piece)
  }

  onEnd(how: 'clean' | 'followed'): void {
    if (this.#body === 'none') return
    // Bytes of the request that are still here would be the beginning of the next one.
    const isClean = how === 'clean' && this.#writer.isSent
    this.#release(isClean ? this.#keepAliveSeconds : 0)
    this.#body.end()
  }

  // of the answer's body: the connection may have gone to the next request, whose pace is not for this one to set

  pause(): void {
    if (this.#lease !== 'none') this.#lease.connection.pause()
  }

  resume(): void {
    if (this.#lease !== 'none') this.#lease.connection.resume()
  }

  abandon(): void {
    this.#pump.stop()
    this.#release(0)
  }

  #failure(reason: UpstreamFailure['reason'], cause: unknown): UpstreamFailure {
    return new UpstreamFailure(reason, this.#pump.sent() > 0, cause)
  }

  #ended(message: string): void {
    if (this.#phase === 'over') return
    if (this.#parser.finish() === 'cut') this.#broken(hangUp(message))
    else this.#release(0)
  }

  /** Nothing was answered, what came is no answer, or it broke off. */
  #broken(error: unknown): void {
    if (this.#phase === 'over') return
    if (this.#body === 'none') this.failed(error)
    else this.#fail(hangUp('aborted', error))
  }

  #fail(error: Error): void {
    this.#pump.stop()
    if (!this.#isSettled) {
      this.#isSettled = true
      const isUnused = this.#isReused && !this.#isHeard && !this.#pump.isTouched()
      const mayRepeat = isUnused && error instanceof UpstreamFailure && isReset(error.cause)
      if (mayRepeat) this.#resolve(this.#onStale(this.#request, this.#signal, error))
      else this.#reject(error)
    }
    this.#release(0)
    if (this.#body !== 'none') this.#body.fail(error)
  }

  /** @param seconds for which the connection may be kept; 0 where it has to go */
  #release(seconds: number): void {
    if (this.#phase === 'over') return
    if (this.#phase === 'waiting') this.#pool.stepBack(this.#request.hostname, this.#request.port, this)
    this.#phase = 'over'
    this.#signal.removeEventListener('abort', this.#onAbort)
    const lease = this.#lease
    this.#lease = 'none'
    this.#writer.useConnection('none')
    if (lease === 'none') return
    if (seconds > 0) lease.giveBack(seconds)
    else lease.discard()
  }
}

/** As node says it, with the code that tells a lost connection from everything else. */
const hangUp = (message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code: 'ECONNRESET' })
