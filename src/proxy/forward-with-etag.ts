import type { Cancellation } from '../upstream/types.js'
import type { KeyPlan, Pipeline, RewrittenRequest } from './messages.js'
import { lookUpETag, type ObjectPlace, rememberedETag, showsMD5 } from './look-up-etag.js'
import type { Forwarded } from './forward.js'
import type { RequestRecord } from './record.js'
import { bareETag } from '../s3/md5-etag.js'
import { forwardProven } from './forward-proven.js'

/** So often an object may change between the question and the answer. */
const ATTEMPTS = 3

/**
 * Forwards a request. Answers to reads of a range or a part, and of GetObjectAttributes, have an ETag and not the MD5 of the
 * whole object: where that is shown, and not remembered, a HEAD asks for it. It does so before, because whoever waits for another
 * connection with an answer unread may wait for himself.
 *
 * @throws what {@link forwardProven} throws
 */
export function forwardWithETag(
  request: RewrittenRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<Forwarded> {
  const { target } = request
  if (target.type !== 'object' || !saysNoMD5(request) || !showsMD5(pipeline, target.bucket)) {
    return forwardProven(request, pipeline, signal, record)
  }
  return forwardKnowing(request, placeOfObject(request, target), pipeline, signal, record)
}

async function forwardKnowing(
  request: RewrittenRequest,
  place: ObjectPlace,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<Forwarded> {
  const isRead = request.operation.name !== 'GetObjectAttributes'
  let object = isRead ? rememberedETag(place, pipeline) : 'unknown'
  for (let attempt = 1; ; attempt += 1) {
    if (object === 'unknown') object = await lookUpETag(request, place, request.targetKey, pipeline, signal, record)
    const answer = await forwardProven(request, pipeline, signal, record)
    const raw = bareETag(answer.response.fields.get('etag') ?? '')
    if (!isRead || object === 'unknown' || raw === '' || raw === object.raw) return { ...answer, object }
    if (attempt === ATTEMPTS) return { ...answer, object: 'unknown' }
    answer.response.body.destroy()
    object = 'unknown'
  }
}

/** Whether the answer will have an ETag and not, or not reliably, the MD5 of the whole object. */
function saysNoMD5({ operation, fields, query }: RewrittenRequest): boolean {
  if (operation.name === 'GetObjectAttributes') return true
  const isRead = operation.name === 'GetObject' || operation.name === 'HeadObject'
  return isRead && (fields.has('range') || query.has('partNumber'))
}

/** The object that a request is about, in the version that it names. */
export const placeOfObject = (
  { query }: RewrittenRequest,
  { bucket, objectKey }: Extract<RewrittenRequest['target'], { type: 'object' }>,
): ObjectPlace => ({ bucket, objectKey, versionId: query.get('versionId') ?? 'latest' })

/** The keys of a question about an object that has just been answered for: the one that fitted. */
export function fittingPlan(request: RewrittenRequest, { attempt }: Forwarded): KeyPlan {
  const { targetKey } = request
  if (attempt.target === 'plain') return { type: 'none' }
  if (targetKey.type === 'none' || targetKey.type === 'relayed' || !('keyring' in attempt.target)) return targetKey
  return { type: 'one', dataKey: attempt.target, scope: targetKey.scope }
}
