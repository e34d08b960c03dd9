import { errorOf, refusalOf } from './refuse-request.js'
import { refusal, refusalEvent, refusalText } from '../refusal.js'
import type { Booked } from './connections.js'
import type { Channel } from './client-response.js'
import { HeadBuffer } from './head-buffer.js'
import type { HandlerContext } from '../../proxy/handler.js'
import { LeanRequest } from './client-request.js'
import { LeanResponse } from './client-response.js'
import { Malformed } from '../../http1/malformed.js'
import type { PreparedService } from './service.js'
import { RequestBody } from './request-body.js'
import { S3Error } from '../../s3/error.js'
import type { Socket } from 'node:net'
import { type RequestHead, parseRequestHead } from './request-head.js'

/** How long a connection whose bytes make no sense may still take its answer. */
const LAST_WORDS_MS = 1_000
/** Of requests that a client sends ahead of the answer to the one before. */
const MAX_AHEAD = 64 * 1024

/** Serves what a client asks for on a new connection until it ends. */
export function serveConnection(socket: Socket, service: PreparedService): void {
  service.connections.add(new ClientConnection(socket, service))
}

/**
 * One client's connection: requests one after the other, each begun when the answer before it is out. Bytes that come ahead wait, up
 * to a limit, and are never begun where that answer is the connection's last.
 */
class ClientConnection implements Booked, Channel {
  readonly socket: Socket
  readonly keptLines: string
  readonly onBytes: (bytes: number) => void
  readonly #service: PreparedService
  readonly #remoteAddress: string
  readonly #head = new HeadBuffer()
  /**
   * `idle`: between requests. `head`: a part of one is here, or the connection is new. `body`: the request runs and its body is not
   * whole. `answer`: it is whole. `closing`: the last answer was given, and what still comes is dropped.
   */
  #state: 'idle' | 'head' | 'body' | 'answer' | 'closing' = 'head'
  /** When `idle` or `head` began, or when `closing` has to end; monotonic, in ms. */
  #clock = performance.now()
  #body: RequestBody | 'none' = 'none'
  /** Of the request that runs, until its answer is over. */
  #response: LeanResponse | 'none' = 'none'
  #keepsAlive = false
  #awaitsContinue = false
  /** What came ahead of the answer to the request that runs. */
  #ahead: Buffer[] = []
  #aheadBytes = 0
  #hasInputEnded = false

  constructor(socket: Socket, service: PreparedService) {
    this.socket = socket
    this.keptLines = service.keptLines
    this.onBytes = service.onBytes
    this.#service = service
    this.#remoteAddress = socket.remoteAddress ?? 'unix'
    socket.setTimeout(service.timeouts.clientIdleMs)
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('end', () => this.#endInput())
    socket.on('drain', () => {
      if (this.#response !== 'none') this.#response.drained()
    })
    socket.on('timeout', () => this.#judgeSilence())
    socket.on('error', (err) => service.log.debug({ listener: service.listener.name, err }, 'connection broken'))
    socket.on('close', () => this.#forget())
  }

  #take(bytes: Buffer): void {
    this.onBytes(bytes.length)
    try {
      let at = 0
      while (at < bytes.length) at = this.#read(bytes, at)
    } catch (cause) {
      this.#refuseBytes(cause)
    }
  }

  /** @returns the offset behind what was read */
  #read(bytes: Buffer, offset: number): number {
    switch (this.#state) {
      case 'idle':
      case 'head':
        return this.#readHead(bytes, offset)
      case 'body':
        return this.#readBody(bytes, offset)
      case 'answer':
        this.#ahead.push(offset === 0 ? bytes : bytes.subarray(offset))
        this.#aheadBytes += bytes.length - offset
        if (this.#aheadBytes > MAX_AHEAD) this.socket.pause()
        return bytes.length
      case 'closing':
        this.#dropRest(bytes, offset)
        return bytes.length
    }
  }

  #readHead(bytes: Buffer, offset: number): number {
    const end = this.#head.read(bytes, offset)
    if (end < 0) {
      if (this.#state === 'idle' && this.#head.isBegun) {
        this.#state = 'head'
        this.#clock = performance.now()
      }
      return bytes.length
    }
    const head = parseRequestHead(this.#head.take())
    if (head.method === 'CONNECT') {
      this.#state = 'closing'
      this.socket.destroy()
      return bytes.length
    }
    this.#body = head.framing === 0 ? 'none' : new RequestBody(head.framing, this.#resume)
    const error = refusalOf(head, this.#service)
    if (error === 'none') return this.#begin(head, bytes, end)
    this.#refuse(error, head.method, head.target.split('?', 1)[0] as string)
    return end
  }

  /** What is here of the body is read first: the handler should see that a small one is whole. */
  #begin(head: RequestHead, bytes: Buffer, offset: number): number {
    const { contexts, connections } = this.#service
    const response = new LeanResponse(this, head)
    this.#response = response
    this.#keepsAlive = head.keepsAlive
    this.#awaitsContinue = head.expects === 'continue'
    let at = offset
    let fault: unknown = 'none'
    if (this.#body === 'none') {
      this.#state = 'answer'
    } else {
      this.#state = 'body'
      try {
        at = this.#readBody(bytes, offset)
      } catch (cause) {
        fault = cause
      }
    }
    connections.begin()
    const request = new LeanRequest(head, this.#remoteAddress, this.#body)
    void this.#run(request, response, this.#awaitsContinue ? contexts.continue : contexts.other)
    if (fault === 'none') return at
    if (this.#state === 'body' && !response.isOver) throw fault
    // Answered already, or given up: that is what the client is to hear.
    this.socket.destroySoon()
    return bytes.length
  }

  async #run(request: LeanRequest, response: LeanResponse, context: HandlerContext): Promise<void> {
    const { handler, log, listener, connections } = this.#service
    try {
      await handler(request, response, context)
    } catch (err) {
      log.error({ listener: listener.name, err }, 'the request handler failed')
      response.destroy()
    }
    response.isHandled = true
    if (response.isOver) connections.end()
  }

  #readBody(bytes: Buffer, offset: number): number {
    const body = this.#body as RequestBody
    const end = body.read(bytes, offset)
    // Whoever reads it may have answered from within.
    if (this.#state !== 'body') return end
    if (body.isWhole) this.#state = 'answer'
    else if (body.isFull) this.socket.pause()
    return end
  }

  readonly #resume = (): void => {
    if (this.socket.isPaused()) this.socket.resume()
  }

  // What the response needs.

  /** Behind an early answer the rest of the upload is not wanted; whether one that was not asked for comes, nobody can tell. */
  closesAfter(): boolean {
    return (
      !this.#keepsAlive ||
      this.#state === 'body' ||
      this.#awaitsContinue ||
      this.#hasInputEnded ||
      this.#service.connections.draining()
    )
  }

  continued(): void {
    this.#awaitsContinue = false
  }

  ended(closes: boolean): void {
    if (closes) this.#close()
  }

  cut(): void {
    this.#cutOff()
    this.#finish('cut')
  }

  /** Of a TLS socket that was destroyed, writes end without an error: that is no success. */
  readonly flushed = (error?: Error | null): void => {
    if ((error === undefined || error === null) && !this.socket.destroyed) this.#finish('sent')
  }

  #finish(how: 'sent' | 'cut'): void {
    const response = this.#response
    if (response === 'none') return
    this.#response = 'none'
    response.over(how)
    if (response.isHandled) this.#service.connections.end()
    if (how === 'cut') return
    if (this.#state === 'closing') this.#clock = performance.now() + this.#service.lingerMs
    else this.#next()
  }

  #next(): void {
    this.#state = 'idle'
    this.#clock = performance.now()
    this.#body = 'none'
    const ahead = this.#ahead
    if (this.#hasInputEnded) {
      this.#close()
    } else if (ahead.length > 0) {
      this.#ahead = []
      this.#aheadBytes = 0
      this.#resume()
      this.#take(ahead.length === 1 ? (ahead[0] as Buffer) : Buffer.concat(ahead))
    }
    if (this.#service.connections.draining()) this.closeIfIdle()
  }

  // How it ends.

  /**
   * Closing a socket with unread bytes in it resets the connection, and the reset overtakes the answer: the client of a refused upload
   * would see a broken pipe and not why (RFC 9112, 9.6). So only our side ends while the client still sends; the rest is taken in for a
   * while and dropped.
   */
  #close(): void {
    this.#state = 'closing'
    this.#clock = Infinity
    this.#ahead = []
    if (this.#body !== 'none' && this.#isBodyDue()) {
      this.socket.end()
      if (this.#response === 'none') this.#clock = performance.now() + this.#service.lingerMs
      this.#body.drop()
    } else {
      this.socket.destroySoon()
    }
    this.#resume()
  }

  #dropRest(bytes: Buffer, offset: number): void {
    if (this.#body === 'none' || !this.#isBodyDue()) return
    try {
      this.#body.read(bytes, offset)
      if (this.#isBodyDue()) return
    } catch {
      // There will be no end that could be told.
    }
    this.#body = 'none'
    this.socket.destroySoon()
  }

  #isBodyDue(): boolean {
    return this.#body !== 'none' && !this.#body.isWhole
  }

  #endInput(): void {
    this.#hasInputEnded = true
    switch (this.#state) {
      case 'idle':
        this.#close()
        return
      case 'head':
        if (this.#head.isBegun) this.#refuseBytes(new Malformed('the connection ended within the head'))
        else this.#close()
        return
      case 'body':
        this.#refuseBytes(new Malformed('the connection ended within the body'))
        return
      case 'answer':
        // Who has left is not answered; what was said already is still sent.
        if (this.#response !== 'none' && !this.#response.isEnded) this.#cutOff()
        return
      case 'closing':
        this.socket.destroySoon()
    }
  }

  /** Answers, once, what is no request, or a body that is none. */
  #refuseBytes(cause: unknown): void {
    const error = errorOf(cause)
    const response = this.#response
    if (error === 'none') {
      this.#service.log.error({ listener: this.#service.listener.name, err: cause }, 'a connection failed')
      this.#cutOff()
    } else if (response === 'none') {
      this.#refuse(error, 'unknown', '')
    } else {
      // Its head was good: the handler tells what became of the request.
      const mayAnswer = !response.headersSent && this.socket.writable
      const body = this.#body
      if (!mayAnswer) this.#cutOff()
      this.#finish('cut')
      if (body !== 'none') body.fail()
      if (mayAnswer) this.#sayLast(refusalText(refusal(error, ''), 'GET'))
    }
  }

  #refuse(error: S3Error, method: string, resource: string): void {
    const refused = refusal(error, resource)
    const text = refusalText(refused, method)
    if (method === 'unknown') {
      this.#sayLast(text)
    } else {
      this.socket.write(text, 'latin1')
      this.#close()
    }
    const { listener, observe } = this.#service
    observe(refusalEvent(refused, { listener, remoteAddress: this.#remoteAddress, method }))
  }

  /** Where nobody knows any more where a request ends. */
  #sayLast(text: string): void {
    this.#state = 'closing'
    this.#clock = performance.now() + LAST_WORDS_MS
    this.#body = 'none'
    this.#ahead = []
    this.socket.end(text, 'latin1')
    this.#resume()
  }

  /**
   * An answer that ends with its connection would look whole: without TLS, which ends what is whole with a word of its own, nothing but a
   * reset tells its client (RFC 9112, 8).
   */
  #cutOff(): void {
    const isOpenEnded = this.#response !== 'none' && this.#response.isOpenEnded
    if (isOpenEnded && this.#service.listener.type === 'http') this.socket.resetAndDestroy()
    else this.socket.destroy()
  }

  #forget(): void {
    this.#service.connections.remove(this)
    this.#state = 'closing'
    this.#finish('cut')
    if (this.#body !== 'none') this.#body.fail()
  }

  // What the book asks for.

  closeIfIdle(): void {
    if (this.#state === 'idle' || this.#state === 'head') this.#close()
  }

  destroy(): void {
    this.#cutOff()
  }

  check(now: number): void {
    const { headersMs, keepAliveMs } = this.#service.timeouts
    if (this.#state === 'idle') {
      if (now - this.#clock > keepAliveMs) this.#close()
    } else if (this.#state === 'head') {
      if (now - this.#clock > headersMs) this.#refuse(new S3Error('RequestTimeout'), 'unknown', '')
    } else if (this.#state === 'closing' && now > this.#clock) {
      this.socket.destroy()
    }
  }

  /**
   * Nothing moved for `clientIdleMs`. Cut off is who has stalled: a client whose turn it is. While the upstream or a key service makes
   * everybody wait nobody is; they have limits of their own. A client that moves a byte within the time is slow, not stalled.
   */
  #judgeSilence(): void {
    const { clientIdleMs: idleMs } = this.#service.timeouts
    if (this.#response === 'none') {
      if (this.#state !== 'idle') this.socket.destroy()
      return
    }
    const stalled = this.#whoseTurn()
    if (stalled === 'ours') {
      this.socket.setTimeout(idleMs)
      return
    }
    const { log, listener } = this.#service
    log.info({ listener: listener.name, remoteAddress: this.#remoteAddress, idleMs, stalled }, 'stalled client cut off')
    this.#cutOff()
  }

  #whoseTurn(): 'download' | 'upload' | 'ours' {
    if (this.socket.writableLength > 0) return 'download'
    const body = this.#body
    if (this.#state !== 'body' || body === 'none' || this.#awaitsContinue) return 'ours'
    // Full to the brim: we have stopped reading, so the client cannot send.
    return body.isFull ? 'ours' : 'upload'
  }
}
