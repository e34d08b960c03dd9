import { AnswerFault, parseHead, type AnswerHead } from './answer-head.js'
import { ChunkReader } from '../../http1/chunks.js'
import { Lines } from '../../http1/lines.js'
import { Malformed } from '../../http1/malformed.js'

/*
 * One answer of HTTP/1.1, from the bytes of a connection. Strict where RFC 9112 protects: what could be read in two ways is an
 * error, because two readers that disagree about where an answer ends hand one client's object to another.
 *
 * See https://www.rfc-editor.org/rfc/rfc9112 sections 2.2, 4, 5, 6, 7.1; https://www.rfc-editor.org/rfc/rfc9110#section-15.2
 */

export interface AnswerSink {
  /** Called once, with the final head; interim ones (1xx) are passed over. */
  onHead(head: AnswerHead): void
  /** A piece of the body, in place: valid for as long as the buffer that was given. */
  onBody(piece: Buffer): void
  /**
   * The answer is whole. `followed`: by bytes that nobody asked for, a body of an answer to HEAD say. They belong to no
   * request, and the connection must not see another one.
   */
  onEnd(how: 'clean' | 'followed'): void
}

/** Bytes of a head, all lines of it, as in node; S3's metadata are 2 KiB. */
const MAX_HEAD = 16 * 1024
/** Interim answers before the final one. */
const MAX_INTERIM = 8

const CRLF2 = Buffer.from('\r\n\r\n', 'latin1')
type State = 'head' | 'length' | 'chunks' | 'close' | 'done'

/** `next` of a step that needs more bytes. */
const MORE = -1

export class AnswerParser {
  readonly #method: string
  readonly #sink: AnswerSink
  #state: State = 'head'
  /** The beginning of a head that is not whole. */
  #held: Buffer | 'none' = 'none'
  /** Bytes of a body of a length that are to come. */
  #left = 0
  #chunks: ChunkReader | 'none' = 'none'
  #interim = 0

  /** @param method of the request: the answer to a HEAD has no body, whatever it says */
  constructor(method: string, sink: AnswerSink) {
    this.#method = method
    this.#sink = sink
  }

  /** @throws AnswerFault; nothing of this answer may be believed then, and the connection must go */
  execute(bytes: Buffer): void {
    let offset = 0
    if (this.#isDone()) throw new AnswerFault('something follows it that was not asked for')
    while (offset < bytes.length && !this.#isDone()) {
      const next = this.#step(bytes, offset)
      if (next === MORE) return
      offset = next
    }
    if (this.#isDone()) this.#sink.onEnd(offset < bytes.length ? 'followed' : 'clean')
  }

  /** The connection ended here: `whole` where that is how the answer ends, or it had ended before. */
  finish(): 'whole' | 'cut' {
    if (this.#state === 'close') {
      this.#state = 'done'
      this.#sink.onEnd('clean')
    }
    return this.#isDone() ? 'whole' : 'cut'
  }

  #isDone(): boolean {
    return this.#state === 'done'
  }

  /** @returns the offset behind what was read, or MORE */
  #step(bytes: Buffer, offset: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, offset)
      case 'length':
        return this.#readBody(bytes, offset)
      case 'chunks':
        return this.#readChunks(bytes, offset)
      case 'close':
        this.#sink.onBody(offset === 0 ? bytes : bytes.subarray(offset))
        return bytes.length
      case 'done':
        return MORE
    }
  }

  #readHead(bytes: Buffer, offset: number): number {
    const held = this.#held
    const before = held === 'none' ? 0 : held.length
    const all =
      held === 'none' ? (offset === 0 ? bytes : bytes.subarray(offset)) : Buffer.concat([held, bytes.subarray(offset)])
    const end = all.indexOf(CRLF2, Math.max(0, before - 3))
    if (end < 0) {
      if (all.length > MAX_HEAD) throw new AnswerFault('its head is too long')
      // what cannot become a status line is told at once, and not when the connection falls silent
      if (!'HTTP/1.'.startsWith(all.toString('latin1', 0, 7))) throw new AnswerFault('it is no HTTP/1.1')
      this.#held = Buffer.from(all)
      return MORE
    }
    if (end > MAX_HEAD) throw new AnswerFault('its head is too long')
    this.#held = 'none'
    const head = parseHead(new Lines(all, 0, end + 2), this.#method)
    const next = offset + (end + CRLF2.length - before)
    if (head.status < 200) {
      if (head.status === 101) throw new AnswerFault('it switches to another protocol')
      if ((this.#interim += 1) > MAX_INTERIM) throw new AnswerFault('it has too many interim answers')
      return next
    }
    this.#sink.onHead(head)
    this.#begin(head.framing)
    return next
  }

  #begin(framing: AnswerHead['framing']): void {
    if (framing === 'none' || framing === 0) this.#state = 'done'
    else if (framing === 'chunked') {
      this.#state = 'chunks'
      this.#chunks = new ChunkReader()
    } else if (framing === 'close') this.#state = 'close'
    else {
      this.#state = 'length'
      this.#left = framing
    }
  }

  /** Bytes of a body whose end is known. */
  #readBody(bytes: Buffer, offset: number): number {
    const end = Math.min(bytes.length, offset + this.#left)
    this.#left -= end - offset
    if (this.#left === 0) this.#state = 'done'
    this.#sink.onBody(offset === 0 && end === bytes.length ? bytes : bytes.subarray(offset, end))
    return end
  }

  #readChunks(bytes: Buffer, offset: number): number {
    const chunks = this.#chunks as ChunkReader
    try {
      const end = chunks.read(bytes, offset, (piece) => this.#sink.onBody(piece))
      if (chunks.isWhole) this.#state = 'done'
      return end
    } catch (fault) {
      throw fault instanceof Malformed ? new AnswerFault(fault.message) : fault
    }
  }
}
