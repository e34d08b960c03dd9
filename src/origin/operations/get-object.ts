import { readPieces } from '../at-rest.js'
import { httpDate, NO_BODY, quoted, versionHeader, type Answer, type ObjectCall } from '../call.js'
import { checkOpens, checkReadHeaders, proofHeaders, targetKey } from '../customer-key.js'
import type { ObjectVersion } from '../model.js'
import { responseOverrides } from '../object-headers.js'
import { checkReadConditions } from '../preconditions.js'
import { readRange, type Span } from '../range.js'
import { Refusal } from '../refusal.js'
import { findObject } from '../versions.js'
import { lockHeaders } from './object-lock.js'
import { checkRestored, restoreHeaders } from './restore-object.js'
import { checksumHeaders } from './put-object.js'

export function getObject(call: ObjectCall): Answer {
  return read(call, 'with-body')
}

export function headObject(call: ObjectCall): Answer {
  return read(call, 'head-only')
}

function read(call: ObjectCall, mode: 'with-body' | 'head-only'): Answer {
  const { bucket, objectKey, state, fields } = call
  const version = findObject(bucket, objectKey, call.query.get('versionId'))
  checkReadHeaders(call)
  const customerKey = targetKey(call)
  checkOpens(customerKey, version.protection)
  checkReadConditions(fields, version, state)
  if (mode === 'with-body') checkRestored(version, state.now())

  const part = partSpan(version, call.query.get('partNumber'), fields.has('range'))
  const span = part === 'whole' ? readRange(fields.get('range'), version.size) : part
  const { start, end } = span === 'whole' ? { start: 0, end: version.size } : span
  const headers: Record<string, string> = {
    ...version.headers,
    ...responseOverrides(call),
    etag: quoted(state, version.etag),
    'last-modified': httpDate(version.lastModified),
    'accept-ranges': 'bytes',
    'content-length': String(end - start),
    ...(span === 'whole' ? {} : { 'content-range': `bytes ${start}-${end - 1}/${version.size}` }),
    ...(version.storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': version.storageClass }),
    ...(version.tags.length === 0 ? {} : { 'x-amz-tagging-count': String(version.tags.length) }),
    ...(part === 'whole' || version.parts.length === 0 ? {} : { 'x-amz-mp-parts-count': String(version.parts.length) }),
    ...(wantsChecksum(call, span) ? checksumHeaders(version.checksum) : {}),
    ...lockHeaders(version.lock),
    ...restoreHeaders(version),
    ...versionHeader(bucket, version),
    ...proofHeaders(call, customerKey),
  }
  const bytes = readPieces(version.pieces, customerKey, start, end)
  return {
    status: span === 'whole' ? 200 : 206,
    headers,
    body: mode === 'head-only' ? NO_BODY : { type: 'bytes', size: end - start, bytes },
  }
}

/** The object's checksum says nothing of a part of it. */
function wantsChecksum(call: ObjectCall, span: Span | 'whole'): boolean {
  return span === 'whole' && call.fields.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'
}

/** The bytes of one part; an object that was not uploaded in parts has part 1 alone. @throws Refusal */
function partSpan(version: ObjectVersion, partNumber: string | undefined, ranged: boolean): Span | 'whole' {
  if (partNumber === undefined) return 'whole'
  if (ranged) {
    throw new Refusal('InvalidRequest', { message: 'Cannot specify both Range header and partNumber query parameter' })
  }
  const wanted = Number(partNumber)
  if (!/^\d{1,5}$/.test(partNumber) || wanted < 1 || wanted > 10_000) {
    throw new Refusal('InvalidArgument', {
      message: 'Part number must be an integer between 1 and 10000, inclusive',
      extra: { ArgumentName: 'partNumber', ArgumentValue: partNumber.slice(0, 20) },
    })
  }
  if (version.parts.length === 0 && wanted === 1) return version.size === 0 ? 'whole' : { start: 0, end: version.size }
  let start = 0
  for (const [index, part] of version.parts.entries()) {
    if (index + 1 === wanted) return { start, end: start + part.size }
    start += part.size
  }
  throw new Refusal('InvalidPartNumber', {
    extra: { PartNumberRequested: partNumber, ActualPartCount: String(Math.max(version.parts.length, 1)) },
  })
}
