import type { AuthorizedRequest, ClassifiedRequest, Pipeline } from './messages.js'
import { decoder } from './rewrite-body.js'
import type { Readable } from 'node:stream'
import type { RequestRecord } from './record.js'
import type { Soon } from '../keyring/port.js'
import { S3Error } from '../s3/error.js'
import { bucketETagPolicy } from '../keyring/select.js'
import { createHash } from 'node:crypto'
import { checksumLength, compareChecksum, startChecksum } from '../sigv4/trailing-checksum.js'
import { demand } from './authorize.js'
import { formatDeleteRequest, parseDeleteRequest } from '../s3/delete-request.js'
import { resolveETag } from '../s3/etag.js'
import { resolveETagsInXml } from '../s3/complete-request.js'
import { restoreWritesElsewhere } from '../s3/restore-request.js'
import { steppedBody } from './stepped-body.js'
import { authorized } from './stage-requests.js'
import { whenKnown } from '../keyring/soon.js'

/** S3's largest document, CompleteMultipartUpload with 10,000 parts and a checksum each, is below 3 MiB. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024

/**
 * Ends the fourth stage: small documents whose content decides something are read whole, verified, and checked; so is a body of
 * no bytes whose signature is in its framing, because nothing could be held back of it later. Every other body stays
 * where it is.
 *
 * @throws S3Error XAmzContentSHA256Mismatch, BadDigest, IncompleteBody, MalformedXML, MaxMessageLengthExceeded,
 *   AccessDenied (a batch delete names an object that the identity may not delete), NotImplemented (a restore that
 *   would make S3 write objects without the customer key)
 */
export function readDocument(
  request: ClassifiedRequest,
  pipeline: Pick<Pipeline, 'rules'>,
  openBody: () => Readable,
  record: Pick<RequestRecord, 'deletes'>,
): Soon<AuthorizedRequest> {
  const { operation, payload } = request
  const emptySigned =
    'decodedLength' in payload && payload.decodedLength === 0 && payload.type.startsWith('streaming-signed')
  const withDocument = (bytes: Buffer): AuthorizedRequest => authorized(request, { type: 'read', bytes })
  if (operation.body !== 'xml') {
    if (!emptySigned || operation.body === 'none') return authorized(request, NO_DOCUMENT)
    return readVerified(request, openBody()).then(withDocument)
  }
  const bytes = request.length === 0 ? Buffer.alloc(0) : readVerified(request, openBody())
  return whenKnown(bytes, (read) => withDocument(checked(request, read, pipeline, record)))
}

const NO_DOCUMENT = { type: 'none' } as const

/** Checks what the document asks for; gives it back with the upstream's ETags. */
function checked(
  request: ClassifiedRequest,
  bytes: Buffer,
  pipeline: Pick<Pipeline, 'rules'>,
  record: Pick<RequestRecord, 'deletes'>,
): Buffer {
  const { operation, target, identity } = request
  if (target.type === 'service') return bytes
  const { bucket } = target
  const marked = bucketETagPolicy(pipeline.rules, bucket) !== 'passthrough'
  if (operation.name === 'DeleteObjects') {
    const { objects, quiet } = parseDeleteRequest(bytes)
    record.deletes = objects
    for (const { objectKey } of objects) demand(identity, 'delete', { type: 'object', bucket, objectKey })
    const resolved = objects.map(({ etag, ...entry }) =>
      etag === undefined ? entry : { ...entry, etag: marked ? resolveETag(etag) : etag },
    )
    // Written anew: what S3 deletes is then exactly what was checked, however it reads the client's document.
    return formatDeleteRequest({ objects: resolved, quiet })
  }
  if (operation.name === 'RestoreObject' && restoreWritesElsewhere(bytes.toString('utf8'))) {
    throw new S3Error('NotImplemented', {
      message: 'RestoreObject with an output location would make S3 write objects without the customer key.',
    })
  }
  return operation.name === 'CompleteMultipartUpload' && marked ? resolveETagsInXml(bytes, resolveETag) : bytes
}

async function readVerified(request: ClassifiedRequest, body: Readable): Promise<Buffer> {
  const { payload } = request
  const framed = payload.type !== 'hashed' && payload.type !== 'unsigned'
  const bytes = await readBounded(framed ? steppedBody(body, decoder(request, 'verify')) : body)
  if (payload.type === 'hashed') verifySha256(bytes, payload.sha256)
  const md5 = request.fields.get('content-md5')
  if (md5 !== undefined && md5 !== createHash('md5').update(bytes).digest('base64')) throw new S3Error('BadDigest')
  if (request.operation.name === 'DeleteObjects') await verifyChecksums(request, bytes)
  return bytes
}

function verifySha256(bytes: Buffer, signed: string): void {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (signed.toLowerCase() === sha256) return
  throw new S3Error('XAmzContentSHA256Mismatch', {
    extra: { ClientComputedContentSHA256: signed, S3ComputedContentSHA256: sha256 },
  })
}

/** Checksum headers of a document that will be written anew, so that S3 cannot check them. */
async function verifyChecksums(request: ClassifiedRequest, bytes: Buffer): Promise<void> {
  for (const [name, value] of request.fields) {
    if (checksumLength(name) === 'unknown') continue
    const running = startChecksum(name)
    running.update(bytes)
    compareChecksum(name, value, await running.digest())
  }
}

async function readBounded(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_DOCUMENT_BYTES) throw new S3Error('MaxMessageLengthExceeded')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
