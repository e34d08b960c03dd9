import { codeTable } from '../../http1/code-table.js'
import { Lines } from '../../http1/lines.js'
import { Malformed } from '../../http1/malformed.js'

/** Of the request line and all fields. Presigned URLs with a session token take some 4 KiB, user metadata 2 KiB. */
export const MAX_HEAD = 32 * 1024

/** A head that is longer than {@link MAX_HEAD}. */
export class HeadTooLong extends Error {
  constructor() {
    super('the head is too long')
    this.name = 'HeadTooLong'
  }
}

const CRLF2 = Buffer.from('\r\n\r\n', 'latin1')
const CR = 0x0d
const LF = 0x0a
const IN_LINE = codeTable(/[\t\x20-\x7e\x80-\xff]/)

/** Finds where a head ends, and keeps what came of one that is not whole: most heads come in one piece and are never copied. */
export class HeadBuffer {
  #held = Buffer.alloc(0)
  #length = 0

  /** Whether a part of a head is here. An empty line before it is none (RFC 9112, 2.2: some send one behind a body). */
  get isBegun(): boolean {
    return this.#length > 2 || (this.#length > 0 && this.#held[0] !== CR)
  }

  #lines: Lines | 'none' = 'none'

  /** The lines of the head that was read, without the empty one behind them. They are given away: who keeps them keeps all bytes. */
  take(): Lines {
    const lines = this.#lines
    if (lines === 'none') throw new Error('no head was read')
    this.#lines = 'none'
    return lines
  }

  /**
   * @returns the offset behind the head, which is to be taken then; -1 where it goes on in the next piece
   * @throws Malformed, HeadTooLong
   */
  read(bytes: Buffer, offset: number): number {
    if (this.#length > 0) return this.#readOn(bytes, offset)
    const end = bytes.indexOf(CRLF2, offset)
    if (end < 0) {
      this.#hold(bytes, offset)
      return -1
    }
    if (end - offset > MAX_HEAD) throw new HeadTooLong()
    this.#lines = new Lines(bytes, offset, end + 2)
    return end + 4
  }

  #readOn(bytes: Buffer, offset: number): number {
    const before = this.#length
    const room = MAX_HEAD + CRLF2.length - before
    const end = Math.min(bytes.length, offset + room)
    this.#append(bytes, offset, end)
    const found = this.#held.subarray(0, this.#length).indexOf(CRLF2, Math.max(0, before - 3))
    if (found < 0 || found > MAX_HEAD) {
      if (this.#length > MAX_HEAD + 3) throw new HeadTooLong()
      judgePart(this.#held, Math.max(0, before - 1), this.#length)
      return -1
    }
    this.#lines = new Lines(this.#held, 0, found + 2)
    this.#length = 0
    this.#held = Buffer.alloc(0)
    return offset + found + CRLF2.length - before
  }

  #hold(bytes: Buffer, offset: number): void {
    if (bytes.length - offset > MAX_HEAD + 3) throw new HeadTooLong()
    this.#append(bytes, offset, bytes.length)
    judgePart(this.#held, 0, this.#length)
  }

  /** Room is doubled: a head that comes byte by byte is not copied for each of them. */
  #append(bytes: Buffer, offset: number, end: number): void {
    const length = this.#length + end - offset
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(512, 2 * length))
      this.#held.copy(larger, 0, 0, this.#length)
      this.#held = larger
    }
    bytes.copy(this.#held, this.#length, offset, end)
    this.#length = length
  }
}

/** What can never become a head (TLS on a plain port, lines without CR) is refused at once, not when the client falls silent. */
function judgePart(bytes: Buffer, from: number, to: number): void {
  for (let i = from; i < to; i += 1) {
    const code = bytes[i] as number
    const isGood =
      IN_LINE[code] === 1 ||
      (code === CR && (i + 1 === to || bytes[i + 1] === LF)) ||
      (code === LF && i > 0 && bytes[i - 1] === CR)
    if (!isGood) throw new Malformed('a control character in the head')
  }
}
