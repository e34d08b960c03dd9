import { S3Error } from '../s3/error.js'
import { incompleteBody, malformedTrailer } from './chunk-trailer.js'

/** The longest trailer section in bytes. */
const MAX_SECTION = 4096
/** S3 takes smaller chunks only at the end; to verify many tiny ones would be work for little payload. */
const MIN_CHUNK = 8192
const MAX_SIZE_DIGITS = 16
const SIGNATURE_LENGTH = 64
const EXTENSION = Buffer.from(';chunk-signature=', 'latin1')
const CR = 0x0d
const LF = 0x0a
/** The value of a byte as a hexadecimal digit, 255 of any other. */
const DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase())
  return digit < 0 ? 255 : digit
})

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

type State = 'size' | 'extension' | 'signature' | 'header-cr' | 'header-lf' | 'data' | 'data-cr' | 'data-lf' | 'section'

/**
 * Takes aws-chunked framing apart, however its bytes are cut into pieces, without keeping any of the data:
 * `size[;chunk-signature=…]CRLF data CRLF …`, a chunk of size 0 without data, and the trailer section.
 *
 * A chunk that would go past `decodedLength` is refused at its header, as is an end before it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
export function chunkParser(
  { signed, decodedLength }: { readonly signed: boolean; readonly decodedLength: number },
  events: ChunkEvents,
): ChunkParser {
  let state: State = 'size'
  /** Digits of the size, or bytes of the extension, that have come. */
  let matched = 0
  let size = 0
  let signature = ''
  let section = ''
  let chunkLeft = 0
  let objectLeft = decodedLength
  let chunks = 0
  let lastSize = MIN_CHUNK

  /** Reads on in a header or the line end behind data; gives where it stopped: at the end of the piece, of the header, or of it all. */
  const readFraming = (piece: Buffer, from: number): number => {
    for (let at = from; at < piece.length; at++) {
      const byte = piece[at] as number
      switch (state) {
        case 'size': {
          const digit = DIGITS[byte] as number
          if (digit < 16 && matched < MAX_SIZE_DIGITS) {
            size = size * 16 + digit
            matched++
            break
          }
          if (matched === 0 || byte !== (signed ? EXTENSION[0] : CR)) throw incompleteBody()
          matched = 1
          state = signed ? 'extension' : 'header-lf'
          break
        }
        case 'extension':
          if (!isExtension(byte, matched)) throw incompleteBody()
          matched++
          if (matched === EXTENSION.length) state = 'signature'
          break
        case 'signature': {
          const end = Math.min(piece.length, at + SIGNATURE_LENGTH - signature.length)
          for (let digit = at; digit < end; digit++) if (DIGITS[piece[digit] as number] === 255) throw incompleteBody()
          signature += piece.toString('latin1', at, end)
          if (signature.length === SIGNATURE_LENGTH) state = 'header-cr'
          at = end - 1
          break
        }
        case 'header-cr':
          if (byte !== CR) throw incompleteBody()
          state = 'header-lf'
          break
        case 'header-lf':
          if (byte !== LF) throw incompleteBody()
          beginChunk()
          return at + 1
        case 'data-cr':
          if (byte !== CR) throw incompleteBody()
          state = 'data-lf'
          break
        case 'data-lf':
          if (byte !== LF) throw incompleteBody()
          state = 'size'
          break
        case 'data':
        case 'section':
          return at
      }
    }
    return piece.length
  }

  const beginChunk = (): void => {
    const [begun, provided] = [size, signed ? signature : 'none']
    ;[matched, size, signature] = [0, 0, '']
    chunks += 1
    if (begun > 0 && lastSize < MIN_CHUNK) {
      throw new S3Error('InvalidChunkSizeError', { extra: { Chunk: String(chunks), BadChunkSize: String(lastSize) } })
    }
    if (begun > objectLeft || (begun === 0 && objectLeft > 0)) throw incompleteBody()
    lastSize = begun
    chunkLeft = begun
    objectLeft -= begun
    state = begun === 0 ? 'section' : 'data'
    events.begin(begun, provided)
  }

  const readData = (piece: Buffer, from: number): number => {
    const end = Math.min(piece.length, from + chunkLeft)
    chunkLeft -= end - from
    events.data(from === 0 && end === piece.length ? piece : piece.subarray(from, end))
    if (chunkLeft === 0) {
      state = 'data-cr'
      events.end()
    }
    return end
  }

  const readSection = (piece: Buffer, from: number): number => {
    section += piece.toString('latin1', from)
    if (section.length > MAX_SECTION) throw malformedTrailer()
    return piece.length
  }

  return {
    write: (piece) => {
      for (let at = 0; at < piece.length;) {
        if (state === 'data') at = readData(piece, at)
        else at = state === 'section' ? readSection(piece, at) : readFraming(piece, at)
      }
    },
    finish: () => {
      if (state !== 'section') throw incompleteBody()
      return section
    },
  }
}

/** Letters in either case. */
function isExtension(byte: number, place: number): boolean {
  const expected = EXTENSION[place] as number
  return byte === expected || (expected >= 0x61 && (byte | 0x20) === expected)
}
