import { S3Error } from '../s3/error.js'
import type { Fields } from '../s3/fields.js'
import { EMPTY_SHA256 } from './signing-key.js'
import type { Authorization, PayloadMode } from './types.js'

/** x-amz-content-sha256 of a body whose chunks are not signed and that ends with a checksum. */
export const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
const SIGNED_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
const ASYMMETRIC = /^STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD(?:-TRAILER)?$/

const SHA256 = /^[0-9a-f]{64}$/i
/** Told apart from others without a look at each digit. */
const EMPTY: PayloadMode = Object.freeze({ type: 'hashed', sha256: EMPTY_SHA256 })

const UNSIGNED: PayloadMode = Object.freeze({ type: 'unsigned' })
const NO_TRAILERS: readonly string[] = Object.freeze([])

/**
 * How the body is protected, from what the signature covers: `x-amz-content-sha256` (or its place in a presigned query),
 * `x-amz-decoded-content-length` and `x-amz-trailer`.
 *
 * Chunk signatures continue the one in the Authorization header, so a request without one cannot have them.
 *
 * @throws S3Error NotImplemented (SigV4A), InvalidArgument (another value, a bad length), MissingContentLength (a streaming
 *   mode without decoded length), InvalidRequest (trailers that S3 does not know; chunk signatures without a header
 *   signature), MalformedTrailerError (trailers where the mode has none, or the other way round)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 */
export function parsePayloadMode(fields: Fields, authorization: Authorization): PayloadMode {
  const value =
    authorization.type === 'none'
      ? (fields.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD')
      : authorization.payloadHash
  const trailer = fields.get('x-amz-trailer')
  if (trailer === undefined) {
    if (value === EMPTY_SHA256) return EMPTY
    if (value === 'UNSIGNED-PAYLOAD') return UNSIGNED
  }
  const trailers = trailer === undefined ? NO_TRAILERS : parseTrailers(trailer)
  if (ASYMMETRIC.test(value)) throw new S3Error('NotImplemented', { message: `${value} (SigV4A) is not supported.` })
  if (value === UNSIGNED_TRAILER) {
    return { type: 'streaming-unsigned-trailer', decodedLength: decodedLength(fields), trailers }
  }
  if (value === SIGNED_TRAILER) {
    if (trailers.length === 0) throw new S3Error('MalformedTrailerError')
    needsHeaderSignature(authorization)
    return { type: 'streaming-signed-trailer', decodedLength: decodedLength(fields), trailers }
  }
  if (trailers.length > 0) throw new S3Error('MalformedTrailerError')
  if (value === SIGNED) {
    needsHeaderSignature(authorization)
    return { type: 'streaming-signed', decodedLength: decodedLength(fields) }
  }
  if (value === 'UNSIGNED-PAYLOAD') return UNSIGNED
  if (SHA256.test(value)) return { type: 'hashed', sha256: value }
  throw new S3Error('InvalidArgument', {
    message: `x-amz-content-sha256 must be UNSIGNED-PAYLOAD, ${UNSIGNED_TRAILER}, ${SIGNED}, ${SIGNED_TRAILER} or a valid sha256 value.`,
    extra: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
  })
}

function needsHeaderSignature(authorization: Authorization): void {
  if (authorization.type !== 'header') {
    throw new S3Error('InvalidRequest', { message: 'Signed chunks need a signature in the Authorization header.' })
  }
}

/** The object's length in bytes; Content-Length counts the framing too. */
function decodedLength(fields: Fields): number {
  const text = fields.get('x-amz-decoded-content-length')
  if (text === undefined) throw new S3Error('MissingContentLength')
  const length = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(length)) {
    throw new S3Error('InvalidArgument', {
      message: 'x-amz-decoded-content-length must be a number of bytes.',
      extra: { ArgumentName: 'x-amz-decoded-content-length', ArgumentValue: text },
    })
  }
  return length
}

/** Lower-case names. S3 takes checksums only, and one of them. */
function parseTrailers(value: string): readonly string[] {
  const names = value
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (!names.every((name) => /^x-amz-checksum-[a-z0-9]{1,32}$/.test(name))) {
    throw new S3Error('InvalidRequest', { message: 'The value specified in the x-amz-trailer header is not supported' })
  }
  if (names.length > 1) {
    throw new S3Error('InvalidRequest', {
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    })
  }
  return names
}
