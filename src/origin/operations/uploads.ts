import { randomBytes } from 'node:crypto'
import { protect } from '../at-rest.js'
import { emptyAnswer, isoDate, xmlAnswer, type Answer, type BucketCall, type ObjectCall } from '../call.js'
import { checksumAlgorithm } from '../checksums.js'
import { checkManagedEncryption, checkNotBlocked, proofHeaders, targetKey } from '../customer-key.js'
import { OWNER, type BucketState, type Upload } from '../model.js'
import { checkAcl, refuseUnbuilt, storageClassOf, storedHeaders, taggingOf } from '../object-headers.js'
import { lockOf } from './object-lock.js'
import { Refusal } from '../refusal.js'
import { branch, document, leaf } from '../xml.js'
import { byBytes, groupByDelimiter, readListing } from './listing.js'

export function createMultipartUpload(call: ObjectCall): Answer {
  const { bucket, objectKey, state } = call
  const customerKey = targetKey(call)
  checkManagedEncryption(call)
  checkNotBlocked(bucket, customerKey)
  checkAcl(call)
  refuseUnbuilt(call)
  const upload: Upload = {
    uploadId: randomBytes(48).toString('base64url'),
    objectKey,
    initiated: state.now(),
    protection: protect(customerKey),
    headers: storedHeaders(call),
    storageClass: storageClassOf(call),
    tags: taggingOf(call),
    lock: lockOf(call),
    checksum: uploadChecksum(call),
    parts: new Map(),
  }
  bucket.uploads.set(upload.uploadId, upload)
  const { checksum } = upload
  const said =
    checksum.type === 'none'
      ? {}
      : { 'x-amz-checksum-algorithm': checksum.algorithm.toUpperCase(), 'x-amz-checksum-type': checksum.coverage }
  return xmlAnswer(
    document(
      'InitiateMultipartUploadResult',
      leaf('Bucket', bucket.name),
      leaf('Key', objectKey),
      leaf('UploadId', upload.uploadId),
    ),
    { ...proofHeaders(call, customerKey), ...said },
  )
}

/** What of the parts' checksums the object will have: CRC-64/NVME covers the whole object, the SHAs the parts' checksums. */
function uploadChecksum(call: ObjectCall): Upload['checksum'] {
  const asked = call.fields.get('x-amz-checksum-algorithm')
  const type = call.fields.get('x-amz-checksum-type')
  if (asked === undefined) {
    if (type === undefined) return { type: 'none' }
    throw new Refusal('InvalidRequest', {
      message: 'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    })
  }
  const algorithm = checksumAlgorithm(asked)
  if (algorithm === 'unknown') {
    throw new Refusal('InvalidRequest', { message: 'Checksum algorithm provided is unsupported.' })
  }
  const coverage = type ?? (algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE')
  const crc = algorithm.startsWith('crc')
  if (coverage === 'FULL_OBJECT' ? crc : coverage === 'COMPOSITE' && algorithm !== 'crc64nvme') {
    return { type: 'checksum', algorithm, coverage: coverage === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE' }
  }
  throw new Refusal('InvalidRequest', {
    message: `The ${coverage.slice(0, 20)} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
  })
}

/** The upload that a request names. @throws Refusal NoSuchUpload */
export function findUpload(call: ObjectCall): Upload {
  const uploadId = call.query.get('uploadId') ?? ''
  const upload = call.bucket.uploads.get(uploadId)
  if (upload?.objectKey !== call.objectKey) throw new Refusal('NoSuchUpload', { extra: { UploadId: uploadId } })
  return upload
}

export function abortMultipartUpload(call: ObjectCall): Answer {
  call.bucket.uploads.delete(findUpload(call).uploadId)
  return emptyAnswer(204)
}

export function listMultipartUploads(call: BucketCall): Answer {
  const { bucket, query } = call
  const listing = readListing(query, 'max-uploads')
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('upload-id-marker') ?? ''
  const uploads = sorted(bucket).filter((upload) => isAfter(upload, keyMarker, idMarker))
  const { entries, prefixes, next } = groupByDelimiter(uploads, (upload) => upload.objectKey, listing)
  const owner = leaf('ID', OWNER.id) + leaf('DisplayName', OWNER.name)
  return xmlAnswer(
    document(
      'ListMultipartUploadsResult',
      leaf('Bucket', bucket.name),
      leaf('KeyMarker', listing.show(keyMarker)),
      leaf('UploadIdMarker', idMarker),
      ...(next.type === 'more'
        ? [leaf('NextKeyMarker', listing.show(next.name)), leaf('NextUploadIdMarker', next.entry?.uploadId ?? '')]
        : []),
      leaf('Prefix', listing.show(listing.prefix)),
      listing.delimiter === '' ? '' : leaf('Delimiter', listing.show(listing.delimiter)),
      listing.encodingElement,
      leaf('MaxUploads', listing.limit),
      leaf('IsTruncated', next.type === 'more'),
      ...entries.map((upload) =>
        branch(
          'Upload',
          leaf('Key', listing.show(upload.objectKey)),
          leaf('UploadId', upload.uploadId),
          branch('Initiator', owner),
          branch('Owner', owner),
          leaf('StorageClass', upload.storageClass),
          leaf('Initiated', isoDate(upload.initiated)),
        ),
      ),
      ...prefixes.map((prefix) => branch('CommonPrefixes', leaf('Prefix', listing.show(prefix)))),
    ),
  )
}

function sorted(bucket: BucketState): readonly Upload[] {
  return [...bucket.uploads.values()].sort(
    (a, b) => byBytes(a.objectKey, b.objectKey) || byBytes(a.uploadId, b.uploadId),
  )
}

function isAfter(upload: Upload, keyMarker: string, idMarker: string): boolean {
  const order = byBytes(upload.objectKey, keyMarker)
  return order > 0 || (order === 0 && keyMarker !== '' && idMarker !== '' && byBytes(upload.uploadId, idMarker) > 0)
}
