import { Readable } from 'node:stream'
import type { AnswerBody, BodyTaker } from '../answer-body.js'

/** What a body asks of its exchange. */
export interface BodySource {
  pause(): void
  resume(): void
  /** Nobody wants the rest. */
  abandon(): void
}

/** Of the body that waits here while the client is slower than the upstream. */
const HIGH_WATER_MARK = 64 * 1024

/**
 * The body of an answer as it comes from the connection. What comes before somebody takes it is held; most small ones are whole by
 * then, and never become a stream.
 */
export class LeanBody implements AnswerBody {
  readonly #source: BodySource
  #pieces: Buffer[] = []
  #held = 0
  #taker: BodyTaker | 'none' = 'none'
  #stream: Readable | 'none' = 'none'
  #isDropped = false
  #isBlocked = false
  #isEnded = false
  #error: Error | 'none' = 'none'

  constructor(source: BodySource) {
    this.#source = source
  }

  /** Whether the next piece waits for whoever takes the body. */
  get isBlocked(): boolean {
    return this.#isBlocked || (this.#stream !== 'none' && this.#stream.readableLength > 0)
  }

  // from the exchange

  push(piece: Buffer): void {
    if (this.#isDropped) return
    if (this.#taker !== 'none' && this.#pieces.length === 0) {
      if (!this.#taker.data(piece)) this.#block()
    } else if (this.#stream !== 'none') {
      if (!this.#stream.push(piece)) this.#block()
    } else {
      this.#pieces.push(piece)
      this.#held += piece.length
      if (this.#held > HIGH_WATER_MARK) this.#block()
    }
  }

  end(): void {
    this.#isEnded = true
    if (this.#isDropped) return
    if (this.#stream !== 'none') this.#stream.push(null)
    else if (this.#taker !== 'none' && this.#pieces.length === 0) this.#over(this.#taker)
  }

  /** It broke off. */
  fail(error: Error): void {
    if (this.#isEnded || this.#error !== 'none') return
    this.#error = error
    this.#pieces = []
    if (this.#isDropped) return
    if (this.#stream !== 'none') this.#stream.destroy(error)
    else if (this.#taker !== 'none') this.#over(this.#taker)
  }

  // from whoever takes it

  whole(): Buffer | 'not yet' {
    if (!this.#isEnded || this.#isDropped) return 'not yet'
    this.#isDropped = true
    const [only = EMPTY] = this.#pieces
    return this.#pieces.length < 2 ? only : Buffer.concat(this.#pieces)
  }

  flowTo(taker: BodyTaker): void {
    this.#taker = taker
    if (this.#error !== 'none') this.#over(taker)
    else this.#deliver(taker)
  }

  go(): void {
    if (this.#taker !== 'none') this.#deliver(this.#taker)
    else this.#unblock()
  }

  stream(): Readable {
    if (this.#stream !== 'none') return this.#stream
    const stream = new Readable({
      highWaterMark: HIGH_WATER_MARK,
      read: () => this.#unblock(),
      destroy: (error, done) => {
        this.#isDropped = true
        if (!this.#isEnded) this.#source.abandon()
        done(error)
      },
    })
    // as with node's own answers: whoever comes late finds the error, and nobody has to come
    stream.on('error', () => undefined)
    this.#stream = stream
    for (const piece of this.#pieces) stream.push(piece)
    this.#pieces = []
    if (this.#error !== 'none') stream.destroy(this.#error)
    else if (this.#isEnded) stream.push(null)
    return stream
  }

  resume(): void {
    if (this.#stream !== 'none') {
      this.#stream.resume()
      return
    }
    this.#isDropped = true
    this.#pieces = []
    this.#unblock()
  }

  destroy(error?: Error): void {
    if (this.#stream !== 'none') {
      this.#stream.destroy(error)
      return
    }
    this.#isDropped = true
    this.#pieces = []
    if (!this.#isEnded) this.#source.abandon()
  }

  #deliver(taker: BodyTaker): void {
    this.#isBlocked = false
    for (let at = 0; at < this.#pieces.length; at += 1) {
      if (taker.data(this.#pieces[at] as Buffer)) continue
      this.#pieces = this.#pieces.slice(at + 1)
      this.#isBlocked = true
      return
    }
    this.#pieces = []
    if (this.#isEnded) this.#over(taker)
    else this.#source.resume()
  }

  /** Told once: a client's connection drains once more behind the last byte. */
  #over(taker: BodyTaker): void {
    this.#taker = 'none'
    this.#isDropped = true
    if (this.#error === 'none') taker.end()
    else taker.failed(this.#error)
  }

  #block(): void {
    this.#isBlocked = true
    this.#source.pause()
  }

  #unblock(): void {
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.#source.resume()
  }
}

const EMPTY = Buffer.alloc(0)
