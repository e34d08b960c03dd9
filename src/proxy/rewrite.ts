import type { KeyedRequest, Pipeline, RewrittenRequest } from './messages.js'
import { rewriteBody, type RewrittenBody } from './rewrite-body.js'
import type { Bucket } from '../s3/names.js'
import type { Query } from '../s3/query.js'
import type { Readable } from 'node:stream'
import { bucketETagPolicy } from '../keyring/select.js'
import { formatCopySource } from '../s3/copy-source.js'
import { resolveETag } from '../s3/etag.js'
import { unwrapUploadId } from '../s3/upload-id.js'
import { rewriteForm } from './rewrite-form.js'
import { stripCustomerKeys } from '../s3/customer-key.js'
import { stripRequestFields } from './rewrite-headers.js'

/** Query parameters that authenticate the client and mean nothing to the upstream. */
const PRESIGNING = /^x-amz-/i

const TARGET_CONDITIONS = ['if-match', 'if-none-match', 'if-range']
const SOURCE_CONDITIONS = ['x-amz-copy-source-if-match', 'x-amz-copy-source-if-none-match']

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
  const headers = stripRequestFields(request.fields)
  dropEncryptionWishes(request, headers)
  resolveConditions(request, pipeline, headers)
  if (request.copySource !== 'none') {
    headers.set('x-amz-copy-source', formatCopySource(request.copySource))
    // gsutil makes it from the source's ETag, which under SSE-C is no MD5; a copy has no body to check.
    headers.delete('content-md5')
  }
  const body: RewrittenBody = rewriteBody(request, pipeline, headers, openBody)
  return {
    ...request,
    upstreamQuery: upstreamQuery(request),
    upstreamHeaders: Object.fromEntries([...headers, ...Object.entries(body.headers)]),
    upstreamBody: body.body,
  }
}

/** S3 refuses any other server-side encryption beside a customer key; in a plain scope the client may ask for it. */
function dropEncryptionWishes(request: KeyedRequest, headers: Map<string, string>): void {
  stripCustomerKeys(headers)
  if (request.targetKey.type === 'none') return
  for (const name of headers.keys()) if (name.startsWith('x-amz-server-side-encryption')) headers.delete(name)
}

function resolveConditions(
  request: KeyedRequest,
  pipeline: Pick<Pipeline, 'rules'>,
  headers: Map<string, string>,
): void {
  const resolve = (names: readonly string[], bucket: Bucket) => {
    if (bucketETagPolicy(pipeline.rules, bucket) !== 'opaque') return
    for (const name of names) {
      const value = headers.get(name)
      if (value !== undefined) headers.set(name, resolveETag(value))
    }
  }
  if (request.target.type !== 'service') resolve(TARGET_CONDITIONS, request.target.bucket)
  if (request.copySource !== 'none') resolve(SOURCE_CONDITIONS, request.copySource.bucket)
}

function upstreamQuery(request: KeyedRequest): Query {
  const query = new Map<string, string>()
  for (const [name, value] of request.query) if (!PRESIGNING.test(name)) query.set(name, value)
  if (request.uploadId !== 'none') query.set('uploadId', request.uploadId)
  const marker = query.get('upload-id-marker')
  if (marker !== undefined) query.set('upload-id-marker', unwrapUploadId(marker).upstreamId)
  return query
}
