import type { Attempt, Pipeline, RewrittenRequest } from './messages.js'
import type { ObjectETag } from '../s3/md5-etag.js'
import { Transform, type TransformCallback } from 'node:stream'
import { fromKeyring } from './attempts.js'
import { bucketETagPolicy } from '../keyring/select.js'
import { filterBuckets } from '../s3/list-buckets.js'
import { matchesBucket } from './authorize.js'
import { rewriteElements } from '../s3/xml-rewrite.js'
import { rewriteDocument } from './hold-document.js'
import { showETag } from '../s3/etag.js'
import { showETagsIn } from '../s3/shown-document.js'
import { wrapUploadId } from '../s3/upload-id.js'

/** A list of buckets longer than this (10,000 buckets are some 2 MiB) is cut off with an error. */
const MAX_BUCKETS_BYTES = 16 * 1024 * 1024

/** Operations whose answer is a document with ETags in it. */
const WITH_ETAGS = new Set([
  'CompleteMultipartUpload',
  'CopyObject',
  'GetObjectAttributes',
  'ListObjectVersions',
  'ListObjects',
  'ListObjectsV2',
  'ListParts',
  'UploadPartCopy',
])

/** Those of them that say an ETag and the checksum of the same bytes. */
const WITH_CHECKSUMS = new Set(['CompleteMultipartUpload', 'CopyObject', 'ListParts', 'UploadPartCopy'])

/** All whose answers are changed at all. */
const CHANGED: ReadonlySet<string> = new Set([...WITH_ETAGS, 'CreateMultipartUpload', 'ListBuckets'])
const NOTHING: readonly Transform[] = []

/**
 * What the body of a good answer must go through on its way; nothing for nearly all.
 *
 * @param object of GetObjectAttributes, where its MD5 is shown
 */
export function answerRewrites(
  request: RewrittenRequest,
  attempt: Attempt,
  pipeline: Pick<Pipeline, 'rules' | 'memory'>,
  object: ObjectETag | 'unknown',
): readonly Transform[] {
  const { operation, target } = request
  if (!CHANGED.has(operation.name)) return NOTHING
  if (operation.name === 'ListBuckets') return [bucketFilter(request)]
  if (target.type === 'service') return NOTHING
  const policy = bucketETagPolicy(pipeline.rules, target.bucket)
  const documents = policy === 'md5' && WITH_CHECKSUMS.has(operation.name)
  const rules: Record<string, (text: string) => string> = {}
  if (WITH_ETAGS.has(operation.name) && policy !== 'passthrough' && !documents) {
    rules['ETag'] = (raw) =>
      object !== 'unknown' && object.md5 !== 'none' && raw === object.raw ? object.md5 : showETag(raw)
  }
  if (operation.name === 'CreateMultipartUpload') rules['UploadId'] = clientUploadId(request, attempt, pipeline)
  if (operation.name === 'ListParts') rules['UploadId'] = () => request.query.get('uploadId') ?? ''
  return [
    ...(documents ? [rewriteDocument((document) => showETagsIn(document, operation.name))] : []),
    ...(Object.keys(rules).length === 0 ? [] : [rewriteElements(rules)]),
  ]
}

/** The id that the client gets carries the key version: any replica can go on with the upload, after a rotation too. */
function clientUploadId(
  request: RewrittenRequest,
  attempt: Attempt,
  { memory }: Pick<Pipeline, 'memory'>,
): (upstreamId: string) => string {
  return (upstreamId) => {
    if (!fromKeyring(attempt.target) || request.targetKey.type !== 'one') return upstreamId
    const key = { keyring: attempt.target.keyring, keyVersion: attempt.target.keyVersion }
    memory.setUpload(request.targetKey.scope, upstreamId, key)
    const isMD5 = request.upstreamHeaders.get('x-amz-checksum-algorithm')?.toUpperCase() === 'MD5'
    return wrapUploadId(upstreamId, key, isMD5 ? 'md5' : 'other')
  }
}

/** Buckets that the identity has no grant for are not shown to it. */
function bucketFilter(request: RewrittenRequest): Transform {
  const { grants } = request.identity
  const keep = (bucket: string) => grants.some((grant) => matchesBucket(grant.bucket, bucket))
  const chunks: Buffer[] = []
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      size += chunk.length
      chunks.push(chunk)
      callback(size > MAX_BUCKETS_BYTES ? new Error('the list of buckets is too long') : null)
    },
    flush(callback) {
      callback(null, Buffer.from(filterBuckets(Buffer.concat(chunks).toString('utf8'), keep), 'utf8'))
    },
  })
}
