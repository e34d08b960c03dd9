import type { KeyedRequest, Pipeline } from './messages.js'
import { MD5_CHECKSUM, isMD5 } from '../s3/md5-etag.js'
import { type RewrittenBody, decoder, plainCoding, rewriteBody } from './rewrite-body.js'
import { type Hash, createHash } from 'node:crypto'
import { type BodyStep, inRow } from '../sigv4/body-step.js'
import type { Readable } from 'node:stream'
import { S3Error } from '../s3/error.js'
import { UNSIGNED_TRAILER } from '../sigv4/payload-mode.js'
import { chunkEncoder } from '../sigv4/chunk-encoder.js'
import { exactLength } from './exact-length.js'
import { objectLength } from './object-length.js'
import { showsMD5 } from './look-up-etag.js'
import { steppedBody } from './stepped-body.js'

/** A body and the MD5 that goes with it, base64, known when all of it has gone. */
export interface BodyWithMD5 extends RewrittenBody {
  readonly sentMD5: () => string | 'none'
}

/** S3 takes one checksum with a body, and a client that sends one does not look at the ETag. */
export function bringsChecksum({ fields, payload }: KeyedRequest): boolean {
  if ('trailers' in payload && payload.trailers.length > 0) return true
  return [...fields.keys()].some((name) => /^x-amz-(?:checksum-|sdk-checksum-algorithm$)/.test(name))
}

/**
 * Whether the MD5 of this body is sent along for the upstream to keep. An upload that was created with MD5s takes no part without,
 * whatever the rule says by now, or on this replica already.
 */
export function sendsMD5(request: KeyedRequest, pipeline: Pick<Pipeline, 'rules' | 'upstream'>): boolean {
  const { operation, target } = request
  if (target.type !== 'object') return false
  const keepsMD5 =
    operation.name === 'UploadPart'
      ? request.uploadChecksum === 'md5' && pipeline.upstream.trailingChecksums === 'relay'
      : operation.name === 'PutObject' && showsMD5(pipeline, target.bucket)
  return keepsMD5 && !bringsChecksum(request)
}

/**
 * The body with its MD5 as an additional checksum: in a header where it is known beforehand, else in a trailer, computed as the
 * bytes pass. S3 then no longer sees the client's SHA-256, so that is verified here; the piece that completes the object, and the
 * trailer behind it, leave only after that.
 *
 * @throws S3Error MissingContentLength, InvalidDigest (a Content-MD5 that is none)
 */
export function bodyWithMD5(
  request: KeyedRequest,
  pipeline: Pick<Pipeline, 'upstream'>,
  headers: Map<string, string>,
  openBody: () => Readable,
): BodyWithMD5 {
  const given = request.fields.get('content-md5')
  const known = given ?? md5OfHeld(request)
  if (known !== 'unknown') {
    if (!isMD5(known)) throw new S3Error('InvalidDigest', { extra: { 'Content-MD5': known.slice(0, 128) } })
    // No trailer comes, so the framing has nothing to say to the upstream.
    const body = rewriteBody(
      request,
      { upstream: { ...pipeline.upstream, trailingChecksums: 'verify' } },
      headers,
      openBody,
    )
    return { ...body, headers: { ...body.headers, [MD5_CHECKSUM]: known }, sentMD5: () => known }
  }
  return trailed(request, headers, openBody)
}

/** Of a body that is there as a whole, or has no bytes. */
function md5OfHeld({ document, length }: KeyedRequest): string | 'unknown' {
  if (document.type === 'none' && length !== 0) return 'unknown'
  return createHash('md5')
    .update(document.type === 'read' ? document.bytes : '')
    .digest('base64')
}

function trailed(request: KeyedRequest, headers: Map<string, string>, openBody: () => Readable): BodyWithMD5 {
  const { payload } = request
  const isFramed = payload.type !== 'hashed' && payload.type !== 'unsigned'
  const decodedLength = isFramed ? payload.decodedLength : objectLength(request)
  const encoder = chunkEncoder({ decodedLength, trailer: MD5_CHECKSUM })
  if (encoder === 'unknown-trailer') throw new S3Error('InternalError')
  plainCoding(headers)
  const stored = headers.get('content-encoding')
  let md5 = 'none'
  const open = (): Readable => {
    const hashing = hashes(payload.type === 'hashed' ? payload.sha256.toLowerCase() : 'none', (digest) => {
      md5 = digest
    })
    const verified = isFramed ? inRow(decoder(request, 'verify'), hashing) : inRow(hashing, exactLength(decodedLength))
    const encoding = encoder.step(() => new Map([[MD5_CHECKSUM, md5]]))
    return steppedBody(openBody(), inRow(verified, encoding))
  }
  return {
    headers: {
      'content-encoding': stored === undefined ? 'aws-chunked' : `aws-chunked,${stored}`,
      'content-length': String(encoder.contentLength),
      'x-amz-content-sha256': UNSIGNED_TRAILER,
      'x-amz-decoded-content-length': String(decodedLength),
      'x-amz-trailer': MD5_CHECKSUM,
    },
    body: { type: 'stream', open },
    sentMD5: () => md5,
  }
}

/** Takes the MD5 of what passes; ends with an error where its SHA-256 is not the one that was signed. */
function hashes(sha256: string | 'none', tell: (md5: string) => void): BodyStep {
  const md5 = createHash('md5')
  const signed: Hash | 'none' = sha256 === 'none' ? 'none' : createHash('sha256')
  return {
    piece(bytes, out) {
      md5.update(bytes)
      if (signed !== 'none') signed.update(bytes)
      out(bytes)
    },
    end() {
      const computed = signed === 'none' ? 'none' : signed.digest('hex')
      if (computed !== sha256) {
        const extra = { ClientComputedContentSHA256: sha256, S3ComputedContentSHA256: computed }
        throw new S3Error('XAmzContentSHA256Mismatch', { extra })
      }
      tell(md5.digest('base64'))
      return undefined
    },
  }
}
