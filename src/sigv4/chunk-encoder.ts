import { S3Error } from '../s3/error.js'
import type { BodyStep } from './body-step.js'
import { incompleteBody } from './chunk-trailer.js'
import { checksumLength } from './trailing-checksum.js'

/** Bytes of data in every chunk but the last, as S3 recommends at least. */
const CHUNK_SIZE = 65_536

export interface ChunkEncoder {
  /** bytes of the whole body, framing and trailer included */
  readonly contentLength: number
  /**
   * The object's bytes in, STREAMING-UNSIGNED-PAYLOAD-TRAILER framing out. The trailer is asked for once, when all bytes
   * have come. The step fails with S3Error IncompleteBody where they are not decodedLength, InvalidRequest where
   * the trailer's value has another length than its checksum.
   */
  readonly step: (trailers: () => ReadonlyMap<string, string>) => BodyStep
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
    step: (trailers) =>
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

const FIRST_HEADER = Buffer.from(header(CHUNK_SIZE), 'latin1')
const NEXT_HEADER = Buffer.from(`\r\n${header(CHUNK_SIZE)}`, 'latin1')

function frame(decodedLength: number, trailerLine: () => string): BodyStep {
  let left = decodedLength
  let chunkLeft = 0
  let isFirst = true
  /** What stands before a chunk: its header, behind the line end of the chunk before. */
  const beginning = (size: number): Buffer => {
    if (size === CHUNK_SIZE) return isFirst ? FIRST_HEADER : NEXT_HEADER
    return Buffer.from(isFirst ? header(size) : `\r\n${header(size)}`, 'latin1')
  }
  return {
    piece(bytes, out) {
      if (bytes.length > left) throw incompleteBody()
      for (let at = 0; at < bytes.length;) {
        if (chunkLeft === 0) {
          chunkLeft = Math.min(CHUNK_SIZE, left)
          out(beginning(chunkLeft))
          isFirst = false
        }
        const data = bytes.subarray(at, at + chunkLeft)
        at += data.length
        left -= data.length
        chunkLeft -= data.length
        out(data)
      }
    },
    end(out) {
      if (left > 0) throw incompleteBody()
      out(Buffer.concat([beginning(0), Buffer.from(`${trailerLine()}\r\n`, 'latin1')]))
      return undefined
    },
  }
}
