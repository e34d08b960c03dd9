import { type AnswerHead, answerHead } from './answer-head.js'
import type { ClientResponse, FieldChanges } from '../../proxy/handler.js'
import type { Fields } from '../../s3/fields.js'
import type { RequestHead } from './request-head.js'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { bodyStream } from './body-stream.js'

/** What a response needs of its connection. */
export interface Channel {
  readonly socket: Socket
  /** Whether the answer that begins now is to be the connection's last one. */
  closesAfter(): boolean
  /** Of a connection that is kept: the last lines of a head. */
  readonly keptLines: string
  /** Is told of the bytes of each piece. */
  readonly onBytes: (bytes: number) => void
  /** The client was told to go on. */
  continued(): void
  /** All of the answer was given to the socket. `closes`: as its head said. */
  ended(closes: boolean): void
  /** Cuts the connection. */
  cut(): void
  /** Is called when the last write was handed to the system. */
  readonly flushed: (error?: Error | null) => void
}

/** Of an answer that waits here while its client is slower than the upstream. */
const HIGH_WATER_MARK = 64 * 1024
/** Bodies up to this go out in one piece with their head: to copy them costs less than a second write. */
const MAX_COPIED = 16 * 1024

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const LAST_CHUNK = '0\r\n\r\n'
const CLOSE = 'connection: close\r\n\r\n'
const NOTHING = Buffer.alloc(0)

/** One answer, and how it is framed: RFC 9112 section 6. */
export class LeanResponse implements ClientResponse {
  readonly #channel: Channel
  readonly #version: RequestHead['version']
  readonly #isHead: boolean
  #head: AnswerHead | 'none' = 'none'
  #state: 'new' | 'headed' | 'begun' | 'ended' = 'new'
  #framing: number | 'chunked' | 'close' | 'none' | 'unknown' = 'none'
  /** Of the body, that were written. */
  #sent = 0
  #closes = false
  #isBlocked = false
  #over: 'not' | 'sent' | 'cut' = 'not'
  #onOver: ((how: 'sent' | 'cut') => void) | undefined
  #onDrain: (() => void) | undefined
  #cutStream: (() => void) | undefined

  constructor(channel: Channel, { method, version }: RequestHead) {
    this.#channel = channel
    this.#version = version
    this.#isHead = method === 'HEAD'
  }

  get headersSent(): boolean {
    return this.#state !== 'new'
  }

  get destroyed(): boolean {
    return this.#over === 'cut'
  }

  get isEnded(): boolean {
    return this.#state === 'ended'
  }

  get isOver(): boolean {
    return this.#over !== 'not'
  }

  /** Whether it goes on until its connection ends. */
  get isOpenEnded(): boolean {
    return this.#framing === 'close'
  }

  /** The handler is done with it. */
  isHandled = false

  writeContinue(): void {
    if (this.#state !== 'new' || this.#over !== 'not') return
    this.#channel.continued()
    this.#channel.socket.write(CONTINUE, 'latin1')
  }

  writeHead(status: number, fields: Fields, changes?: FieldChanges): void {
    if (this.#state !== 'new') throw new Error('an answer has one head')
    this.#head = answerHead(status, fields, changes)
    this.#state = 'headed'
  }

  write(chunk: Buffer): boolean {
    if (this.#over !== 'not') return false
    const { socket } = this.#channel
    const head = this.#begin('unknown')
    this.#account(chunk.length)
    this.#channel.onBytes(chunk.length)
    if (head !== '') {
      socket.cork()
      socket.write(head, 'latin1')
    }
    if (chunk.length > 0 && this.#framing === 'chunked') this.#writeChunk(chunk)
    else if (chunk.length > 0 && this.#framing !== 'none') socket.write(chunk)
    if (head !== '') socket.uncork()
    this.#isBlocked = socket.writableLength >= HIGH_WATER_MARK
    return !this.#isBlocked
  }

  end(last: Buffer = NOTHING): void {
    if (this.#over !== 'not') return
    const head = this.#begin(last.length)
    this.#account(last.length)
    if (typeof this.#framing === 'number' && this.#sent < this.#framing) this.#giveUp('shorter')
    this.#state = 'ended'
    this.#writeLast(head, this.#framing === 'none' ? NOTHING : last)
    this.#channel.ended(this.#closes)
  }

  #writeLast(head: string, last: Buffer): void {
    const { socket, flushed } = this.#channel
    if (this.#framing === 'chunked') {
      socket.cork()
      if (last.length > 0) this.#writeChunk(last)
      socket.write(LAST_CHUNK, 'latin1', flushed)
      socket.uncork()
    } else if (head === '') {
      // An empty write too: it tells when those before it are done.
      socket.write(last, flushed)
    } else if (last.length === 0) {
      socket.write(head, 'latin1', flushed)
    } else if (last.length <= MAX_COPIED) {
      const whole = Buffer.allocUnsafe(head.length + last.length)
      whole.write(head, 'latin1')
      last.copy(whole, head.length)
      socket.write(whole, flushed)
    } else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(last, flushed)
      socket.uncork()
    }
  }

  #writeChunk(chunk: Buffer): void {
    const { socket } = this.#channel
    socket.cork()
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
    socket.write(chunk)
    socket.write('\r\n', 'latin1')
    socket.uncork()
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener
  }

  onOver(listener: (how: 'sent' | 'cut') => void): void {
    if (this.#over === 'not') this.#onOver = listener
    else listener(this.#over)
  }

  destroy(): void {
    if (this.#over === 'not') this.#channel.cut()
  }

  bodyStream(): Writable {
    return bodyStream(this, (cut) => (this.#cutStream = cut))
  }

  /** The socket takes more. */
  drained(): void {
    if (!this.#isBlocked || this.#over !== 'not') return
    this.#isBlocked = false
    this.#onDrain?.()
  }

  over(how: 'sent' | 'cut'): void {
    if (this.#over !== 'not') return
    this.#over = how
    this.#onOver?.(how)
    if (how === 'cut') this.#cutStream?.()
  }

  /** @returns the head, the first time */
  #begin(whole: number | 'unknown'): string {
    const head = this.#head
    if (this.#state === 'begun') return ''
    if (this.#state !== 'headed' || head === 'none')
      throw new Error('nothing can be written before a head or after the end')
    this.#state = 'begun'
    const framing = this.#frame(head, whole)
    return `${head.text}${framing}${this.#closes ? CLOSE : this.#channel.keptLines}`
  }

  #frame({ status, length }: AnswerHead, whole: number | 'unknown'): string {
    this.#closes = this.#channel.closesAfter()
    if (this.#isHead || status === 204 || status === 304) return ''
    this.#framing = length === 'unknown' ? whole : length
    if (length !== 'unknown') return ''
    if (whole !== 'unknown') return `content-length: ${whole}\r\n`
    this.#framing = this.#version === '1.1' ? 'chunked' : 'close'
    if (this.#framing === 'chunked') return 'transfer-encoding: chunked\r\n'
    this.#closes = true
    return ''
  }

  #account(bytes: number): void {
    this.#sent += bytes
    if (typeof this.#framing === 'number' && this.#sent > this.#framing) this.#giveUp('longer')
  }

  /** Bytes past the length would be read as the next answer; too few make the client wait for them. */
  #giveUp(how: 'longer' | 'shorter'): never {
    this.destroy()
    throw new Error(`the answer is ${how} than its content-length`)
  }
}
