import type { KeyedRequest, Pipeline, RewrittenRequest } from './messages.js'
import { bodyWithMD5, bringsChecksum, sendsMD5 } from './md5-body.js'
import { SOURCE_CONDITIONS, TARGET_CONDITIONS } from './resolve-etags.js'
import { rewriteBody } from './rewrite-body.js'
import type { Bucket } from '../s3/names.js'
import type { Query } from '../s3/query.js'
import type { Readable } from 'node:stream'
import { bucketETagPolicy } from '../keyring/select.js'
import { formatCopySource } from '../s3/copy-source.js'
import { resolveETag } from '../s3/etag.js'
import { unwrapUploadId } from '../s3/upload-id.js'
import { showsMD5 } from './look-up-etag.js'
import { rewriteForm } from './rewrite-form.js'
import { rewritten } from './stage-requests.js'
import { stripRequestFields } from './rewrite-headers.js'

/** Query parameters that authenticate the client and mean nothing to the upstream. */
const PRESIGNING = /^x-amz-/i

/**
 * The sixth stage: what the upstream is asked, without host, signature and customer keys. Strips first; whatever is
 * injected afterwards stays.
 *
 * @param openBody the client's body as it travels; called at most once, when it is about to be sent
 */
export function rewrite(
  request: KeyedRequest,
  pipeline: Pick<Pipeline, 'rules' | 'upstream' | 'randomBytes'>,
  openBody: () => Readable,
): RewrittenRequest {
  if (request.form !== 'none') return rewriteForm(request, request.form, pipeline.randomBytes)
  // In a plain scope the client may ask for the store's own encryption.
  const headers = stripRequestFields(request.fields, request.targetKey.type === 'none' ? 'keep' : 'drop')
  resolveConditions(request, pipeline, headers)
  if (request.copySource !== 'none') {
    headers.set('x-amz-copy-source', formatCopySource(request.copySource))
    // gsutil makes it from the source's ETag, which under SSE-C is no MD5; a copy has no body to check.
    headers.delete('content-md5')
  }
  askForMD5(request, pipeline, headers)
  const withMD5 = sendsMD5(request, pipeline) ? bodyWithMD5(request, pipeline, headers, openBody) : 'none'
  const body = withMD5 === 'none' ? rewriteBody(request, pipeline, headers, openBody) : withMD5
  for (const name in body.headers) headers.set(name, body.headers[name] as string)
  const sentMD5 = withMD5 === 'none' ? NO_MD5 : withMD5.sentMD5
  return rewritten(request, upstreamQuery(request), headers, body.body, sentMD5)
}

const NO_MD5 = () => 'none' as const

/**
 * Where ETags are shown as MD5s: reads ask for the checksum, copies and uploads in parts for its being made. Not an upload under
 * the client's own key: S3 would want that again at its end, and clients do not send it then.
 */
function askForMD5(request: KeyedRequest, pipeline: Pick<Pipeline, 'rules'>, headers: Map<string, string>): void {
  const { operation, target } = request
  if (target.type !== 'object' || !showsMD5(pipeline, target.bucket)) return
  if (operation.name === 'GetObject' || operation.name === 'HeadObject') headers.set('x-amz-checksum-mode', 'ENABLED')
  if (bringsChecksum(request)) return
  if (operation.name === 'CopyObject') headers.set('x-amz-checksum-algorithm', 'MD5')
  if (operation.name === 'CreateMultipartUpload' && request.targetKey.type !== 'relayed') {
    headers.set('x-amz-checksum-algorithm', 'MD5')
    headers.set('x-amz-checksum-type', 'COMPOSITE')
  }
}

function resolveConditions(
  request: KeyedRequest,
  pipeline: Pick<Pipeline, 'rules'>,
  headers: Map<string, string>,
): void {
  if (request.target.type !== 'service') resolve(TARGET_CONDITIONS, request.target.bucket, pipeline, headers)
  if (request.copySource !== 'none') resolve(SOURCE_CONDITIONS, request.copySource.bucket, pipeline, headers)
}

function resolve(
  names: readonly string[],
  bucket: Bucket,
  { rules }: Pick<Pipeline, 'rules'>,
  headers: Map<string, string>,
): void {
  if (bucketETagPolicy(rules, bucket) === 'passthrough') return
  for (const name of names) {
    const value = headers.get(name)
    if (value !== undefined) headers.set(name, resolveETag(value))
  }
}

function upstreamQuery(request: KeyedRequest): Query {
  if (request.query.size === 0) return request.query
  const query = new Map<string, string>()
  for (const [name, value] of request.query) if (!PRESIGNING.test(name)) query.set(name, value)
  if (request.uploadId !== 'none') query.set('uploadId', request.uploadId)
  const marker = query.get('upload-id-marker')
  if (marker !== undefined) query.set('upload-id-marker', unwrapUploadId(marker).upstreamId)
  return query
}
