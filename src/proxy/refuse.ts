import type { IncomingMessage, ServerResponse } from 'node:http'
import type { S3Error } from '../s3/error.js'
import { errorDocument } from '../s3/error-document.js'

/**
 * Answers with S3's error document. A connection on which the rest of a body is still to come is closed after it; the
 * listener sees to it that the client can read the answer first.
 *
 * @returns bytes of body sent
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: S3Error,
  about: { readonly requestId: string; readonly resource: string; readonly region: string },
): number {
  const body = Buffer.from(errorDocument(error, about), 'utf8')
  const bodiless = request.method === 'HEAD'
  response.writeHead(error.status, {
    'content-type': 'application/xml',
    'content-length': body.length,
    'x-amz-request-id': about.requestId,
    ...(error.status === 503 ? { 'retry-after': '1' } : {}),
    ...(TELLS_REGION.includes(error.code) ? { 'x-amz-bucket-region': about.region } : {}),
    ...(bodyIsDue(request) ? { connection: 'close' } : {}),
  })
  response.end(bodiless ? undefined : body)
  return bodiless ? 0 : body.length
}

/** S3 tells strangers too where a bucket is; goofys and the SDKs discover it by such an answer to HEAD. */
const TELLS_REGION: readonly string[] = [
  'AccessDenied',
  'AuthorizationHeaderMalformed',
  'AuthorizationQueryParametersError',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
]

/** Node calls a request complete only after its handler's first turn, one without a body too. */
export function bodyIsDue({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0)
}
