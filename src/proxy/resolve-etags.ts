import type { Cancellation } from '../upstream/types.js'
import type { KeyPlan, KeyedRequest, Pipeline } from './messages.js'
import { type CompletedPart, formatCompletedParts, readCompletedParts, type StoredPart } from '../s3/completed-parts.js'
import { bareETag, mayNameMD5, md5ETag, type ObjectETag, resolveMD5 } from '../s3/md5-etag.js'
import { formatDeleteRequest, parseDeleteRequest } from '../s3/delete-request.js'
import { listUploadedParts } from './list-upload.js'
import { lookUpETag, lookUpSource, type ObjectPlace, showsMD5 } from './look-up-etag.js'
import type { RequestRecord } from './record.js'
import type { Soon } from '../keyring/port.js'
import { mayDo } from './authorize.js'
import { planToRead } from './resolve-keys.js'
import { selectKeys } from '../keyring/select.js'

export const TARGET_CONDITIONS = ['if-match', 'if-none-match', 'if-range']
export const SOURCE_CONDITIONS = ['x-amz-copy-source-if-match', 'x-amz-copy-source-if-none-match']

/**
 * Behind the fifth stage: an MD5 that a client names, in a condition or in a document, becomes the ETag that the upstream has
 * for it. Which MD5 an object carries only the upstream knows, so it is asked; its own answer to the request then holds, should
 * the object have changed meanwhile. (What `-0` marks needs no question; the stage before and the one behind see to it.)
 *
 * An identity that may not read an object cannot find out its MD5 so either: nothing is asked for it.
 *
 * @throws UpstreamFailure; S3Error ServiceUnavailable (nobody could tell), MalformedXML
 */
export function resolveETags(
  request: KeyedRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Soon<KeyedRequest> {
  return mayName(request, pipeline) ? resolved(request, pipeline, signal, record) : request
}

/** Whether anything in the request could be an MD5 that was shown for an ETag. */
function mayName({ target, copySource, document, uploadChecksum }: KeyedRequest, pipeline: Pipeline): boolean {
  if (target.type !== 'service' && showsMD5(pipeline, target.bucket)) return true
  if (copySource !== 'none' && showsMD5(pipeline, copySource.bucket)) return true
  return document.type === 'read' && uploadChecksum === 'md5'
}

async function resolved(
  request: KeyedRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<KeyedRequest> {
  const ask: Ask = (place, plan) => lookUpETag(request, place, plan, pipeline, signal, record)
  const fields = new Map(request.fields)
  await resolveTarget(request, fields, pipeline, ask)
  await resolveSource(request, fields, pipeline, signal, record)
  const document = await resolveDocument(request, pipeline, ask, signal, record)
  return { ...request, fields, document }
}

type Ask = (place: ObjectPlace, plan: KeyPlan) => Promise<ObjectETag | 'unknown'>

async function resolveTarget(
  request: KeyedRequest,
  fields: Map<string, string>,
  pipeline: Pipeline,
  ask: Ask,
): Promise<void> {
  const { target, operation, targetKey, query } = request
  if (target.type !== 'object' || !showsMD5(pipeline, target.bucket)) return
  const names = namesMD5(TARGET_CONDITIONS, fields)
  if (names.length === 0 || !mayRead(request, target)) return
  const place = { bucket: target.bucket, objectKey: target.objectKey, versionId: query.get('versionId') ?? 'latest' }
  const own = operation.keyUse === 'read' || targetKey.type === 'relayed'
  const plan = own ? targetKey : readPlan(place, pipeline)
  if (plan === 'no-rule') return
  replace(names, fields, await ask(place, plan))
}

async function resolveSource(
  request: KeyedRequest,
  fields: Map<string, string>,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<void> {
  const { copySource } = request
  if (copySource === 'none' || !showsMD5(pipeline, copySource.bucket)) return
  const names = namesMD5(SOURCE_CONDITIONS, fields)
  if (names.length === 0) return
  replace(names, fields, await lookUpSource(request, copySource, request.sourceKey, pipeline, signal, record))
}

function namesMD5(names: readonly string[], fields: ReadonlyMap<string, string>): readonly string[] {
  return names.filter((name) => mayNameMD5(fields.get(name) ?? ''))
}

function replace(names: readonly string[], fields: Map<string, string>, etag: ObjectETag | 'unknown'): void {
  if (etag === 'unknown') return
  for (const name of names) fields.set(name, resolveMD5(fields.get(name) ?? '', etag))
}

const mayRead = (
  { identity }: KeyedRequest,
  { bucket, objectKey }: Pick<ObjectPlace, 'bucket' | 'objectKey'>,
): boolean => mayDo(identity.grants, 'read', { type: 'object', bucket, objectKey })

function readPlan({ bucket, objectKey, versionId }: ObjectPlace, pipeline: Pipeline): KeyPlan | 'no-rule' {
  const reference = selectKeys(pipeline.rules, bucket, objectKey)
  if (reference === 'no-rule') return reference
  const version =
    versionId === 'latest' ? ({ type: 'latest' } as const) : ({ type: 'id', versionId: versionId as never } as const)
  return planToRead(reference, bucket, objectKey, version, pipeline)
}

async function resolveDocument(
  request: KeyedRequest,
  pipeline: Pipeline,
  ask: Ask,
  signal: Cancellation,
  record: RequestRecord,
): Promise<KeyedRequest['document']> {
  const { operation, target, document } = request
  if (document.type !== 'read' || target.type === 'service') return document
  // An upload that was created with MD5s wants them in the end, whatever the rule says by now.
  if (!showsMD5(pipeline, target.bucket) && request.uploadChecksum !== 'md5') return document
  if (operation.name === 'DeleteObjects') {
    return { type: 'read', bytes: await resolveDeletes(request, document.bytes, pipeline, ask) }
  }
  // Without MD5 as the upload's checksum no part was shown with one.
  if (operation.name !== 'CompleteMultipartUpload' || request.uploadChecksum === 'other') return document
  const parts = readCompletedParts(document.bytes)
  if (parts === 'odd') return document
  const uploaded = await listUploadedParts(request, pipeline, signal, record)
  if (uploaded === 'unknown') return document
  return { type: 'read', bytes: formatCompletedParts(parts.map((part) => completed(part, uploaded))) }
}

/** S3 wants each part's checksum where the upload has one, and its own ETag. What does not fit it may refuse itself. */
function completed(part: CompletedPart, uploaded: ReadonlyMap<number, StoredPart>): CompletedPart {
  const stored = uploaded.get(Number(part.find(([name]) => name === 'PartNumber')?.[1] ?? 0))
  if (stored === undefined) return part
  const { etag, checksumMD5 } = stored
  const named = bareETag(part.find(([name]) => name === 'ETag')?.[1] ?? '')
  const fits = named === etag || (checksumMD5 !== 'none' && named.toLowerCase() === md5ETag(checksumMD5))
  if (!fits) return part
  const own = part.some(([name]) => name.startsWith('Checksum'))
  const resolved = part.map(([name, text]) => [name, name === 'ETag' ? `"${etag}"` : text] as const)
  return own || checksumMD5 === 'none' ? resolved : [...resolved, ['ChecksumMD5', checksumMD5]]
}

async function resolveDeletes(request: KeyedRequest, bytes: Buffer, pipeline: Pipeline, ask: Ask): Promise<Buffer> {
  const { target } = request
  if (target.type === 'service') return bytes
  const { objects, quiet } = parseDeleteRequest(bytes)
  const resolved = []
  for (const entry of objects) {
    const { etag, objectKey, versionId = 'latest' } = entry
    const place = { bucket: target.bucket, objectKey, versionId }
    const plan =
      etag !== undefined && mayNameMD5(etag) && mayRead(request, place) ? readPlan(place, pipeline) : 'no-rule'
    const object = plan === 'no-rule' ? 'unknown' : await ask(place, plan)
    resolved.push(etag === undefined || object === 'unknown' ? entry : { ...entry, etag: resolveMD5(etag, object) })
  }
  return formatDeleteRequest({ objects: resolved, quiet })
}
