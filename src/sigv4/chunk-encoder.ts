import { Transform } from 'node:stream'
import { S3Error } from '../s3/error.js'
import { incompleteBody } from './chunk-trailer.js'
import { checksumLength } from './trailing-checksum.js'

/** Bytes of data in every chunk but the last, as S3 recommends at least. */
const CHUNK_SIZE = 65_536

export interface ChunkEncoder {
  /** bytes of the whole body, framing and trailer included */
  readonly contentLength: number
  /**
   * The object's bytes in, STREAMING-UNSIGNED-PAYLOAD-TRAILER framing out. The trailer is asked for once, when all bytes
   * have come. The stream fails with S3Error IncompleteBody where they are not decodedLength, InvalidRequest where
   * the trailer's value has another length than its checksum.
   */
  readonly stream: (trailers: () => ReadonlyMap<string, string>) => Transform
}

/**
 * Frames an object of `decodedLength` bytes anew, with one trailing checksum whose value is not known yet. The framing
 * adds nothing that would have to be kept: sizes follow from the length, so bytes pass as they come.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function chunkEncoder(input: {
  readonly decodedLength: number
  /** lower-case name of the checksum's trailer */
  readonly trailer: string
}): ChunkEncoder | 'unknown-trailer' {
  const { decodedLength, trailer } = input
  const valueLength = checksumLength(trailer)
  if (valueLength === 'unknown') return 'unknown-trailer'
  const trailerLength = `${trailer}:`.length + valueLength + 4
  return {
    contentLength: framedLength(decodedLength) + trailerLength,
    stream: (trailers) =>
      frame(decodedLength, () => {
        const value = trailers().get(trailer) ?? ''
        if (value.length !== valueLength) {
          throw new S3Error('InvalidRequest', { message: `Value for ${trailer} trailing header is invalid.` })
        }
        return `${trailer}:${value}\r\n`
      }),
  }
}

function header(size: number): string {
  return `${size.toString(16)}\r\n`
}

function framedLength(decodedLength: number): number {
  const last = decodedLength % CHUNK_SIZE
  const full = (decodedLength - last) / CHUNK_SIZE
  const chunk = (size: number): number => header(size).length + size + 2
  return full * chunk(CHUNK_SIZE) + (last === 0 ? 0 : chunk(last)) + header(0).length
}

function frame(decodedLength: number, trailerLine: () => string): Transform {
  let left = decodedLength
  let chunkLeft = 0
  return new Transform({
    transform(piece: Buffer, _encoding, callback) {
      if (piece.length > left) {
        callback(incompleteBody())
        return
      }
      for (let at = 0; at < piece.length;) {
        if (chunkLeft === 0) {
          chunkLeft = Math.min(CHUNK_SIZE, left)
          this.push(header(chunkLeft))
        }
        const bytes = piece.subarray(at, at + chunkLeft)
        this.push(bytes)
        at += bytes.length
        left -= bytes.length
        chunkLeft -= bytes.length
        if (chunkLeft === 0) this.push('\r\n')
      }
      callback()
    },
    flush(callback) {
      try {
        if (left > 0) throw incompleteBody()
        callback(null, `${header(0)}${trailerLine()}\r\n`)
      } catch (error) {
        callback(error as Error)
      }
    },
  })
}
