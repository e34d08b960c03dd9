import { Readable } from 'node:stream'
import { ChunkReader } from '../../http1/chunks.js'
import { S3Error } from '../../s3/error.js'
import type { RequestHead } from './request-head.js'

/** Of a body that somebody reads, where its reader is slower than the client. */
const HIGH_WATER_MARK = 64 * 1024
/** Of a body that nobody has asked for yet. */
const MAX_HELD = 64 * 1024

/** The body of one request: what is read of it goes to its one reader, or waits for one, or is dropped. */
export class RequestBody {
  readonly #chunks: ChunkReader | 'none'
  readonly #resume: () => void
  readonly #take = (piece: Buffer): void => this.#give(piece)
  #left: number
  #held: Buffer[] = []
  #heldBytes = 0
  #stream: Readable | 'none' = 'none'
  #fate: 'coming' | 'dropped' | 'failed' = 'coming'

  /** No more bytes may come before `resume` is called. */
  isFull = false

  constructor(framing: RequestHead['framing'], resume: () => void) {
    this.#chunks = framing === 'chunked' ? new ChunkReader() : 'none'
    this.#left = framing === 'chunked' ? 0 : framing
    this.#resume = resume
  }

  get isWhole(): boolean {
    return this.#chunks === 'none' ? this.#left === 0 : this.#chunks.isWhole
  }

  /**
   * @returns the offset behind what belongs to the body
   * @throws Malformed
   */
  read(bytes: Buffer, offset: number): number {
    const end = this.#chunks === 'none' ? this.#readLength(bytes, offset) : this.#chunks.read(bytes, offset, this.#take)
    if (this.isWhole && this.#stream !== 'none' && this.#fate === 'coming') this.#stream.push(null)
    return end
  }

  #readLength(bytes: Buffer, offset: number): number {
    const end = Math.min(bytes.length, offset + this.#left)
    this.#left -= end - offset
    if (end > offset) this.#give(offset === 0 && end === bytes.length ? bytes : bytes.subarray(offset, end))
    return end
  }

  #give(piece: Buffer): void {
    if (this.#fate !== 'coming') return
    if (this.#stream !== 'none') {
      this.isFull = !this.#stream.push(piece)
      return
    }
    this.#held.push(piece)
    this.#heldBytes += piece.length
    this.isFull = this.#heldBytes >= MAX_HELD
  }

  open(): Readable {
    const stream = new Readable({
      highWaterMark: HIGH_WATER_MARK,
      read: () => this.#unfill(),
      destroy: (error, done) => {
        this.drop()
        done(error)
      },
    })
    // Whoever reads the body hears of its errors; until somebody does, they must not end the process.
    stream.on('error', () => undefined)
    if (this.#fate === 'failed') {
      stream.destroy(new S3Error('IncompleteBody'))
      return stream
    }
    this.#stream = stream
    const held = this.#held
    this.#held = []
    for (const piece of held) stream.push(piece)
    if (this.isWhole) stream.push(null)
    else this.#unfill()
    return stream
  }

  #unfill(): void {
    if (!this.isFull) return
    this.isFull = false
    this.#resume()
  }

  /** Nobody wants the rest. */
  drop(): void {
    if (this.#fate === 'coming') this.#fate = 'dropped'
    this.#held = []
    this.#unfill()
  }

  /** The rest will not come. */
  fail(): void {
    if (this.isWhole || this.#fate !== 'coming') return
    this.#fate = 'failed'
    this.#held = []
    if (this.#stream !== 'none') this.#stream.destroy(new S3Error('IncompleteBody'))
  }
}

/** What a request without a body gives who reads it all the same. */
export function emptyBody(): Readable {
  const stream = new Readable({ read: () => undefined })
  stream.push(null)
  return stream
}
