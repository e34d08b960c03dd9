import type { Cancellation } from '../upstream/types.js'
import type { KeyedRequest, Pipeline } from './messages.js'
import type { RequestRecord } from './record.js'
import { S3Error } from '../s3/error.js'
import type { Soon } from '../keyring/port.js'
import type { StoredPart } from '../s3/completed-parts.js'
import { type PartsPage, readListedParts } from '../s3/listed-parts.js'
import { forward } from './forward.js'
import { bringsChecksum } from './md5-body.js'
import { holdAnswer } from './hold-answer.js'
import { probeOf } from './probe.js'
import { showsMD5 } from './look-up-etag.js'

/** A page of 1000 parts is below 1 MiB. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024

/** S3 has at most 10,000 parts, 1000 a page; a list that is longer has no end. */
const MAX_PAGES = 100

/**
 * The parts that an upload has, of all pages; `unknown` where the upstream does not tell: what the client asked for will be told
 * why. Not where a permission is missing that completion itself does not need: it would be told that its parts are wrong.
 *
 * @throws UpstreamFailure; S3Error ServiceUnavailable, AccessDenied
 */
export async function listUploadedParts(
  request: KeyedRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<ReadonlyMap<number, StoredPart> | 'unknown'> {
  const parts = new Map<number, StoredPart>()
  let marker = 0
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await pageOf(request, { 'part-number-marker': String(marker) }, pipeline, signal, record)
    if (page === 'denied' && request.uploadChecksum === 'md5') throw notAllowed()
    if (page === 'unknown' || page === 'denied') return 'unknown'
    for (const [partNumber, part] of page.parts) parts.set(partNumber, part)
    if (page.next === 'none' || page.next <= marker) return parts
    marker = page.next
  }
  throw notTold('ListParts has no end')
}

/**
 * Finds out whether MD5 is the checksum that the upload of a part was created with, where its id does not say so: S3 wants then an
 * MD5 with every part, and takes none without. A part that brings a checksum of its own is left alone.
 *
 * @throws as {@link listUploadedParts}
 */
export function knowUpload(
  request: KeyedRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Soon<KeyedRequest> {
  const { operation, target, uploadChecksum } = request
  if (operation.name !== 'UploadPart' || uploadChecksum !== 'unknown' || target.type !== 'object') return request
  if (!showsMD5(pipeline, target.bucket) || bringsChecksum(request)) return request
  const name = `${target.bucket} ${request.uploadId}`
  const remembered = pipeline.etags.uploads.get(name)
  if (remembered !== undefined) return { ...request, uploadChecksum: remembered }
  return askForChecksum(request, name, pipeline, signal, record)
}

async function askForChecksum(
  request: KeyedRequest,
  name: string,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<KeyedRequest> {
  const page = await pageOf(request, { 'max-parts': '1' }, pipeline, signal, record)
  if (page === 'unknown' || page === 'denied') return request
  const checksum = page.algorithm === 'MD5' ? 'md5' : 'other'
  pipeline.etags.uploads.set(name, checksum)
  return { ...request, uploadChecksum: checksum }
}

async function pageOf(
  request: KeyedRequest,
  query: Readonly<Record<string, string>>,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<PartsPage | 'unknown' | 'denied'> {
  const asked = new Map([['uploadId', request.uploadId], ...Object.entries(query)])
  const probe = probeOf(request, { method: 'GET', target: request.target, query: asked })
  const { response } = await forward({ ...probe, targetKey: request.targetKey }, pipeline, signal, record)
  const { bytes, whole } = await holdAnswer(response, MAX_PAGE_BYTES)
  if (response.status >= 500 || response.status === 429)
    throw notTold(`ListParts was answered with status ${response.status}`)
  if (response.status === 403) return 'denied'
  if (response.status !== 200) return 'unknown'
  if (!whole) throw notTold('an answer to ListParts is too long')
  try {
    return readListedParts(bytes)
  } catch (cause) {
    throw notTold('an answer to ListParts could not be read', cause)
  }
}

function notAllowed(): S3Error {
  return new S3Error('AccessDenied', {
    message:
      "The upload's parts could not be listed (said by the upstream), which completing it needs where ETags are MD5s. Give the " +
      "proxy's upstream credentials s3:ListMultipartUploadParts.",
    cause: 'upstream says AccessDenied to ListParts',
  })
}

function notTold(reason: string, cause?: unknown): S3Error {
  return new S3Error('ServiceUnavailable', {
    message: "The upstream could not be asked for the upload's parts. Try again.",
    cause: cause === undefined ? reason : new Error(reason, { cause }),
  })
}
