import type { Forwarded } from './forward.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import { judgeBodilessError, judgeUpstreamError } from './upstream-error.js'
import type { RequestRecord } from './record.js'
import type { ServerResponse } from 'node:http'
import { Transform, type TransformCallback } from 'node:stream'
import { UpstreamFailure } from '../upstream/types.js'
import { answerRewrites } from './rewrite-answer.js'
import { bucketETagPolicy } from '../keyring/select.js'
import { pipeline as pipe } from 'node:stream/promises'
import { showETag } from '../s3/etag.js'
import { stripResponseFields } from './rewrite-headers.js'

const KEY = /^x-amz-(?:copy-source-)?server-side-encryption-customer-key$/
const KEY_MD5 = /^x-amz-(?:copy-source-)?server-side-encryption-customer-key-md5$/

/**
 * The last stage: S3's answer on its way to the client, streamed. Changed are ETags and upload ids, the MD5 of the key
 * is left out, and error documents are judged first.
 *
 * @throws S3Error in place of an error answer that must not pass; errors of either side's connection
 */
export async function respond(
  request: RewrittenRequest,
  { attempt, response: answer }: Forwarded,
  response: ServerResponse,
  pipeline: Pipeline,
  record: RequestRecord,
): Promise<void> {
  const headers = answerHeaders(request, answer, pipeline)
  const bodiless = request.method === 'HEAD' || answer.status === 204 || answer.status === 304
  if (answer.status >= 300 && !bodiless) {
    const judged = await judgeUpstreamError(request, attempt, answer)
    record.errorCode = judged.code
    if (judged.type === 'replace') throw judged.error
    headers.set('content-length', String(judged.bytes.length))
    writeHead(response, answer.status, headers, record)
    response.end(judged.bytes)
    record.bytesOut = judged.bytes.length
    return
  }
  if (bodiless) {
    const judged = judgeBodilessError(answer)
    answer.body.resume()
    if (judged !== 'pass') throw judged
    writeHead(response, answer.status, headers, record)
    response.end()
    return
  }
  const rewriter = answerRewrites(request, attempt, pipeline)
  if (rewriter !== 'none') headers.delete('content-length')
  writeHead(response, answer.status, headers, record)
  const counted = new Counter(record)
  try {
    if (rewriter === 'none') await pipe(answer.body, counted, response)
    else await pipe(answer.body, rewriter, counted, response)
  } catch (error) {
    if (isUpstreams(error)) record.outcome = 'upstream-failed'
    throw error
  }
}

/** A client that leaves shows as a premature close, or as the abort that its leaving causes; the rest is the upstream's. */
function isUpstreams(error: unknown): boolean {
  if (error instanceof UpstreamFailure) return error.reason !== 'aborted'
  return !(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')
}

function answerHeaders(
  request: RewrittenRequest,
  answer: Forwarded['response'],
  pipeline: Pick<Pipeline, 'rules'>,
): Map<string, string> {
  const headers = stripResponseFields(answer.fields)
  // No S3 says the key itself; one that echoes what it was sent would.
  for (const name of headers.keys()) if (KEY.test(name)) headers.delete(name)
  // The MD5 is a fingerprint of the key: only a client that sent its own key gets to see it.
  if (request.targetKey.type !== 'relayed') {
    for (const name of headers.keys()) if (KEY_MD5.test(name)) headers.delete(name)
  }
  const etag = headers.get('etag')
  if (etag !== undefined && request.target.type === 'object') {
    if (bucketETagPolicy(pipeline.rules, request.target.bucket) === 'opaque') headers.set('etag', showETag(etag))
  }
  return headers
}

function writeHead(
  response: ServerResponse,
  status: number,
  headers: ReadonlyMap<string, string>,
  record: RequestRecord,
): void {
  record.status = status
  response.sendDate = false
  response.writeHead(status, Object.fromEntries(headers))
}

/** Counts what passes; the one thing between upstream and client where nothing is rewritten. */
class Counter extends Transform {
  readonly #record: RequestRecord
  constructor(record: RequestRecord) {
    super()
    this.#record = record
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#record.bytesOut += chunk.length
    callback(null, chunk)
  }
}
