import type { Cancellation } from '../upstream/types.js'
import type { Forwarded } from './forward.js'
import { fittingPlan, placeOfObject } from './forward-with-etag.js'
import { MD5_CHECKSUM, bareETag, md5ETag } from '../s3/md5-etag.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import { etagIn, lookUpETag, type ObjectPlace, rememberETag, rememberedETag } from './look-up-etag.js'
import type { RequestRecord } from './record.js'
import { S3Error } from '../s3/error.js'
import type { Soon } from '../keyring/port.js'
import { bringsChecksum } from './md5-body.js'
import { bucketETagPolicy } from '../keyring/select.js'
import { holdAnswer } from './hold-answer.js'
import { showETag } from '../s3/etag.js'

/** A PostResponse is below 4 KiB. */
const MAX_FORM_ANSWER_BYTES = 64 * 1024

/**
 * Before the last stage: the ETag header as the bucket's policy shows it. ETags in documents follow as they stream.
 *
 * @throws S3Error InternalError (the upstream keeps another MD5 than that of the bytes); UpstreamFailure
 */
export function showETagField(
  request: RewrittenRequest,
  answer: Forwarded,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Soon<Forwarded> {
  const { target } = request
  if (target.type !== 'object') return answer
  const policy = bucketETagPolicy(pipeline.rules, target.bucket)
  if (policy === 'passthrough') return answer
  checkStored(request, answer, record)
  // What only the proxy asked for is not the client's to wonder about.
  const asked = (policy === 'md5' || request.sentMD5() !== 'none') && !bringsChecksum(request)
  if (policy !== 'md5') return asked ? withoutChecksums(opaque(answer)) : opaque(answer)
  const place = placeOfObject(request, target)
  return md5Shown(answer, { request, place, pipeline, signal, record }).then((shown) =>
    asked ? withoutChecksums(shown) : shown,
  )
}

function withoutChecksums(answer: Forwarded): Forwarded {
  const fields = new Map(answer.response.fields)
  for (const name of fields.keys()) if (name.startsWith('x-amz-checksum-')) fields.delete(name)
  return { ...answer, response: { ...answer.response, fields } }
}

/** A request, the object that it is about, and what it takes to ask about that. */
interface Asking {
  readonly request: RewrittenRequest
  readonly place: ObjectPlace
  readonly pipeline: Pipeline
  readonly signal: Cancellation
  readonly record: RequestRecord
}

function opaque(answer: Forwarded): Forwarded {
  return withETag(answer, showETag)
}

function withETag(answer: Forwarded, show: (value: string) => string): Forwarded {
  const { attempt, response, object } = answer
  const value = response.fields.get('etag')
  return value === undefined ? answer : { attempt, response, object, shownETag: show(value) }
}

async function md5Shown(answer: Forwarded, asking: Asking): Promise<Forwarded> {
  const { request, place, pipeline } = asking
  const { status, fields } = answer.response
  if (!fields.has('etag') || (status >= 300 && status !== 304)) return opaque(answer)
  switch (request.operation.name) {
    case 'PutObject': {
      const etag = etagIn(fields)
      if (etag !== 'none') rememberWritten(place, etag, answer, pipeline)
      return md5OrOpaque(answer, md5ETag(fields.get(MD5_CHECKSUM)))
    }
    case 'UploadPart':
      return md5OrOpaque(answer, md5ETag(fields.get(MD5_CHECKSUM)))
    case 'GetObject':
    case 'HeadObject':
      return readShown(answer, asking)
    case 'PostObject':
      return formShown(answer, asking)
    default:
      return opaque(answer)
  }
}

async function readShown(answer: Forwarded, { request, place, pipeline, signal, record }: Asking): Promise<Forwarded> {
  const { status, fields, body } = answer.response
  if (status === 304) {
    body.resume()
    const raw = bareETag(fields.get('etag') ?? '')
    const remembered = answer.object === 'unknown' ? rememberedETag(place, pipeline) : answer.object
    const object =
      remembered !== 'unknown' && remembered.raw === raw
        ? remembered
        : await lookUpETag(request, place, fittingPlan(request, answer), pipeline, signal, record)
    return md5OrOpaque(answer, object !== 'unknown' && object.raw === raw ? object.md5 : 'none')
  }
  if (status === 200 && !request.query.has('partNumber')) {
    const etag = etagIn(fields)
    if (etag !== 'none') rememberETag(place, etag, answer.attempt, pipeline)
    return md5OrOpaque(answer, md5ETag(fields.get(MD5_CHECKSUM)))
  }
  return md5OrOpaque(answer, answer.object === 'unknown' ? 'none' : answer.object.md5)
}

/** A form has an MD5 only where its maker knew it beforehand; what is shown is then what HEAD shows. */
async function formShown(answer: Forwarded, { request, place, pipeline, signal, record }: Asking): Promise<Forwarded> {
  if (request.form === 'none' || !request.form.fields.has(MD5_CHECKSUM)) return opaque(answer)
  const { response } = await holdAnswer(answer.response, MAX_FORM_ANSWER_BYTES)
  const said = md5ETag(response.fields.get(MD5_CHECKSUM))
  if (said !== 'none') return md5OrOpaque({ ...answer, response }, said)
  const versionId = response.fields.get('x-amz-version-id') ?? 'latest'
  const plan = fittingPlan(request, answer)
  // The object is made: that nobody can tell its MD5 at the moment is no failure of the form.
  const object = await lookUpETag(request, { ...place, versionId }, plan, pipeline, signal, record).catch(
    () => 'unknown' as const,
  )
  const raw = bareETag(response.fields.get('etag') ?? '')
  return md5OrOpaque({ ...answer, response }, object !== 'unknown' && object.raw === raw ? object.md5 : 'none')
}

function md5OrOpaque(answer: Forwarded, md5: string | 'none'): Forwarded {
  return md5 === 'none' ? opaque(answer) : withETag(answer, () => `"${md5}"`)
}

function rememberWritten(
  place: ObjectPlace,
  etag: Exclude<ReturnType<typeof etagIn>, 'none'>,
  { attempt, response }: Forwarded,
  pipeline: Pipeline,
): void {
  rememberETag(place, etag, attempt, pipeline)
  const versionId = response.fields.get('x-amz-version-id')
  if (versionId !== undefined) rememberETag({ ...place, versionId }, etag, attempt, pipeline)
}

/**
 * An upstream that answers with another MD5 than that of the bytes it was sent has kept other bytes, or does not look at them:
 * neither is an upload that went well. (None at all is an object without an MD5, and shown as such.)
 *
 * @throws S3Error InternalError
 */
function checkStored(request: RewrittenRequest, { response }: Forwarded, record: RequestRecord): void {
  const sent = request.sentMD5()
  if (sent === 'none') return
  const stored = response.fields.get(MD5_CHECKSUM)
  if (stored === undefined || response.status >= 300 || stored === sent) return
  response.body.destroy()
  record.outcome = 'upstream-failed'
  throw new S3Error('InternalError', {
    message:
      'The upstream answered with the MD5 of other bytes than it was sent. The object may be damaged: upload it again, ' +
      'and check the upstream.',
    cause: `the upstream's answer to ${request.operation.name} has another x-amz-checksum-md5 than was sent`,
  })
}
