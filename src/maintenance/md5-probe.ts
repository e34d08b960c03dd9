import { createHash, type KeyObject } from 'node:crypto'
import { formatCopySource } from '../s3/copy-source.js'
import { copySourceHeaders, customerKeyMD5, provesEncryption, targetHeaders } from '../s3/customer-key.js'
import { formatCompletedParts } from '../s3/completed-parts.js'
import { MD5_CHECKSUM } from '../s3/md5-etag.js'
import { type Bucket, type ObjectKey, parseBucket } from '../s3/names.js'
import { chunkEncoder } from '../sigv4/chunk-encoder.js'
import { UNSIGNED_TRAILER } from '../sigv4/payload-mode.js'
import type { MaintenanceAnswer, MaintenanceRequest, UpstreamAccess } from './access.js'
import { MaintenanceError, refusedBy } from './error.js'
import { notWritable, probeName, type RandomBytes, randomKey, removeVersions, versionOf } from './throw-away.js'
import { type XmlElement, childrenOf, readTree, textOf } from './xml-tree.js'

const CONTENT = Buffer.from('ssec-proxy probe of MD5 checksums')
const OTHER = Buffer.from('other bytes than those that are sent')

/** What the probe needs of the world. */
export interface MD5Probe {
  readonly access: Pick<UpstreamAccess, 'send'>
  readonly bucket: string
  readonly randomBytes: RandomBytes
}

/**
 * Tries with a throw-away object whether the upstream keeps the MD5 of content under a customer key and tells it again, in all the
 * ways that the `md5` policy of ETags uses: as a header and as a trailer, checked against the content; read back by HEAD and GET;
 * made by a copy; and of an upload in parts, as the MD5 of its parts' MD5s. The object is removed in the end.
 *
 * @returns names of what could not be removed
 * @throws MaintenanceError with what does not hold
 */
export async function probeMD5(probe: MD5Probe): Promise<readonly string[]> {
  const { access, randomBytes } = probe
  const bucket = parseBucket(probe.bucket)
  const objectKey = probeName('', randomBytes)
  const versions = new Set<string>()
  const at: Trial = { access, bucket, objectKey, key: randomKey(randomBytes), versions }
  const remove = async () => (await removeVersions(access, bucket, objectKey, versions)).map(() => objectKey)
  try {
    await probeHeader(at)
    await probeTrailer(at)
    await probeCopy(at)
    await probeUpload(at)
  } catch (error) {
    const left = await remove().catch(() => [objectKey])
    if (left.length === 0 || !(error instanceof MaintenanceError)) throw error
    throw new MaintenanceError(`${error.message} (and ${objectKey} could not be removed: remove it by hand)`, {
      cause: error,
    })
  }
  return remove()
}

interface Trial {
  readonly access: Pick<UpstreamAccess, 'send'>
  readonly bucket: Bucket
  readonly objectKey: ObjectKey
  readonly key: KeyObject
  /** Of all that was written. */
  readonly versions: Set<string>
}

type Asked = Pick<MaintenanceRequest, 'method'> & Partial<Omit<MaintenanceRequest, 'target'>>

function send({ access, bucket, objectKey, key }: Trial, { method, query, headers, body }: Asked) {
  return access.send({
    method,
    target: { type: 'object', bucket, objectKey },
    query: query ?? new Map(),
    headers: { ...targetHeaders(key), ...headers },
    body: body ?? 'none',
  })
}

async function probeHeader(at: Trial): Promise<void> {
  const md5 = md5Of(CONTENT)
  const headers = { 'content-md5': md5, [MD5_CHECKSUM]: md5 }
  const written = noted(at, await send(at, { method: 'PUT', body: CONTENT, headers }))
  if (written.status !== 200) throw notWritable(written)
  checkProof('PutObject', written, at)
  expectMD5('PutObject with x-amz-checksum-md5', written, md5)
  await checkReadBack('x-amz-checksum-md5 as a header', at, md5)
  const wrong = noted(at, await send(at, { method: 'PUT', body: CONTENT, headers: { [MD5_CHECKSUM]: md5Of(OTHER) } }))
  if (wrong.status < 300) throw failed('PutObject takes an x-amz-checksum-md5 that is not that of the content')
}

async function probeTrailer(at: Trial): Promise<void> {
  const md5 = md5Of(CONTENT)
  const written = noted(at, await send(at, { method: 'PUT', ...(await trailed(md5)) }))
  if (written.status !== 200) throw refusedBy('PutObject with x-amz-checksum-md5 as a trailer', written)
  checkProof('PutObject', written, at)
  expectMD5('PutObject with x-amz-checksum-md5 as a trailer', written, md5)
  await checkReadBack('x-amz-checksum-md5 as a trailer', at, md5)
  const wrong = noted(at, await send(at, { method: 'PUT', ...(await trailed(md5Of(OTHER))) }))
  if (wrong.status < 300) throw failed('PutObject takes a trailing x-amz-checksum-md5 that is not that of the content')
}

async function probeCopy(at: Trial): Promise<void> {
  const { bucket, objectKey, key } = at
  const headers = {
    'x-amz-copy-source': formatCopySource({ bucket, objectKey, version: { type: 'latest' } }),
    'x-amz-checksum-algorithm': 'MD5',
    ...copySourceHeaders(key),
  }
  const copied = noted(at, await send(at, { method: 'PUT', headers }))
  if (copied.status !== 200 || copied.code !== 'none')
    throw refusedBy('CopyObject with x-amz-checksum-algorithm: MD5', copied)
  expectElement('CopyObject', readTree(copied.body, 'CopyObjectResult'), md5Of(CONTENT))
  await checkReadBack('a copy', at, md5Of(CONTENT))
}

async function probeUpload(at: Trial): Promise<void> {
  const created = await send(at, {
    method: 'POST',
    query: new Map([['uploads', '']]),
    headers: { 'x-amz-checksum-algorithm': 'MD5', 'x-amz-checksum-type': 'COMPOSITE' },
  })
  if (created.status !== 200) throw refusedBy('CreateMultipartUpload with x-amz-checksum-algorithm: MD5', created)
  const uploadId = textOf(readTree(created.body, 'InitiateMultipartUploadResult'), 'UploadId')
  try {
    await probeParts(at, uploadId)
  } catch (error) {
    await send(at, { method: 'DELETE', query: new Map([['uploadId', uploadId]]) }).catch(() => undefined)
    throw error
  }
}

async function probeParts(at: Trial, uploadId: string): Promise<void> {
  const md5 = md5Of(CONTENT)
  const upload = new Map([['uploadId', uploadId]])
  const query = new Map([...upload, ['partNumber', '1']])
  const part = await send(at, { method: 'PUT', query, ...(await trailed(md5)) })
  if (part.status !== 200) throw refusedBy('UploadPart with x-amz-checksum-md5 as a trailer', part)
  expectMD5('UploadPart', part, md5)
  const listed = await send(at, { method: 'GET', query: upload })
  if (listed.status !== 200) throw refusedBy('ListParts', listed)
  const [first] = childrenOf(readTree(listed.body, 'ListPartsResult'), 'Part')
  if (first === undefined) throw failed('ListParts does not list the part that was uploaded')
  expectElement('ListParts', first, md5)
  const etag = textOf(first, 'ETag')
  const document = formatCompletedParts([
    [
      ['PartNumber', '1'],
      ['ETag', etag],
      ['ChecksumMD5', md5],
    ],
  ])
  const completed = noted(at, await send(at, { method: 'POST', query: upload, body: document }))
  if (completed.status !== 200 || completed.code !== 'none') {
    throw refusedBy('CompleteMultipartUpload with ChecksumMD5', completed)
  }
  const composite = `${md5Of(Buffer.from(md5, 'base64'))}-1`
  expectElement('CompleteMultipartUpload', readTree(completed.body, 'CompleteMultipartUploadResult'), composite)
  await checkReadBack('an upload in parts', at, composite)
}

async function checkReadBack(what: string, at: Trial, md5: string): Promise<void> {
  for (const method of ['HEAD', 'GET'] as const) {
    const read = await send(at, { method, headers: { 'x-amz-checksum-mode': 'ENABLED' } })
    if (read.status !== 200) throw refusedBy(`${method} of the probe object`, read)
    checkProof(method, read, at)
    expectMD5(`${method} with x-amz-checksum-mode: ENABLED, after ${what},`, read, md5)
    const coding = read.fields.get('content-encoding') ?? ''
    const length = Number(read.fields.get('content-length'))
    if (
      coding.includes('aws-chunked') ||
      length !== CONTENT.length ||
      (method === 'GET' && !read.body.equals(CONTENT))
    ) {
      throw failed(`${method} gives back another object than was written, after ${what}`)
    }
  }
}

/** A body with its checksum, right or wrong, behind it. */
async function trailed(md5: string): Promise<Pick<MaintenanceRequest, 'headers' | 'body'>> {
  const encoder = chunkEncoder({ decodedLength: CONTENT.length, trailer: MD5_CHECKSUM })
  if (encoder === 'unknown-trailer') throw new TypeError('MD5 is no checksum')
  const encoding = encoder.step(() => new Map([[MD5_CHECKSUM, md5]]))
  const framed: Buffer[] = []
  const keep = (bytes: Buffer): void => void framed.push(bytes)
  encoding.piece(CONTENT, keep)
  await encoding.end(keep)
  return {
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': UNSIGNED_TRAILER,
      'x-amz-decoded-content-length': String(CONTENT.length),
      'x-amz-trailer': MD5_CHECKSUM,
    },
    body: Buffer.concat(framed),
  }
}

const md5Of = (bytes: Buffer): string => createHash('md5').update(bytes).digest('base64')

/** Whatever a write made is to be removed, also where it should not have been made. */
function noted({ versions }: Trial, answer: MaintenanceAnswer): MaintenanceAnswer {
  if (answer.status < 300) versions.add(versionOf(answer))
  return answer
}

function checkProof(what: string, { fields }: MaintenanceAnswer, { key }: Trial): void {
  if (provesEncryption(fields, customerKeyMD5(key)) === 'proven') return
  throw new MaintenanceError(`the upstream answers ${what} without a proof of encryption with the customer key`)
}

function expectMD5(what: string, { fields }: MaintenanceAnswer, md5: string): void {
  expectSame(what, 'x-amz-checksum-md5', fields.get(MD5_CHECKSUM) ?? '', md5)
}

function expectElement(what: string, element: XmlElement, md5: string): void {
  expectSame(what, 'ChecksumMD5', textOf(element, 'ChecksumMD5'), md5)
}

function expectSame(what: string, where: string, said: string, md5: string): void {
  if (said === md5) return
  throw failed(`${what} is answered ${said === '' ? `without ${where}` : `with another ${where}`}`)
}

const failed = (what: string): MaintenanceError => new MaintenanceError(what)
