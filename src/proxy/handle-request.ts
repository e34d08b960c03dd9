import type { AuthenticatedRequest, ClassifiedRequest, ParsedRequest, Pipeline } from './messages.js'
import { type RequestRecord, newRecord } from './record.js'
import type { Forwarded } from './forward.js'
import type { ClientRequest, ClientResponse, Handler, ListenerInfo } from './handler.js'
import type { Readable } from 'node:stream'
import { S3Error } from '../s3/error.js'
import { UpstreamFailure } from '../upstream/types.js'
import { authenticate } from './authenticate.js'
import { ClientGone } from './client-gone.js'
import { answerNeedlessCreation } from './create-bucket.js'
import { authenticateForm, isForm } from './authenticate-form.js'
import { authorize } from './authorize.js'
import { checkAnswer } from './check-answer.js'
import { classifyRequest } from './classify-request.js'
import { clientBody } from './client-body.js'
import { forwardWithETag } from './forward-with-etag.js'
import { knowUpload } from './list-upload.js'
import { noteWrite } from './note-keys.js'
import { parse } from './parse.js'
import { parseTraceparent } from './trace-context.js'
import { readDocument } from './read-document.js'
import { clientRegion } from './client-region.js'
import { refuse } from './refuse.js'
import { requestIds } from './request-ids.js'
import { resolveKeys } from './resolve-keys.js'
import { answerForm } from './answer-form.js'
import { respond, respondToForm } from './respond.js'
import { rewrite } from './rewrite.js'
import { resolveETags } from './resolve-etags.js'
import { showETagField } from './show-etag.js'
import { signatureKind } from './signature-kind.js'

/**
 * The pipeline, top to bottom. Each stage takes what the one before it gave; whatever throws ends the request in the one
 * catch below, and one completion event is made, whatever happened.
 */
export function requestHandler(live: () => Pipeline): Handler {
  const nextId = requestIds((size) => live().randomBytes(size))
  return async (request, response, { listener, expectsContinue }) => {
    // A request keeps what it began with, whatever is loaded meanwhile.
    const pipeline = live()
    const started = pipeline.monotonic()
    const elapsed = () => pipeline.monotonic() - started
    const requestId = nextId()
    const { method, remoteAddress } = request
    const record = newRecord({ requestId, remoteAddress, method }, listener, elapsed)
    const gone = new ClientGone()
    const over = new Promise<'sent' | 'cut'>((resolve) => {
      response.onOver((how) => {
        if (how === 'cut') gone.abort()
        resolve(how)
      })
    })
    let unread: Forwarded | undefined
    const openBody = bodyOpener(request, response, record, expectsContinue)
    try {
      const parsed = parse(request)
      record.trace = parseTraceparent(parsed.fields.get('traceparent'))
      record.stage = 'authenticate'
      const authenticated = isForm(parsed, pipeline)
        ? await authenticateForm(parsed, pipeline, listener.anonymous, openBody)
        : authenticate(parsed, pipeline, listener.anonymous)
      noteCaller(authenticated, record)
      record.authMs = elapsed()
      record.stage = 'classify'
      const classified = classifyRequest(authenticated, pipeline.baseDomains)
      noteTarget(classified, record)
      record.stage = 'authorize'
      const told = answerNeedlessCreation(classified, pipeline, gone, record)
      if (told !== undefined) await told
      authorize(classified, pipeline)
      const document = readDocument(classified, pipeline, openBody, record)
      const authorized = document instanceof Promise ? await document : document
      record.stage = 'resolve-keys'
      const keys = resolveKeys(authorized, pipeline, listener.type === 'https')
      const keyed = keys instanceof Promise ? await record.waitForKey(keys) : keys
      record.keyMs = elapsed()
      noteWrite(keyed, record)
      record.stage = 'rewrite'
      const upload = knowUpload(keyed, pipeline, gone, record)
      const known = upload instanceof Promise ? await upload : upload
      const etags = resolveETags(known, pipeline, gone, record)
      const resolved = etags instanceof Promise ? await etags : etags
      const rewritten = rewrite(resolved, pipeline, openBody)
      record.stage = 'forward'
      const forwarded = await forwardWithETag(rewritten, pipeline, gone, record)
      unread = forwarded
      record.stage = 'check-answer'
      const proven = checkAnswer(rewritten, forwarded, pipeline, record)
      const checked = proven instanceof Promise ? await proven : proven
      const shown = showETagField(rewritten, checked, pipeline, gone, record)
      const answered = shown instanceof Promise ? await shown : shown
      record.stage = 'respond'
      const form =
        authenticated.form === 'none'
          ? 'none'
          : await answerForm(rewritten, answered, pipeline, originOf(listener, parsed))
      const written =
        form === 'none'
          ? respond(rewritten, answered, response, pipeline, record)
          : respondToForm(rewritten, form, response, record)
      // Of an upstream that was done before its client left nothing more is heard.
      if (written instanceof Promise) await Promise.race([written, over])
    } catch (cause) {
      // An answer that nobody reads would keep its connection for ever.
      unread?.response.body.destroy()
      end(request, response, cause, requestId, record, pipeline, gone)
    }
    if ((await over) === 'cut' && record.outcome === 'complete') noteGone(record)
    pipeline.observe(record.event({ totalMs: elapsed() }))
  }
}

/** Scheme and host as the client named them. */
const originOf = ({ type }: ListenerInfo, { host }: ParsedRequest): string =>
  `${type === 'https' ? 'https' : 'http'}://${host}`

/** Opens the body once, after telling a client that waits for it to go on. */
function bodyOpener(
  request: ClientRequest,
  response: ClientResponse,
  record: RequestRecord,
  expectsContinue: boolean,
): () => Readable {
  return () => {
    if (expectsContinue) response.writeContinue()
    return clientBody(request, record)
  }
}

function noteCaller(request: AuthenticatedRequest, record: RequestRecord): void {
  const { name, class: counted, authentication } = request.identity
  record.identity = name
  record.identityClass = counted
  if (authentication.type === 'access-key') record.accessKeyId = authentication.accessKeyId
  record.signature = signatureKind(request)
}

function noteTarget({ operation, target, query, copySource }: ClassifiedRequest, record: RequestRecord): void {
  record.operation = operation.name
  if (target.type === 'service') return
  record.bucket = target.bucket
  if (target.type === 'object') {
    record.objectKey = target.objectKey
    record.versionId = query.get('versionId') ?? 'none'
  }
  if (copySource === 'none') return
  const { bucket, objectKey, version } = copySource
  record.copySource = { bucket, objectKey, ...(version.type === 'id' ? { versionId: version.versionId } : {}) }
}

function noteGone(record: RequestRecord): void {
  record.outcome = 'client-gone'
  record.reason = 'the client closed the connection'
}

/** The one catch: an S3Error is the answer, anything else is our fault; a client that has left gets nothing. */
function end(
  request: ClientRequest,
  response: ClientResponse,
  cause: unknown,
  requestId: string,
  record: RequestRecord,
  pipeline: Pipeline,
  gone: ClientGone,
): void {
  if (cause instanceof UpstreamFailure) record.failure = cause.reason
  if ((gone.aborted || response.destroyed) && record.outcome !== 'upstream-failed') {
    noteGone(record)
    response.destroy()
    return
  }
  if (response.headersSent) {
    // The head is out: only a broken connection can still tell the client that the body is not whole.
    record.outcome = 'upstream-failed'
    record.reason = reasonOf(cause)
    response.destroy()
    return
  }
  const error = errorOf(cause)
  if (cause instanceof UpstreamFailure) record.outcome = 'upstream-failed'
  else if (!(cause instanceof S3Error)) pipeline.warn('a request failed unexpectedly', { requestId, cause })
  if (record.outcome === 'complete') record.outcome = 'refused'
  record.status = error.status
  record.errorCode = error.code
  if (record.accessKeyId === 'none') record.accessKeyId = error.extra['AWSAccessKeyId']?.slice(0, 128) ?? 'none'
  record.reason = error.cause === undefined ? error.message : reasonOf(error.cause)
  try {
    const resource = request.url.split('?', 1)[0] as string
    record.bytesOut = refuse(request, response, error, { requestId, resource, region: clientRegion(pipeline) })
  } catch {
    response.destroy()
  }
}

function errorOf(cause: unknown): S3Error {
  if (cause instanceof S3Error) return cause
  if (!(cause instanceof UpstreamFailure)) return new S3Error('InternalError', { cause })
  return new S3Error('ServiceUnavailable', {
    message: 'The proxy got no answer from the upstream. Try again.',
    cause,
  })
}

/** One line for the log, down the chain of causes: names and codes of faults, never what a request held. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : ''
  return `${cause.message}${code}${cause.cause === undefined ? '' : `: ${reasonOf(cause.cause)}`}`.slice(0, 500)
}
