import { createHash } from 'node:crypto'
import { readPieces, startPiece } from '../at-rest.js'
import { emptyAnswer, isoDate, quoted, xmlAnswer, type Answer, type ObjectCall } from '../call.js'
import { startChecksum, type ChecksumAlgorithm } from '../checksums.js'
import { checkNotBlocked, checkUploadKey, proofHeaders, targetKey } from '../customer-key.js'
import { etagFor, ingest, promisedChecksum } from '../ingest.js'
import { OWNER, type Checksum, type Upload } from '../model.js'
import { invalidArgument, Refusal } from '../refusal.js'
import { branch, document, leaf } from '../xml.js'
import { checksumElements, copyDocument } from './copy-object.js'
import { openCopySource, sourceVersionHeader } from './copy-source.js'
import { errorInside200 } from './error-inside-200.js'
import { checksumHeaders } from './put-object.js'
import { findUpload } from './uploads.js'

export async function uploadPart(call: ObjectCall): Promise<Answer> {
  const upload = findUpload(call)
  const partNumber = partNumberOf(call)
  const customerKey = targetKey(call)
  checkUploadKey(customerKey, upload.protection)
  checkNotBlocked(call.bucket, customerKey)
  const algorithm = partAlgorithm(call, upload)

  const { piece, md5, checksum } = await ingest(call, customerKey, algorithm)
  const etag = etagFor(call.state, customerKey, md5)
  findUpload(call)
  upload.parts.set(partNumber, { partNumber, etag, piece, checksum, lastModified: call.state.now() })
  return emptyAnswer(200, {
    etag: quoted(call.state, etag),
    ...proofHeaders(call, customerKey),
    ...withoutType(checksumHeaders(checksum)),
  })
}

/** A copy's bytes, or a range of them, as one part. */
export function uploadPartCopy(call: ObjectCall): Answer {
  const upload = findUpload(call)
  const partNumber = partNumberOf(call)
  const customerKey = targetKey(call)
  checkUploadKey(customerKey, upload.protection)
  checkNotBlocked(call.bucket, customerKey)
  const source = openCopySource(call)
  const { start, end } = copyRange(call, source.version.size)
  if (call.state.faults.errorInside200) return errorInside200()

  const algorithm = upload.checksum.type === 'none' ? 'none' : upload.checksum.algorithm
  const piece = startPiece(customerKey)
  const md5 = createHash('md5')
  const running = algorithm === 'none' ? undefined : startChecksum(algorithm)
  for (const bytes of readPieces(source.version.pieces, source.customerKey, start, end)) {
    md5.update(bytes)
    running?.update(bytes)
    piece.add(bytes)
  }
  const checksum: Checksum =
    running === undefined || algorithm === 'none'
      ? { type: 'none' }
      : { type: 'checksum', algorithm, value: running.digest(), coverage: 'FULL_OBJECT' }
  const etag = etagFor(call.state, customerKey, md5.digest('hex'))
  const lastModified = call.state.now()
  upload.parts.set(partNumber, { partNumber, etag, piece: piece.finish(), checksum, lastModified })
  return xmlAnswer(copyDocument('CopyPartResult', quoted(call.state, etag), lastModified, checksum), {
    ...proofHeaders(call, customerKey),
    ...sourceVersionHeader(source),
  })
}

export function listParts(call: ObjectCall): Answer {
  const upload = findUpload(call)
  if (upload.checksum.type !== 'none') checkUploadKey(targetKey(call), upload.protection)
  const marker = Number(call.query.get('part-number-marker') ?? 0)
  const limit = Math.min(Number(call.query.get('max-parts') ?? 1000), 1000)
  if (!Number.isInteger(marker) || marker < 0) {
    throw invalidArgument(
      'part-number-marker',
      String(marker),
      'Argument part-number-marker must be an integer between 0 and 2147483647',
    )
  }
  if (!Number.isInteger(limit) || limit < 0) {
    throw invalidArgument('max-parts', String(limit), 'Argument max-parts must be an integer between 0 and 2147483647')
  }
  const after = [...upload.parts.values()]
    .sort((a, b) => a.partNumber - b.partNumber)
    .filter((part) => part.partNumber > marker)
  const page = after.slice(0, limit)
  const owner = leaf('ID', OWNER.id) + leaf('DisplayName', OWNER.name)
  return xmlAnswer(
    document(
      'ListPartsResult',
      leaf('Bucket', call.bucket.name),
      leaf('Key', call.objectKey),
      leaf('UploadId', upload.uploadId),
      branch('Initiator', owner),
      branch('Owner', owner),
      leaf('StorageClass', upload.storageClass),
      leaf('PartNumberMarker', marker),
      leaf('NextPartNumberMarker', page.at(-1)?.partNumber ?? 0),
      leaf('MaxParts', limit),
      leaf('IsTruncated', after.length > page.length),
      upload.checksum.type === 'none'
        ? ''
        : leaf('ChecksumAlgorithm', upload.checksum.algorithm.toUpperCase()) +
            leaf('ChecksumType', upload.checksum.coverage),
      ...page.map((part) =>
        branch(
          'Part',
          leaf('PartNumber', part.partNumber),
          leaf('LastModified', isoDate(part.lastModified)),
          leaf('ETag', quoted(call.state, part.etag)),
          leaf('Size', part.piece.size),
          part.checksum.type === 'none'
            ? ''
            : leaf(`Checksum${part.checksum.algorithm.toUpperCase()}`, part.checksum.value),
        ),
      ),
    ),
  )
}

/** @throws Refusal InvalidArgument */
function partNumberOf(call: ObjectCall): number {
  const text = call.query.get('partNumber') ?? ''
  const partNumber = Number(text)
  if (/^\d{1,5}$/.test(text) && partNumber >= 1 && partNumber <= 10_000) return partNumber
  throw invalidArgument('partNumber', text, 'Part number must be an integer between 1 and 10000, inclusive')
}

/** What a part is summed with: the upload's algorithm. @throws Refusal InvalidRequest where the part brings another */
function partAlgorithm(call: ObjectCall, upload: Upload): ChecksumAlgorithm | 'none' {
  const algorithm = upload.checksum.type === 'none' ? 'none' : upload.checksum.algorithm
  const promised = promisedChecksum(call.fields)
  const actual = promised.type === 'none' ? 'none' : promised.algorithm
  // a checksum of parts' checksums needs every part's from its sender
  const needed = upload.checksum.type !== 'none' && upload.checksum.coverage === 'COMPOSITE'
  if ((actual !== 'none' || needed) && actual !== algorithm) {
    const named = (name: ChecksumAlgorithm | 'none') => (name === 'none' ? 'null' : name)
    throw new Refusal('InvalidRequest', {
      message: `Checksum Type mismatch occurred, expected checksum Type: ${named(algorithm)}, actual checksum Type: ${named(actual)}`,
    })
  }
  return algorithm
}

function copyRange(call: ObjectCall, size: number): { readonly start: number; readonly end: number } {
  const header = call.fields.get('x-amz-copy-source-range')
  if (header === undefined) return { start: 0, end: size }
  const found = /^bytes=(\d+)-(\d+)$/.exec(header)
  const start = Number(found?.[1])
  const end = Number(found?.[2]) + 1
  if (found === null || start >= end) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      header,
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    )
  }
  if (end > size) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      header,
      `Range specified is not valid for source object of size: ${size}`,
    )
  }
  return { start, end }
}

function withoutType(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'x-amz-checksum-type'))
}

/** For GetObjectAttributes and completion: one part's checksum in a document. */
export function partChecksumElement(checksum: Checksum): string {
  return checksum.type === 'none' ? '' : checksumElements(checksum).replace(/<ChecksumType>.*/, '')
}
