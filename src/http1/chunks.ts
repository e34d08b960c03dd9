import { Lines } from './lines.js'
import { Malformed } from './malformed.js'
import { readFields } from './fields.js'

/*
 * The chunked coding: RFC 9112 section 7.1. Strict: two readers that disagree about where a body ends take one sender's bytes for
 * another message.
 */

/** Of a chunk's size and its extensions. */
const MAX_LINE = 512
/** Of all trailer lines. */
const MAX_TRAILER = 8 * 1024

const NAME = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const LINE = new RegExp(`^([0-9A-Fa-f]{1,12})(?:;${NAME}(?:=(?:${NAME}|${QUOTED}))?)*$`)

/** What a trailer must not say, because it would have changed how the body is read. */
const NOT_IN_TRAILER: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'host'])

/** Reads one chunked body, in any pieces. Extensions and trailers are checked and dropped. */
export class ChunkReader {
  #state: 'line' | 'chunk' | 'chunk-end' | 'trailer' | 'whole' = 'line'
  /** Of the chunk that is being read. */
  #left = 0
  /** Of a line that is not whole. */
  #line = ''
  #trailer = 0

  get isWhole(): boolean {
    return this.#state === 'whole'
  }

  /**
   * @param take is given the body's bytes, in place
   * @returns the offset behind what was read: the end of `bytes`, or of the body
   * @throws Malformed
   */
  read(bytes: Buffer, offset: number, take: (piece: Buffer) => void): number {
    let at = offset
    while (at < bytes.length && this.#state !== 'whole') {
      at = this.#state === 'chunk' ? this.#readChunk(bytes, at, take) : this.#readLine(bytes, at)
    }
    return at
  }

  #readChunk(bytes: Buffer, offset: number, take: (piece: Buffer) => void): number {
    const end = Math.min(bytes.length, offset + this.#left)
    this.#left -= end - offset
    if (this.#left === 0) this.#state = 'chunk-end'
    take(offset === 0 && end === bytes.length ? bytes : bytes.subarray(offset, end))
    return end
  }

  #readLine(bytes: Buffer, offset: number): number {
    const lf = bytes.indexOf(0x0a, offset)
    const end = lf < 0 ? bytes.length : lf + 1
    const longest = this.#state === 'trailer' ? MAX_TRAILER : this.#state === 'line' ? MAX_LINE : 2
    if (this.#line.length + end - offset > longest) throw new Malformed('a line in its body is too long')
    this.#line += bytes.toString('latin1', offset, end)
    if (lf < 0) return end
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n')) throw new Malformed('a line in its body ends without CR')
    this.#takeLine(line)
    return end
  }

  #takeLine(line: string): void {
    if (this.#state === 'trailer') {
      this.#takeTrailer(line)
    } else if (this.#state === 'chunk-end') {
      if (line !== '\r\n') throw new Malformed('a chunk is longer than its size')
      this.#state = 'line'
    } else {
      const [, size] = LINE.exec(line.slice(0, -2)) ?? []
      if (size === undefined) throw new Malformed('the size of a chunk')
      this.#left = Number.parseInt(size, 16)
      this.#state = this.#left === 0 ? 'trailer' : 'chunk'
    }
  }

  #takeTrailer(line: string): void {
    this.#trailer += line.length
    if (this.#trailer > MAX_TRAILER) throw new Malformed('its trailer is too long')
    if (line === '\r\n') {
      this.#state = 'whole'
      return
    }
    const [name = ''] = readFields(new Lines(Buffer.from(line, 'latin1'), 0, line.length), 0)
    if (NOT_IN_TRAILER.has(name)) throw new Malformed('its trailer says how to read it')
  }
}
