import { createHash } from 'node:crypto'
import type { Call } from './call.js'
import { startChecksum } from './checksums.js'
import { contentMd5Of, promisedChecksum } from './ingest.js'
import { Refusal } from './refusal.js'
import { parseDocument, type XmlNode } from './xml.js'

const LIMIT = 2 * 1024 * 1024

/**
 * Reads a small XML document to its end and checks the digests that came with it. @throws Refusal
 *
 * @param checksums whose they are: of CompleteMultipartUpload they are the object's, and no concern of this
 */
export async function readDocument(
  call: Call,
  root: string,
  checksums: 'of-body' | 'of-object' = 'of-body',
): Promise<XmlNode> {
  return parseDocument(await readSmallBody(call, checksums), root)
}

/** Bytes of a body of up to 2 MiB. @throws Refusal MaxMessageLengthExceeded, BadDigest … */
export async function readSmallBody(call: Call, checksums: 'of-body' | 'of-object' = 'of-body'): Promise<Buffer> {
  const contentMd5 = contentMd5Of(call.fields)
  const promised = checksums === 'of-body' ? promisedChecksum(call.fields) : ({ type: 'none' } as const)
  const payload = call.openBody()
  const parts: Buffer[] = []
  let size = 0
  for await (const bytes of payload.bytes) {
    size += bytes.length
    if (size > LIMIT) throw new Refusal('MaxMessageLengthExceeded')
    parts.push(bytes)
  }
  const body = Buffer.concat(parts)
  if (contentMd5 !== undefined && !createHash('md5').update(body).digest().equals(contentMd5)) {
    throw new Refusal('BadDigest')
  }
  if (promised.type !== 'none') {
    const checksum = startChecksum(promised.algorithm)
    checksum.update(body)
    const value =
      promised.type === 'header' ? promised.value : payload.trailers.get(`x-amz-checksum-${promised.algorithm}`)
    if (value === undefined) throw new Refusal('MalformedTrailerError')
    if (checksum.digest() !== value) throw new Refusal('BadDigest')
  }
  return body
}
