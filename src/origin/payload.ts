import { createHash } from 'node:crypto'
import type { Fields } from '../s3/fields.js'
import { decodeChunked } from './aws-chunked.js'
import type { Claim } from './authorization.js'
import type { Query } from './encoding.js'
import { Refusal } from './refusal.js'
import type { Verified } from './signature.js'

/** The object's bytes as they come in, verified as they end: whoever read to the end holds what was signed. */
export interface Payload {
  readonly bytes: AsyncIterable<Buffer>
  /** Trailers of an aws-chunked body, lower-case names; filled when `bytes` has ended. */
  readonly trailers: ReadonlyMap<string, string>
}

/** The value that stands for the payload in the canonical request. @throws Refusal InvalidRequest, InvalidArgument */
export function payloadHashOf(claim: Claim, fields: Fields, query: Query): string {
  const given = fields.get('x-amz-content-sha256') ?? query.get('X-Amz-Content-Sha256')
  if (claim.type === 'presigned') return given ?? 'UNSIGNED-PAYLOAD'
  if (given === undefined) {
    throw new Refusal('InvalidRequest', { message: 'Missing required header for this request: x-amz-content-sha256' })
  }
  return given
}

/** How the body is to be read. Errors of the body itself come while it is read. */
export function openPayload(
  source: AsyncIterable<Buffer>,
  fields: Fields,
  hash: string,
  verified: Verified | 'none',
): Payload {
  const trailers = new Map<string, string>()
  const plain = (bytes: AsyncIterable<Buffer>): Payload => ({ bytes, trailers })
  switch (hash) {
    case 'UNSIGNED-PAYLOAD':
      return plain(counted(source, plainLength(fields)))
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { bytes: counted(decodeChunked(source, trailers, 'unsigned'), decodedLength(fields)), trailers }
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      if (verified === 'none') throw new Refusal('InvalidRequest')
      return { bytes: counted(decodeChunked(source, trailers, verified), decodedLength(fields)), trailers }
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER':
      throw new Refusal('NotImplemented', { extra: { Header: 'x-amz-content-sha256' } })
  }
  if (!/^[0-9a-f]{64}$/i.test(hash)) {
    throw new Refusal('InvalidArgument', {
      message:
        'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
      extra: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: hash.slice(0, 200) },
    })
  }
  return plain(hashed(counted(source, plainLength(fields)), hash.toLowerCase()))
}

function plainLength(fields: Fields): number {
  if (fields.has('transfer-encoding')) {
    throw new Refusal('NotImplemented', { extra: { Header: 'Transfer-Encoding' } })
  }
  return Number(fields.get('content-length') ?? 0)
}

function decodedLength(fields: Fields): number {
  const value = fields.get('x-amz-decoded-content-length')
  if (value === undefined || !/^\d{1,15}$/.test(value)) throw new Refusal('MissingContentLength')
  return Number(value)
}

async function* counted(source: AsyncIterable<Buffer>, expected: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const bytes of source) {
    size += bytes.length
    if (size > expected) break
    yield bytes
  }
  if (size !== expected) {
    throw new Refusal('IncompleteBody', {
      extra: { NumberBytesExpected: String(expected), NumberBytesProvided: String(size) },
    })
  }
}

async function* hashed(source: AsyncIterable<Buffer>, expected: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  for await (const bytes of source) {
    hash.update(bytes)
    yield bytes
  }
  const computed = hash.digest('hex')
  if (computed !== expected) {
    throw new Refusal('XAmzContentSHA256Mismatch', {
      extra: { ClientComputedContentSHA256: expected, S3ComputedContentSHA256: computed },
    })
  }
}
