import { createHash } from 'node:crypto'
import { protect, readPieces, startPiece } from '../at-rest.js'
import { isoDate, quoted, versionHeader, xmlAnswer, type Answer, type ObjectCall } from '../call.js'
import { checksumAlgorithm, startChecksum, type ChecksumAlgorithm } from '../checksums.js'
import { checkManagedEncryption, checkNotBlocked, proofHeaders, targetKey } from '../customer-key.js'
import { etagFor, kept } from '../ingest.js'
import type { Checksum, ObjectVersion, StoredHeaders } from '../model.js'
import { checkAcl, refuseUnbuilt, storageClassOf, storedHeaders, taggingOf } from '../object-headers.js'
import { checkWriteConditions } from '../preconditions.js'
import { invalidArgument, Refusal } from '../refusal.js'
import { checkRestored } from './restore-object.js'
import { lockOf } from './object-lock.js'
import { addVersion, currentObject, newVersionId } from '../versions.js'
import { document, leaf } from '../xml.js'
import { openCopySource, sourceVersionHeader, type CopySource } from './copy-source.js'
import { errorInside200 } from './error-inside-200.js'

export function copyObject(call: ObjectCall): Answer {
  const { bucket, objectKey, state } = call
  const customerKey = targetKey(call)
  checkManagedEncryption(call)
  checkNotBlocked(bucket, customerKey)
  checkAcl(call)
  refuseUnbuilt(call)
  const source = openCopySource(call)
  checkRestored(source.version, state.now())
  const replaceHeaders = directive(call, 'x-amz-metadata-directive') === 'REPLACE'
  const replaceTags = directive(call, 'x-amz-tagging-directive') === 'REPLACE'
  const changes = replaceHeaders || customerKey.type === 'given' || source.customerKey.type === 'given' || source.named
  if (!changes && !call.fields.has('x-amz-storage-class')) refuseSelfCopy(call, source)
  checkWriteConditions(call.fields, currentObject(bucket, objectKey), state)
  if (state.faults.errorInside200) return errorInside200()

  const algorithm = wantedChecksum(call, source.version)
  const piece = startPiece(customerKey)
  const md5 = createHash('md5')
  const running = algorithm === 'none' ? undefined : startChecksum(algorithm)
  for (const bytes of readPieces(source.version.pieces, source.customerKey, 0, source.version.size)) {
    md5.update(bytes)
    running?.update(bytes)
    piece.add(bytes)
  }
  const summed: Checksum =
    running === undefined || algorithm === 'none'
      ? { type: 'none' }
      : { type: 'checksum', algorithm, value: running.digest(), coverage: 'FULL_OBJECT' }
  const checksum = kept(summed, state)
  const copied = piece.finish()
  const version: ObjectVersion = {
    type: 'object',
    versionId: newVersionId(bucket),
    lastModified: state.now(),
    pieces: [copied],
    size: copied.size,
    protection: protect(customerKey),
    etag: etagFor(state, customerKey, md5.digest('hex')),
    headers: replaceHeaders ? storedHeaders(call) : copiedHeaders(call, source.version.headers),
    storageClass: storageClassOf(call),
    checksum,
    parts: [],
    tags: replaceTags ? taggingOf(call) : source.version.tags,
    lock: lockOf(call),
    restoredUntil: new Date(0),
  }
  addVersion(bucket, objectKey, version)
  return xmlAnswer(copyDocument('CopyObjectResult', quoted(state, version.etag), version.lastModified, checksum), {
    ...versionHeader(bucket, version),
    ...sourceVersionHeader(source),
    ...proofHeaders(call, customerKey),
  })
}

/** The body of a copy's answer. */
export function copyDocument(root: string, etag: string, lastModified: Date, checksum: Checksum): string {
  return document(root, leaf('LastModified', isoDate(lastModified)), leaf('ETag', etag), checksumElements(checksum))
}

/** `<ChecksumCRC32>` and the like, as listings and results have them. */
export function checksumElements(checksum: Checksum): string {
  if (checksum.type === 'none') return ''
  return leaf(`Checksum${checksum.algorithm.toUpperCase()}`, checksum.value) + leaf('ChecksumType', checksum.coverage)
}

/** The website redirect is not copied, but may be said anew. */
function copiedHeaders(call: ObjectCall, headers: StoredHeaders): StoredHeaders {
  const name = 'x-amz-website-redirect-location'
  const kept = Object.entries(headers).filter(([header]) => header !== name)
  const said = call.fields.get(name)
  return Object.fromEntries(said === undefined ? kept : [...kept, [name, said]])
}

function directive(call: ObjectCall, name: string): 'COPY' | 'REPLACE' {
  const value = call.fields.get(name) ?? 'COPY'
  if (value === 'COPY' || value === 'REPLACE') return value
  throw invalidArgument(name, value, 'Unknown metadata directive.')
}

function refuseSelfCopy(call: ObjectCall, source: CopySource): void {
  if (source.bucket !== call.bucket || source.objectKey !== call.objectKey) return
  throw new Refusal('InvalidRequest', {
    message:
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  })
}

/** The algorithm that the request asks for, or the source's. @throws Refusal InvalidRequest */
function wantedChecksum(call: ObjectCall, source: ObjectVersion): ChecksumAlgorithm | 'none' {
  const asked = call.fields.get('x-amz-checksum-algorithm')
  if (asked === undefined) return source.checksum.type === 'none' ? 'none' : source.checksum.algorithm
  const algorithm = checksumAlgorithm(asked)
  if (algorithm !== 'unknown') return algorithm
  throw new Refusal('InvalidRequest', { message: 'Checksum algorithm provided is unsupported.' })
}
