import { createHash, randomBytes } from 'node:crypto'
import { readPieces, type CustomerKey } from '../at-rest.js'
import { quoted, versionHeader, xmlAnswer, type Answer, type ObjectCall } from '../call.js'
import { compositeChecksum, startChecksum } from '../checksums.js'
import { checkUploadKey, proofHeaders, targetKey } from '../customer-key.js'
import { kept } from '../ingest.js'
import type { Checksum, ObjectVersion, Upload, UploadedPart } from '../model.js'
import { checkWriteConditions } from '../preconditions.js'
import { Refusal } from '../refusal.js'
import { readDocument } from '../request-document.js'
import { addVersion, currentObject, newVersionId } from '../versions.js'
import { childrenOf, document, leaf, textOf, type XmlNode } from '../xml.js'
import { checksumElements } from './copy-object.js'
import { errorInside200 } from './error-inside-200.js'
import { findUpload } from './uploads.js'

export async function completeMultipartUpload(call: ObjectCall): Promise<Answer> {
  const { bucket, objectKey, state } = call
  const root = await readDocument(call, 'CompleteMultipartUpload', 'of-object')
  const upload = findUpload(call)
  const customerKey = targetKey(call)
  // the parts' checksums are made of plaintext: S3 wants the key where there are any
  if (upload.checksum.type !== 'none' || customerKey.type === 'given') checkUploadKey(customerKey, upload.protection)
  checkWriteConditions(call.fields, currentObject(bucket, objectKey), state)
  const parts = chosenParts(call, upload, childrenOf(root, 'Part'))
  if (state.faults.errorInside200) return errorInside200()

  const checksum = kept(objectChecksum(call, upload, parts, customerKey), state)
  const version: ObjectVersion = {
    type: 'object',
    versionId: newVersionId(bucket),
    lastModified: state.now(),
    pieces: parts.map((part) => part.piece),
    size: parts.reduce((sum, part) => sum + part.piece.size, 0),
    protection: upload.protection,
    etag: multipartEtag(call, upload, parts),
    headers: upload.headers,
    storageClass: upload.storageClass,
    checksum,
    parts: parts.map(({ partNumber, piece, checksum: sum }) => ({ partNumber, size: piece.size, checksum: sum })),
    tags: upload.tags,
    lock: upload.lock,
    restoredUntil: new Date(0),
  }
  addVersion(bucket, objectKey, version)
  bucket.uploads.delete(upload.uploadId)
  const place = `https://${call.fields.get('host') ?? ''}/${bucket.name}/${objectKey}`
  return xmlAnswer(
    document(
      'CompleteMultipartUploadResult',
      leaf('Location', place),
      leaf('Bucket', bucket.name),
      leaf('Key', objectKey),
      leaf('ETag', quoted(state, version.etag)),
      checksumElements(checksum),
    ),
    { ...versionHeader(bucket, version), ...(customerKey.type === 'given' ? proofHeaders(call, customerKey) : {}) },
  )
}

/**
 * The uploaded parts that the document lists. Those with a checksum each are numbered from 1 on, without gaps.
 *
 * @throws Refusal InvalidPart, InvalidPartOrder, EntityTooSmall
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompletedPart.html
 */
function chosenParts(call: ObjectCall, upload: Upload, listed: readonly XmlNode[]): readonly UploadedPart[] {
  if (listed.length === 0 || listed.length > 10_000) throw new Refusal('MalformedXML')
  const numbers = listed.map((node) => Number(textOf(node, 'PartNumber')))
  const { checksum } = upload
  const gapless = checksum.type !== 'none' && checksum.coverage === 'COMPOSITE'
  const isWrong = (number: number, index: number) =>
    gapless ? number !== index + 1 : index > 0 && number <= (numbers[index - 1] ?? 0)
  if (numbers.some(isWrong)) {
    throw new Refusal('InvalidPartOrder', { extra: { UploadId: upload.uploadId } })
  }
  return listed.map((node, index) => {
    const partNumber = numbers[index] ?? 0
    checkSummed(upload, node, partNumber)
    const part = upload.parts.get(partNumber)
    const etag = textOf(node, 'ETag').replaceAll('"', '')
    if (part === undefined || call.state.faults.rewriteEtag(part.etag) !== etag || !sumsFit(part, node)) {
      throw new Refusal('InvalidPart', {
        extra: { UploadId: upload.uploadId, PartNumber: String(partNumber), ETag: etag.slice(0, 200) },
      })
    }
    if (index < listed.length - 1 && part.piece.size < call.state.minimumPartSize) {
      throw new Refusal('EntityTooSmall', {
        extra: {
          ProposedSize: String(part.piece.size),
          MinSizeAllowed: String(call.state.minimumPartSize),
          PartNumber: String(partNumber),
          ETag: etag,
        },
      })
    }
    return part
  })
}

/** A checksum of parts' checksums needs them once more at the end. @throws Refusal InvalidRequest */
function checkSummed({ checksum }: Upload, node: XmlNode, partNumber: number): void {
  if (checksum.type === 'none' || checksum.coverage !== 'COMPOSITE') return
  if (node.children.some((child) => child.name.startsWith('Checksum'))) return
  throw new Refusal('InvalidRequest', {
    message: `The upload was created using a ${checksum.algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
  })
}

/** A checksum that the document names must be the part's. */
function sumsFit(part: UploadedPart, node: XmlNode): boolean {
  const named = node.children.filter((child) => child.name.startsWith('Checksum'))
  const { checksum } = part
  return named.every(
    (child) =>
      checksum.type === 'checksum' &&
      child.name === `Checksum${checksum.algorithm.toUpperCase()}` &&
      child.text === checksum.value,
  )
}

function multipartEtag(call: ObjectCall, upload: Upload, parts: readonly UploadedPart[]): string {
  if (upload.protection.type === 'customer-key' && !call.state.faults.plaintextEtags) {
    return `${randomBytes(16).toString('hex')}-${parts.length}`
  }
  const md5 = createHash('md5')
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'))
  return `${md5.digest('hex')}-${parts.length}`
}

function objectChecksum(
  call: ObjectCall,
  upload: Upload,
  parts: readonly UploadedPart[],
  customerKey: CustomerKey,
): Checksum {
  const wanted = upload.checksum
  if (wanted.type === 'none') return { type: 'none' }
  const value =
    wanted.coverage === 'COMPOSITE'
      ? compositeChecksum(
          wanted.algorithm,
          parts.map((part) => (part.checksum.type === 'none' ? '' : part.checksum.value)),
        )
      : wholeChecksum(wanted.algorithm, parts, customerKey)
  const claimed = call.fields.get(`x-amz-checksum-${wanted.algorithm}`)
  if (claimed !== undefined && claimed.replace(/-\d+$/, '') !== value.replace(/-\d+$/, '')) {
    throw new Refusal('BadDigest', {
      message: `The ${wanted.algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    })
  }
  return { type: 'checksum', algorithm: wanted.algorithm, value, coverage: wanted.coverage }
}

function wholeChecksum(
  algorithm: Extract<Upload['checksum'], { type: 'checksum' }>['algorithm'],
  parts: readonly UploadedPart[],
  customerKey: CustomerKey,
): string {
  const running = startChecksum(algorithm)
  const size = parts.reduce((sum, part) => sum + part.piece.size, 0)
  const pieces = parts.map((part) => part.piece)
  for (const bytes of readPieces(pieces, customerKey, 0, size)) running.update(bytes)
  return running.digest()
}
