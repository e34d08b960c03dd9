import { protect } from '../at-rest.js'
import { emptyAnswer, quoted, versionHeader, type Answer, type ObjectCall } from '../call.js'
import { checkManagedEncryption, checkNotBlocked, proofHeaders, targetKey } from '../customer-key.js'
import { etagFor, ingest, promisedChecksum } from '../ingest.js'
import type { Checksum, ObjectVersion } from '../model.js'
import { checkAcl, refuseUnbuilt, storageClassOf, storedHeaders, taggingOf } from '../object-headers.js'
import { checkWriteConditions } from '../preconditions.js'
import { NO_LOCK, lockOf } from './object-lock.js'
import { Refusal } from '../refusal.js'
import { addVersion, currentObject, newVersionId } from '../versions.js'

export async function putObject(call: ObjectCall): Promise<Answer> {
  const { bucket, objectKey, state } = call
  const customerKey = targetKey(call)
  checkManagedEncryption(call)
  checkNotBlocked(bucket, customerKey)
  checkAcl(call)
  refuseUnbuilt(call)
  const headers = storedHeaders(call)
  const tags = taggingOf(call)
  const lock = lockOf(call)
  if (lock !== NO_LOCK && !hasChecksum(call)) {
    throw new Refusal('InvalidRequest', {
      message:
        'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    })
  }
  const storageClass = storageClassOf(call)
  checkWriteConditions(call.fields, currentObject(bucket, objectKey), state)

  const { piece, md5, checksum } = await ingest(call, customerKey)
  checkWriteConditions(call.fields, currentObject(bucket, objectKey), state)
  const version: ObjectVersion = {
    type: 'object',
    versionId: newVersionId(bucket),
    lastModified: state.now(),
    pieces: [piece],
    size: piece.size,
    protection: protect(customerKey),
    etag: etagFor(state, customerKey, md5),
    headers,
    storageClass,
    checksum,
    parts: [],
    tags,
    lock,
    restoredUntil: new Date(0),
  }
  addVersion(bucket, objectKey, version)
  return emptyAnswer(200, {
    etag: quoted(state, version.etag),
    ...versionHeader(bucket, version),
    ...proofHeaders(call, customerKey),
    ...checksumHeaders(checksum),
  })
}

const hasChecksum = ({ fields }: ObjectCall): boolean =>
  fields.has('content-md5') || promisedChecksum(fields).type !== 'none'

/** What answers to writes, and to reads that ask for it, say of the additional checksum. */
export function checksumHeaders(checksum: Checksum): Record<string, string> {
  if (checksum.type === 'none') return {}
  return { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': checksum.coverage }
}
