import type { ClientRequest, ClientResponse } from './handler.js'
import type { S3Error } from '../s3/error.js'
import { errorDocument } from '../s3/error-document.js'

/**
 * Answers with S3's error document.
 *
 * @returns bytes of body sent
 */
export function refuse(
  request: ClientRequest,
  response: ClientResponse,
  error: S3Error,
  about: { readonly requestId: string; readonly resource: string; readonly region: string },
): number {
  const body = Buffer.from(errorDocument(error, about), 'utf8')
  const bodiless = request.method === 'HEAD'
  const headers = new Map([
    ['content-type', 'application/xml'],
    ['content-length', String(body.length)],
    ['x-amz-request-id', about.requestId],
  ])
  if (error.status === 503) headers.set('retry-after', '1')
  if (TELLS_REGION.includes(error.code)) headers.set('x-amz-bucket-region', about.region)
  response.writeHead(error.status, headers)
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
