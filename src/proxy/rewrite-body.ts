import type { KeyedRequest, Pipeline, UpstreamBody } from './messages.js'
import type { Readable } from 'node:stream'
import { EMPTY_SHA256 } from '../sigv4/signing-key.js'
import { S3Error } from '../s3/error.js'
import { chunkEncoder } from '../sigv4/chunk-encoder.js'
import { createHash } from 'node:crypto'
import { type ChunkDecoder, decodeChunks } from '../sigv4/chunk-decoder.js'
import { exactLength } from './exact-length.js'
import { inRow } from '../sigv4/body-step.js'
import { objectLength } from './object-length.js'
import { steppedBody } from './stepped-body.js'
import { storedContentEncoding } from './rewrite-headers.js'

/** The upstream's body, and the headers that describe it. */
export interface RewrittenBody {
  readonly headers: Readonly<Record<string, string>>
  readonly body: UpstreamBody
}

/**
 * How the body travels on. What S3 can check itself (a hash, an unsigned trailing checksum) passes untouched; what is
 * signed with the client's key is verified here and re-framed, and its last bytes leave only after the last signature.
 *
 * @param headers what goes to the upstream so far; content-encoding and checksum headers may be taken out
 * @throws S3Error MissingContentLength, InvalidRequest
 */
export function rewriteBody(
  request: KeyedRequest,
  pipeline: Pick<Pipeline, 'upstream'>,
  headers: Map<string, string>,
  openBody: () => Readable,
): RewrittenBody {
  if (request.document.type === 'read') return documentBody(request, request.document.bytes, headers)
  if (request.operation.body === 'none') return noBody(request)
  const { payload } = request
  switch (payload.type) {
    case 'hashed':
      return lengthKnown(request, payload.sha256, openBody)
    case 'unsigned':
      return lengthKnown(request, 'UNSIGNED-PAYLOAD', openBody)
    case 'streaming-unsigned-trailer':
      return pipeline.upstream.trailingChecksums === 'relay'
        ? asItCame(request, payload.decodedLength, payload.trailers, openBody)
        : deframed(request, payload.decodedLength, headers, openBody)
    case 'streaming-signed':
      return deframed(request, payload.decodedLength, headers, openBody)
    case 'streaming-signed-trailer':
      return pipeline.upstream.trailingChecksums === 'relay'
        ? reframed(request, payload.decodedLength, payload.trailers, headers, openBody)
        : deframed(request, payload.decodedLength, headers, openBody)
  }
}

function documentBody(request: KeyedRequest, bytes: Buffer, headers: Map<string, string>): RewrittenBody {
  plainCoding(headers)
  const rewritten = request.operation.name === 'DeleteObjects'
  if (rewritten || 'decodedLength' in request.payload) headers.delete('x-amz-sdk-checksum-algorithm')
  if (rewritten) for (const name of headers.keys()) if (name.startsWith('x-amz-checksum-')) headers.delete(name)
  if (rewritten || headers.has('content-md5')) {
    headers.set('content-md5', createHash('md5').update(bytes).digest('base64'))
  }
  return {
    headers: {
      'content-length': String(bytes.length),
      'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
    },
    body: bytes.length === 0 ? { type: 'none' } : { type: 'bytes', bytes },
  }
}

function noBody(request: KeyedRequest): RewrittenBody {
  if (request.length !== 0 && request.length !== 'chunked') {
    throw new S3Error('InvalidRequest', { message: `${request.operation.name} takes no body. Send none.` })
  }
  const described = { 'x-amz-content-sha256': EMPTY_SHA256 }
  const bare = request.method === 'GET' || request.method === 'HEAD'
  return { headers: bare ? described : { ...described, 'content-length': '0' }, body: { type: 'none' } }
}

/**
 * The body as it is: the very stream that the client's connection gives. HTTP's own framing holds a body to its declared length;
 * where it came chunked, that length is only the client's word.
 */
function lengthKnown(request: KeyedRequest, contentSha256: string, openBody: () => Readable): RewrittenBody {
  const length = objectLength(request)
  const headers = { 'content-length': String(length), 'x-amz-content-sha256': contentSha256 }
  if (length === 0 && request.length === 0) return { headers, body: { type: 'none' } }
  const open = request.length === 'chunked' ? () => steppedBody(openBody(), exactLength(length)) : openBody
  return { headers, body: { type: 'stream', open } }
}

/** aws-chunked with an unsigned trailer: S3 reads the framing and checks the checksum. */
function asItCame(
  request: KeyedRequest,
  decodedLength: number,
  trailers: readonly string[],
  openBody: () => Readable,
): RewrittenBody {
  return {
    headers: {
      ...(request.length === 'chunked'
        ? { 'transfer-encoding': 'chunked' }
        : { 'content-length': String(request.length) }),
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(decodedLength),
      ...(trailers.length === 0 ? {} : { 'x-amz-trailer': trailers.join(',') }),
    },
    body: { type: 'stream', open: openBody },
  }
}

/** The object's bytes without framing; signatures and trailing checksums are verified here. */
function deframed(
  request: KeyedRequest,
  decodedLength: number,
  headers: Map<string, string>,
  openBody: () => Readable,
): RewrittenBody {
  plainCoding(headers)
  headers.delete('x-amz-sdk-checksum-algorithm')
  return {
    headers: { 'content-length': String(decodedLength), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    body: { type: 'stream', open: () => steppedBody(openBody(), decoder(request, 'verify')) },
  }
}

/** Verified here, then framed anew with the same trailing checksum, which S3 checks and keeps. */
function reframed(
  request: KeyedRequest,
  decodedLength: number,
  trailers: readonly string[],
  headers: Map<string, string>,
  openBody: () => Readable,
): RewrittenBody {
  const name = trailers[0]
  if (name === undefined || trailers.length > 1) return deframed(request, decodedLength, headers, openBody)
  const encoder = chunkEncoder({ decodedLength, trailer: name })
  if (encoder === 'unknown-trailer') return deframed(request, decodedLength, headers, openBody)
  const open = () => {
    const decoded = decoder(request, 'relay')
    return steppedBody(
      openBody(),
      inRow(
        decoded,
        encoder.step(() => decoded.trailers()),
      ),
    )
  }
  return {
    headers: {
      'content-length': String(encoder.contentLength),
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(decodedLength),
      'x-amz-trailer': name,
    },
    body: { type: 'stream', open },
  }
}

/** De-frames and verifies the body's chunks; for streaming modes only. */
export function decoder(
  request: Pick<KeyedRequest, 'payload' | 'verified'>,
  trailingChecksum: 'verify' | 'relay',
): ChunkDecoder {
  const { payload, verified } = request
  if (payload.type === 'hashed' || payload.type === 'unsigned') throw new S3Error('InternalError')
  return decodeChunks({ mode: payload, verified, trailingChecksum })
}

/** `aws-chunked` describes the client's transport and must not be stored. */
export function plainCoding(headers: Map<string, string>): void {
  const coding = headers.get('content-encoding')
  if (coding === undefined) return
  const stored = storedContentEncoding(coding)
  if (stored === 'none') headers.delete('content-encoding')
  else headers.set('content-encoding', stored)
}
