import type { Forwarded } from './forward.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import { judgeBodilessError, judgeDocument, judgeUpstreamError } from './upstream-error.js'
import { mayFailLate, watchForError } from './late-error.js'
import type { RequestRecord } from './record.js'
import type { ClientResponse, FieldChanges } from './handler.js'
import type { AnswerBody } from '../upstream/answer-body.js'
import type { Soon } from '../keyring/port.js'
import { Transform, type TransformCallback } from 'node:stream'
import { UpstreamFailure } from '../upstream/types.js'
import { answerRewrites } from './rewrite-answer.js'
import { forgetWrite } from './check-answer.js'
import { errorDocument } from '../s3/error-document.js'
import { pipeline as pipe } from 'node:stream/promises'
import { keptFromClient } from './rewrite-headers.js'

/**
 * The last stage: S3's answer on its way to the client, streamed. Changed are ETags in documents and upload ids, the MD5 of the key
 * is left out, and error documents are judged first.
 *
 * @throws S3Error in place of an error answer that must not pass; errors of either side's connection
 */
export function respond(
  request: RewrittenRequest,
  forwarded: Forwarded,
  response: ClientResponse,
  pipeline: Pipeline,
  record: RequestRecord,
): Soon<void> {
  const { attempt, response: answer, object } = forwarded
  const bodiless = request.method === 'HEAD' || answer.status === 204 || answer.status === 304
  if (answer.status >= 300 && !bodiless) return respondError(request, forwarded, response, record)
  if (bodiless) {
    const judged = judgeBodilessError(answer)
    answer.body.resume()
    if (judged !== 'pass') throw judged
    writeHead(response, answer, changesOf(request, forwarded), record)
    response.end()
    return
  }
  const rewriters = answerRewrites(request, attempt, pipeline, object)
  const changing = mayFailLate(request.operation)
    ? [lateErrors(request, attempt, pipeline, record), ...rewriters]
    : rewriters
  if (changing.length > 0) return respondChanged(request, forwarded, changing, response, record)
  writeHead(response, answer, changesOf(request, forwarded), record)
  const whole = answer.body.whole()
  if (whole === 'not yet') return passOn(answer.body, response, record)
  record.bytesOut = whole.length
  response.end(whole)
}

async function respondError(
  request: RewrittenRequest,
  forwarded: Forwarded,
  response: ClientResponse,
  record: RequestRecord,
): Promise<void> {
  const { attempt, response: answer } = forwarded
  const judged = await judgeUpstreamError(request, attempt, answer)
  record.errorCode = judged.code
  if (judged.type === 'replace') throw judged.error
  const { drops, own } = changesOf(request, forwarded)
  const length = ['content-length', String(judged.bytes.length)] as const
  writeHead(response, answer, { drops, own: [...own, length] }, record)
  response.end(judged.bytes)
  record.bytesOut = judged.bytes.length
}

async function respondChanged(
  request: RewrittenRequest,
  forwarded: Forwarded,
  changing: readonly Transform[],
  response: ClientResponse,
  record: RequestRecord,
): Promise<void> {
  const { response: answer } = forwarded
  const { drops, own } = changesOf(request, forwarded)
  writeHead(response, answer, { drops: (name) => name === 'content-length' || drops(name), own }, record)
  try {
    await pipe([answer.body.stream(), ...changing, new Counter(record), response.bodyStream()])
  } catch (error) {
    if (isUpstreams(error)) record.outcome = 'upstream-failed'
    throw error
  }
}

/**
 * Straight from the upstream's connection to the client's, at the pace of the slower one. An answer that does not keep to its length
 * throws where it is written: at one of the two connections, where nobody would catch it.
 */
function passOn(body: AnswerBody, response: ClientResponse, record: RequestRecord): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => {
      if (isUpstreams(error)) record.outcome = 'upstream-failed'
      reject(error instanceof Error ? error : new Error(String(error)))
    }
    response.onDrain(() => body.go())
    body.flowTo({
      data: (piece) => {
        record.bytesOut += piece.length
        try {
          return response.write(piece)
        } catch (fault) {
          failed(fault)
          return false
        }
      },
      end: () => {
        try {
          response.end()
          resolve()
        } catch (fault) {
          failed(fault)
        }
      },
      failed,
    })
  })
}

/** Errors inside a 200 reach the client as such; they are failures all the same, and nothing was written. */
function lateErrors(
  request: RewrittenRequest,
  attempt: Forwarded['attempt'],
  pipeline: Pipeline,
  record: RequestRecord,
): Transform {
  return watchForError((document) => {
    const judged = judgeDocument(request, attempt, document)
    record.errorCode = judged.code
    record.reason = 'the upstream failed after it had begun to answer with 200'
    record.outcome = 'upstream-failed'
    forgetWrite(request, pipeline)
    if (judged.type === 'pass') return judged.bytes
    const about = { resource: request.rawPath, requestId: record.upstreamRequestId }
    // The declaration has gone out already.
    return Buffer.from(errorDocument(judged.error, about).replace(/^<\?xml[^>]*\?>\s*/, ''), 'utf8')
  })
}

/** The answer that a form asked for; it is ours, a redirect of its own kind among them. */
export function respondToForm(
  request: RewrittenRequest,
  form: Forwarded,
  response: ClientResponse,
  record: RequestRecord,
): Promise<void> {
  writeHead(response, form.response, changesOf(request, form), record)
  return passOn(form.response.body, response, record)
}

/** A client that leaves shows as a premature close, or as the abort that its leaving causes; the rest is the upstream's. */
function isUpstreams(error: unknown): boolean {
  if (error instanceof UpstreamFailure) return error.reason !== 'aborted'
  return !(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')
}

function changesOf({ targetKey }: RewrittenRequest, { response, shownETag }: Forwarded): FieldChanges {
  return {
    drops: keptFromClient(response.fields, targetKey.type === 'relayed'),
    own: shownETag === 'as it came' ? [] : [['etag', shownETag]],
  }
}

function writeHead(
  response: ClientResponse,
  { status, fields }: Forwarded['response'],
  changes: FieldChanges,
  record: RequestRecord,
): void {
  record.status = status
  response.writeHead(status, fields, changes)
}

/** Counts what comes out of what rewrites. */
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
