import { bareETag, md5ETag } from './md5-etag.js'
import { rewriteWhole } from './xml-rewrite.js'
import { showETag } from './etag.js'

const CHECKSUM = /<ChecksumMD5>([^<]{1,64})<\/ChecksumMD5>/
const PART = /<Part>.*?<\/Part>/gs

/**
 * The small documents that say an ETag and, behind it, the checksum of the same bytes (CopyObject, UploadPartCopy,
 * CompleteMultipartUpload, and ListParts for each part): the MD5 is shown where it is said, else the opaque form.
 */
export function showETagsIn(document: Buffer, operation: string): Buffer {
  if (operation !== 'ListParts') return shown(document)
  const text = document.toString('latin1')
  return Buffer.from(
    text.replace(PART, (part) => shown(Buffer.from(part, 'latin1')).toString('latin1')),
    'latin1',
  )
}

function shown(document: Buffer): Buffer {
  const md5 = md5ETag(CHECKSUM.exec(document.toString('latin1'))?.[1])
  const show = (raw: string): string =>
    md5 === 'none' || bareETag(raw) === '' ? showETag(raw) : raw.replace(bareETag(raw), md5)
  return rewriteWhole(document, { ETag: show })
}
