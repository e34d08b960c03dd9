import { type FieldLines, type Fields, foldFields } from '../s3/fields.js'
import type { ParsedRequest } from './messages.js'
import { S3Error } from '../s3/error.js'
import { parseQuery } from '../s3/query.js'
import { splitTarget } from '../s3/target.js'

/** Fields that decide who is asking for what, or where a body ends: two of one of them is an attack or a fault. */
const ONCE = new Set([
  'authorization',
  'content-length',
  'content-md5',
  'host',
  'transfer-encoding',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-date',
  'x-amz-decoded-content-length',
])

/** What the listener knows of a request that concerns S3. */
export interface ReceivedHead {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly fieldLines: FieldLines
}

/**
 * The first stage: the request as received, nothing decoded that a signature covers.
 *
 * @throws S3Error InvalidURI, InvalidArgument, NotImplemented
 */
export function parse(head: ReceivedHead): ParsedRequest {
  const fields = foldFields(head.fieldLines, refuseRepeated)
  refuseDropped(fields)
  const { rawPath, rawQuery } = splitTarget(head.url ?? '')
  return {
    method: head.method ?? '',
    rawPath,
    rawQuery,
    query: parseQuery(rawQuery),
    fields,
    host: fields.get('host') ?? '',
    length: bodyLength(fields),
  }
}

function refuseRepeated(name: string): void {
  if (!ONCE.has(name)) return
  throw new S3Error('InvalidArgument', {
    message: `The header ${name} occurs more than once. Send it once.`,
    extra: { ArgumentName: name },
  })
}

/** What S3 reads of a request's head, by RFC 9110 (7.6.1) never a matter of one connection. */
const FOR_S3 = /^(?:x-amz-|content-|if-)|^(?:authorization|cache-control|date|expires|host|range)$/

/**
 * What Connection lists stays here, and is verified before: whoever holds a presigned request could so take out a header that was
 * signed, the hash of its body (Content-MD5) or a condition (If-None-Match).
 */
function refuseDropped(fields: Fields): void {
  const connection = fields.get('connection')
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return
  for (const listed of connection.split(',')) {
    const name = listed.trim().toLowerCase()
    if (!fields.has(name) || !FOR_S3.test(name)) continue
    throw new S3Error('InvalidArgument', {
      message: `The Connection header lists ${name}, which is meant for S3. Leave it out.`,
      extra: { ArgumentName: 'Connection' },
    })
  }
}

/** The listener refuses a request with both; what is left is one length or one coding (RFC 9112, 6.3). */
function bodyLength(fields: Fields): number | 'chunked' {
  const coding = fields.get('transfer-encoding')
  if (coding !== undefined) {
    if (coding.trim().toLowerCase() !== 'chunked') {
      throw new S3Error('NotImplemented', { message: 'Transfer-Encoding is only supported as `chunked`.' })
    }
    return 'chunked'
  }
  const length = fields.get('content-length')
  if (length === undefined) return 0
  const bytes = Number(length)
  if (!/^\d{1,15}$/.test(length)) {
    throw new S3Error('InvalidArgument', { message: 'Content-Length is not a number of bytes.' })
  }
  return bytes
}
