import { createHash, type Hash } from 'node:crypto'
import { S3Error } from '../s3/error.js'
import type { BodyStep, PieceSink } from './body-step.js'
import { chunkParser } from './chunk-parser.js'
import { type SignatureChain, signatureChain } from './chunk-signature.js'
import { malformedTrailer, parseTrailerSection, type TrailerSection } from './chunk-trailer.js'
import { compareChecksum, type RunningChecksum, startChecksum } from './trailing-checksum.js'
import type { PayloadMode, VerifiedSignature } from './types.js'

export type StreamingMode = Extract<PayloadMode, { readonly decodedLength: number }>

/** aws-chunked bytes in, the object's bytes out. */
export interface ChunkDecoder extends BodyStep {
  /** The trailers, lower-case name → value: empty until all is verified. */
  trailers(): ReadonlyMap<string, string>
}

export interface ChunksToDecode {
  readonly mode: StreamingMode
  /** Seed and key of the chunk signatures; `none` will do where the chunks have none. */
  readonly verified: VerifiedSignature | 'none'
  /** Whether the trailing checksum is compared here, or left to the upstream that the trailer is sent on to. */
  readonly trailingChecksum: 'verify' | 'relay'
}

/**
 * De-frames aws-chunked and verifies chunk signatures, trailer signature and (if asked to) the trailing checksum.
 *
 * Chunks may be as large as the object, so bytes are passed on before the signature of their chunk is checked, or memory
 * would grow with them. What is never passed on before *everything* is verified, the end of the body included, is the
 * piece that ends the object: an upstream that was told decodedLength waits for it in vain when the step fails with
 * S3Error, and stores nothing. An empty object has no such piece: send no request for one (headers, Content-Length: 0)
 * before the step has ended.
 *
 * The step fails with S3Error SignatureDoesNotMatch, IncompleteBody (cut off, too long, other lengths than declared, bad
 * framing), InvalidChunkSizeError, MalformedTrailerError, InvalidRequest or BadDigest (checksum).
 *
 * @throws S3Error InvalidRequest where signed chunks come without a signed request, NotImplemented where the checksum to
 *   verify is unknown
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function decodeChunks({ mode, verified, trailingChecksum }: ChunksToDecode): ChunkDecoder {
  const declared = mode.type === 'streaming-signed' ? [] : mode.trailers
  const chain = chainOf(mode, verified)
  const checksums = trailingChecksum === 'relay' ? [] : declared.map((name) => ({ name, running: startChecksum(name) }))
  let trailers: ReadonlyMap<string, string> = new Map()
  let left = mode.decodedLength
  let held: Buffer | 'none' = 'none'
  let hash: Hash | 'none' = 'none'
  let signature: string | 'none' = 'none'
  /** Where data goes; the parser's events have no room for it. */
  let passOn: PieceSink

  const endChunk = (): void => {
    if (chain !== 'none' && hash !== 'none') chain.chunk(hash.digest('hex'), signature)
  }
  const parser = chunkParser(
    { signed: chain !== 'none', decodedLength: mode.decodedLength },
    {
      begin: (size, provided) => {
        signature = provided
        hash = chain === 'none' ? 'none' : createHash('sha256')
        if (size === 0) endChunk()
      },
      data: (bytes) => {
        if (hash !== 'none') hash.update(bytes)
        for (const { running } of checksums) running.update(bytes)
        left -= bytes.length
        if (left === 0) held = bytes
        else passOn(bytes)
      },
      end: endChunk,
    },
  )
  const release = (verifiedTrailers: ReadonlyMap<string, string>, out: PieceSink): void => {
    trailers = verifiedTrailers
    if (held !== 'none') out(held)
  }

  return {
    piece(bytes, out) {
      passOn = out
      parser.write(bytes)
    },
    end(out) {
      const section = parseTrailerSection(parser.finish(), declared)
      verifyTrailer(chain, declared, section)
      if (checksums.length > 0) {
        return verifyChecksums(checksums, section.trailers).then(() => release(section.trailers, out))
      }
      release(section.trailers, out)
      return undefined
    },
    trailers: () => trailers,
  }
}

function chainOf(mode: StreamingMode, verified: VerifiedSignature | 'none'): SignatureChain | 'none' {
  if (mode.type === 'streaming-unsigned-trailer') return 'none'
  if (verified === 'none') throw new S3Error('InvalidRequest', { message: 'Signed chunks need a signed request.' })
  return signatureChain(verified)
}

function verifyTrailer(chain: SignatureChain | 'none', declared: readonly string[], section: TrailerSection): void {
  const signed = chain !== 'none' && declared.length > 0
  if (signed !== (section.signature !== 'none')) throw malformedTrailer()
  if (!signed) return
  chain.trailer([...section.trailers].map(([name, value]) => `${name}:${value}\n`).join(''), section.signature)
}

async function verifyChecksums(
  checksums: readonly { readonly name: string; readonly running: RunningChecksum }[],
  trailers: ReadonlyMap<string, string>,
): Promise<void> {
  for (const { name, running } of checksums) {
    compareChecksum(name, trailers.get(name) ?? '', await running.digest())
  }
}
