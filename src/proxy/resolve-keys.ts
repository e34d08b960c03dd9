import type { AuthorizedRequest, KeyPlan, KeyedRequest, Pipeline } from './messages.js'
import type { KeyReference, ObjectScope, Soon } from '../keyring/port.js'
import type { ObjectKey, Bucket } from '../s3/names.js'
import { customerKeyInQuery, parseClientKey } from '../s3/client-key.js'
import type { Fields } from '../s3/fields.js'
import { S3Error } from '../s3/error.js'
import { parseQuery } from '../s3/query.js'
import { hasCustomerKeys, isEncryptionWish } from '../s3/customer-key.js'
import { parseVersionId } from '../s3/names.js'
import { candidateKey, readAttempts } from '../keyring/candidates.js'
import { selectKeys } from '../keyring/select.js'
import { unwrapUploadId } from '../s3/upload-id.js'
import { keyed } from './stage-requests.js'
import { whenKnown } from '../keyring/soon.js'

type Encrypted = Extract<KeyReference, { type: 'encrypted' }>

/**
 * The fifth stage: the customer keys of the target and of the copy source, by the rules. A scope without a rule is a
 * refusal, never a pass-through.
 *
 * @param secureHop whether the client's connection may carry a key (https)
 * @throws S3Error AccessDenied (no rule, no key for a write), InvalidArgument (a client's own key where it is not
 *   wanted, or not as S3 takes it; a wish for another encryption where the rule refuses it), NoSuchUpload, ServiceUnavailable (the keyring's service is away)
 */
export function resolveKeys(
  request: AuthorizedRequest,
  pipeline: Pick<Pipeline, 'rules' | 'memory'>,
  secureHop: boolean,
): Soon<KeyedRequest> {
  const { operation, target, copySource } = request
  if (target.type !== 'object' || operation.customerKey === 'none') {
    return keyed(request, NO_KEY, NO_KEY, plainUploadId(request), 'unknown')
  }
  const upload = request.query.get('uploadId')
  const unwrapped = upload === undefined ? undefined : unwrapUploadId(upload)
  return whenKnown(targetPlan(request, pipeline, secureHop, unwrapped), (targetKey) => {
    const sourceKey: KeyPlan =
      copySource === 'none'
        ? NO_KEY
        : sourcePlan(request, copySource.bucket, copySource.objectKey, copySource.version, pipeline, secureHop)
    return keyed(request, targetKey, sourceKey, unwrapped?.upstreamId ?? 'none', unwrapped?.checksum ?? 'unknown')
  })
}

const NO_KEY: KeyPlan = { type: 'none' }

function plainUploadId(request: AuthorizedRequest): string | 'none' {
  const upload = request.query.get('uploadId')
  return upload === undefined ? 'none' : unwrapUploadId(upload).upstreamId
}

function targetPlan(
  request: AuthorizedRequest,
  pipeline: Pick<Pipeline, 'rules' | 'memory'>,
  secureHop: boolean,
  upload: ReturnType<typeof unwrapUploadId> | undefined,
): Soon<KeyPlan> {
  if (request.target.type !== 'object') return NO_KEY
  const { bucket, objectKey } = request.target
  const reference = demandRule(pipeline, bucket, objectKey)
  const version = versionOf(request)
  if (hasCustomerKeys(request.fields, 'target')) {
    return relayed(request, 'target', reference, { bucket, bucketIdentity: bucket, objectKey, version }, secureHop)
  }
  if (reference.type === 'plain') return NO_KEY
  if (reference.clientEncryption === 'reject') refuseEncryptionWishes(request.fields)
  const scope: ObjectScope = { bucket, bucketIdentity: reference.bucketIdentity, objectKey, version }
  switch (request.operation.keyUse) {
    case 'none':
      return NO_KEY
    case 'write':
      return whenKnown(reference.keyring.forWrite(scope), (dataKey) => ({ type: 'one', dataKey, scope }))
    case 'upload':
      return broughtByClient(request, reference, scope, pipeline, upload)
        ? NO_KEY
        : uploadPlan(reference, scope, pipeline, upload)
    case 'read':
      return { type: 'candidates', reference, scope, candidates: readAttempts(reference, scope, pipeline.memory) }
  }
}

/** @throws S3Error InvalidArgument, where a client asks for SSE-S3, SSE-KMS or the like */
function refuseEncryptionWishes(fields: Fields): void {
  const name = [...fields.keys()].find(isEncryptionWish)
  if (name === undefined) return
  throw new S3Error('InvalidArgument', {
    message:
      `Objects are encrypted with a customer key here, and ${name} asks for another encryption. Leave it out, or set ` +
      'clientEncryption: drop in the rule of this bucket.',
    extra: { ArgumentName: name },
  })
}

/**
 * An upload under the client's own key, which its id therefore does not name: clients send the key with every part, and
 * nothing with what comes after. Parts always take a key and must prove it.
 */
function broughtByClient(
  { operation }: AuthorizedRequest,
  { clientKeys }: Encrypted,
  scope: ObjectScope,
  { memory }: Pick<Pipeline, 'memory'>,
  upload: ReturnType<typeof unwrapUploadId> | undefined,
): boolean {
  if (clientKeys !== 'relay' || operation.proof || upload?.key !== 'unknown') return false
  return memory.getUpload(scope, upload.upstreamId) === 'unknown'
}

/** Parts get the key that the upload was created with, on whichever replica, whatever is active by now. */
function uploadPlan(
  reference: Encrypted,
  scope: ObjectScope,
  pipeline: Pick<Pipeline, 'memory'>,
  upload: ReturnType<typeof unwrapUploadId> | undefined,
): Soon<KeyPlan> {
  if (upload === undefined) throw new S3Error('InvalidArgument', { extra: { ArgumentName: 'uploadId' } })
  const remembered = pipeline.memory.getUpload(scope, upload.upstreamId)
  const known = upload.key !== 'unknown' ? upload.key : remembered
  // An id that no proxy gave (from ListMultipartUploads): the active version is the only fair guess, and S3 refuses a
  // part whose key is not the one of the upload's creation.
  if (known === 'unknown') {
    return whenKnown(reference.keyring.forWrite(scope), (dataKey) => ({ type: 'one', dataKey, scope }))
  }
  return whenKnown(candidateKey(reference, scope, known), (dataKey) => {
    if (dataKey !== 'unknown') return { type: 'one', dataKey, scope }
    throw new S3Error('NoSuchUpload', {
      cause: 'the upload id names a keyring or key version that the rule does not have',
    })
  })
}

function sourcePlan(
  request: AuthorizedRequest,
  bucket: Bucket,
  objectKey: ObjectKey,
  version: ObjectScope['version'],
  pipeline: Pick<Pipeline, 'rules' | 'memory'>,
  secureHop: boolean,
): KeyPlan {
  const reference = demandRule(pipeline, bucket, objectKey)
  if (hasCustomerKeys(request.fields, 'copy-source')) {
    const scope = { bucket, bucketIdentity: bucket, objectKey, version }
    return relayed(request, 'copy-source', reference, scope, secureHop)
  }
  return planToRead(reference, bucket, objectKey, version, pipeline)
}

/** The keys to try on an object that is there, whatever the request itself does to it. */
export function planToRead(
  reference: KeyReference,
  bucket: Bucket,
  objectKey: ObjectKey,
  version: ObjectScope['version'],
  { memory }: Pick<Pipeline, 'memory'>,
): KeyPlan {
  if (reference.type === 'plain') return NO_KEY
  const scope: ObjectScope = { bucket, bucketIdentity: reference.bucketIdentity, objectKey, version }
  return { type: 'candidates', reference, scope, candidates: readAttempts(reference, scope, memory) }
}

function demandRule(pipeline: Pick<Pipeline, 'rules'>, bucket: Bucket, objectKey: ObjectKey): KeyReference {
  const reference = selectKeys(pipeline.rules, bucket, objectKey)
  if (reference !== 'no-rule') return reference
  throw new S3Error('AccessDenied', {
    message: `Access Denied. No rule of the proxy says which keyring bucket ${bucket} belongs to; add one under rules.`,
    cause: 'no rule for this bucket and prefix',
  })
}

/** The client's own key: let through only where the rule says so, and only from a hop that may carry one. */
function relayed(
  { fields, rawQuery }: AuthorizedRequest,
  side: 'target' | 'copy-source',
  reference: KeyReference,
  scope: ObjectScope,
  secureHop: boolean,
): KeyPlan {
  if (reference.clientKeys === 'reject') {
    throw new S3Error('InvalidArgument', {
      message:
        "A client's own customer key is not taken here. Leave out the x-amz-server-side-encryption-customer-* headers, " +
        'or set clientKeys: relay in the rule of this bucket.',
      extra: { ArgumentName: 'x-amz-server-side-encryption-customer-algorithm' },
    })
  }
  if (!secureHop) {
    throw new S3Error('InvalidRequest', {
      message:
        'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
    })
  }
  // As it was sent: a presigned query of version 2 has given up its headers by now.
  if (customerKeyInQuery(parseQuery(rawQuery).keys())) {
    throw new S3Error('InvalidArgument', {
      message: 'A customer key is taken from headers only, never from the query of a presigned URL.',
      extra: { ArgumentName: 'x-amz-server-side-encryption-customer-key' },
    })
  }
  const plaintext = reference.type === 'plain' ? 'allow' : reference.plaintext
  return { type: 'relayed', key: parseClientKey(fields, side), scope, plaintext }
}

function versionOf(request: AuthorizedRequest): ObjectScope['version'] {
  const id = request.query.get('versionId')
  return id === undefined ? { type: 'latest' } : { type: 'id', versionId: parseVersionId(id) }
}
