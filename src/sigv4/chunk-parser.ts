import { S3Error } from '../s3/error.js'
import { incompleteBody, malformedTrailer } from './chunk-trailer.js'

/** The longest `size;chunk-signature=…` line, and the longest trailer section, in bytes. */
const MAX_LINE = 256
const MAX_SECTION = 4096
/** S3 takes smaller chunks only at the end; to verify many tiny ones would be work for little payload. */
const MIN_CHUNK = 8192

/** What the parser finds, in the order of the body. Sizes in bytes. */
export interface ChunkEvents {
  /** A chunk begins; the last one has size 0. `signature` is hex, `none` in unsigned framing. */
  begin(size: number, signature: string | 'none'): void
  data(bytes: Buffer): void
  /** All of the chunk's data has been given; not called for the last one. */
  end(): void
}

export interface ChunkParser {
  /** @throws S3Error IncompleteBody, InvalidChunkSizeError, MalformedTrailerError, and what the events throw */
  write(piece: Buffer): void
  /** What came after the last chunk, a byte string. @throws S3Error IncompleteBody where no last chunk came */
  finish(): string
}

/**
 * Takes aws-chunked framing apart, however its bytes are cut into pieces, without keeping any of the data:
 * `size[;chunk-signature=…]CRLF data CRLF …`, a chunk of size 0 without data, and the trailer section.
 *
 * A chunk that would go past `decodedLength` is refused at its header, as is an end before it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export function chunkParser(
  framing: { readonly signed: boolean; readonly decodedLength: number },
  events: ChunkEvents,
): ChunkParser {
  const form = framing.signed ? /^([0-9a-f]{1,16});chunk-signature=([0-9a-f]{64})$/i : /^([0-9a-f]{1,16})$/i
  let state: 'header' | 'data' | 'delimiter' | 'section' = 'header'
  /** The header line, delimiter or section so far. */
  let text = ''
  let chunkLeft = 0
  let objectLeft = framing.decodedLength
  let chunks = 0
  let lastSize = MIN_CHUNK

  const beginChunk = (line: string): void => {
    const [, hex, signature = 'none'] = form.exec(line) ?? []
    if (hex === undefined) throw incompleteBody()
    const size = Number.parseInt(hex, 16)
    chunks += 1
    if (size > 0 && lastSize < MIN_CHUNK) {
      throw new S3Error('InvalidChunkSizeError', { extra: { Chunk: String(chunks), BadChunkSize: String(lastSize) } })
    }
    if (size > objectLeft || (size === 0 && objectLeft > 0)) throw incompleteBody()
    ;[lastSize, chunkLeft, objectLeft, state] = [size, size, objectLeft - size, size === 0 ? 'section' : 'data']
    events.begin(size, signature)
  }

  /** Adds bytes up to and including a LF, at most `max` in all; gives how many were taken. */
  const takeLine = (piece: Buffer, from: number, max: number): number => {
    const lineFeed = piece.indexOf(0x0a, from)
    const end = lineFeed < 0 ? piece.length : lineFeed + 1
    if (text.length + end - from > max) throw incompleteBody()
    text += piece.toString('latin1', from, end)
    return end - from
  }

  const step = (piece: Buffer, from: number): number => {
    switch (state) {
      case 'header': {
        const taken = takeLine(piece, from, MAX_LINE)
        if (text.endsWith('\n')) {
          const line = text
          text = ''
          if (!line.endsWith('\r\n')) throw incompleteBody()
          beginChunk(line.slice(0, -2))
        }
        return taken
      }
      case 'data': {
        const bytes = piece.subarray(from, from + chunkLeft)
        chunkLeft -= bytes.length
        events.data(bytes)
        if (chunkLeft === 0) {
          state = 'delimiter'
          events.end()
        }
        return bytes.length
      }
      case 'delimiter': {
        const taken = takeLine(piece, from, 2)
        if (text === '\r\n') [text, state] = ['', 'header']
        else if (text !== '\r') throw incompleteBody()
        return taken
      }
      case 'section': {
        text += piece.toString('latin1', from)
        if (text.length > MAX_SECTION) throw malformedTrailer()
        return piece.length - from
      }
    }
  }

  return {
    write: (piece) => {
      for (let at = 0; at < piece.length;) at += step(piece, at)
    },
    finish: () => {
      if (state !== 'section') throw incompleteBody()
      return text
    },
  }
}
