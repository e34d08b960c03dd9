import { Attempts, type PlannedAttempt } from './attempts.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import type { Cancellation, UpstreamRequest, UpstreamResponse } from '../upstream/types.js'
import type { ObjectETag } from '../s3/md5-etag.js'
import type { RequestRecord } from './record.js'
import type { Soon } from '../keyring/port.js'
import { MAX_ERROR_BYTES, holdAnswer } from './hold-answer.js'
import { probeOf } from './probe.js'
import { S3Error } from '../s3/error.js'
import { regionFromAnswer } from '../upstream/regions.js'
import { regionToUse } from '../upstream/region-to-use.js'
import { signAttempt } from './sign-attempt.js'
import type { Target } from '../s3/target.js'

/** The head of the upstream's answer and the attempt that it answers. */
export interface Forwarded {
  readonly attempt: PlannedAttempt
  readonly response: UpstreamResponse
  /** What was asked about its object beside it. */
  readonly object: ObjectETag | 'unknown'
  /** The ETag header that its client gets. */
  readonly shownETag: string | 'as it came'
}

type World = Pick<Pipeline, 'upstream' | 'regions' | 'transport' | 'now' | 'warn'>

/**
 * The eighth stage: sends the request and gives the upstream's answer. Requests that can be sent again go through their
 * candidates on 400 and 403, each at most once, and the key that writes take once more at the end; where none fits the
 * client sees the first answer. A body that streams is sent once.
 *
 * @throws UpstreamFailure (no answer); S3Error ServiceUnavailable (no credentials), AccessDenied (no key); errors of
 *   the client's body
 */
export async function forward(
  request: RewrittenRequest,
  pipeline: World,
  signal: Cancellation,
  record: RequestRecord,
): Promise<Forwarded> {
  const replayable = isReplayable(request)
  if (!replayable) await learnRegionFirst(request, pipeline, signal, record)
  let first: Forwarded | undefined
  const planned = new Attempts(request)
  const isFixed = pipeline.upstream.region.type === 'fixed' || request.target.type === 'service'
  for (;;) {
    const found = planned.next()
    const attempt = found instanceof Promise ? await record.waitForKey(found) : found
    if (attempt === 'none') break
    if (first !== undefined) record.keysRetried += 1
    const region = regionToUse(request.target, pipeline)
    const isNew = !isFixed && pipeline.regions.regionOf(bucketOf(request)) === 'unknown'
    const signed = sign(request, attempt, region, pipeline)
    const ready = signed instanceof Promise ? await signed : signed
    // As `send` does, without an asynchronous function around the one thing that nearly all requests wait for.
    record.sends()
    const came = await pipeline.transport(ready, signal)
    record.answered(came)
    const response = isFixed
      ? came
      : await fromItsRegion(request, attempt, { came, region, isNew }, pipeline, signal, record)
    if (!replayable || !mayBeAnotherKey(response.status)) return forwarded(attempt, response)
    const held = await holdAnswer(response, MAX_ERROR_BYTES)
    first ??= forwarded(attempt, held.response)
  }
  if (first !== undefined) return first
  throw new S3Error('AccessDenied', { cause: 'no keyring of the rule has a key for this object' })
}

/** What AWS and RGW answer to a wrong, a missing or a needless key. */
function mayBeAnotherKey(status: number): boolean {
  return status === 400 || status === 403
}

const forwarded = (attempt: PlannedAttempt, response: UpstreamResponse): Forwarded => ({
  attempt,
  response,
  object: 'unknown',
  shownETag: 'as it came',
})

/**
 * The answer that came, or, where it tells another region than the request was signed for, the answer from there. A body that
 * streams was sent already: its client gets the first.
 */
async function fromItsRegion(
  request: RewrittenRequest,
  attempt: PlannedAttempt,
  sent: { readonly came: UpstreamResponse; readonly region: string; readonly isNew: boolean },
  pipeline: World,
  signal: Cancellation,
  record: RequestRecord,
): Promise<UpstreamResponse> {
  const { came, region, isNew } = sent
  const bucket = bucketOf(request)
  // A wrong region may be told in the document alone.
  const { bytes, response } =
    came.status === 400 ? await holdAnswer(came, MAX_ERROR_BYTES) : { bytes: '', response: came }
  const actual = regionFromAnswer(response.status, response.fields, bytes.toString('utf8'))
  if (actual === 'unknown' || actual === region) {
    // That a signature was taken tells its region; a preflight has none.
    const taken = response.status < 300 && request.operation.permission !== 'none'
    if (isNew && taken) pipeline.regions.learn(bucket, region)
    return response
  }
  pipeline.regions.learn(bucket, actual)
  if (!isReplayable(request)) return response
  response.body.destroy()
  return send(await sign(request, attempt, actual, pipeline), pipeline, signal, record)
}

const isReplayable = ({ upstreamBody }: RewrittenRequest): boolean =>
  upstreamBody.type !== 'stream' && upstreamBody.type !== 'form'

/** A body can be sent once only, so the region of its bucket is asked for before, with a HEAD that carries no key. */
async function learnRegionFirst(
  request: RewrittenRequest,
  pipeline: World,
  signal: Cancellation,
  record: RequestRecord,
): Promise<void> {
  const { target } = request
  if (target.type === 'service' || pipeline.regions.regionOf(target.bucket) !== 'unknown') return
  const bucket = { type: 'bucket', bucket: target.bucket } as const
  const probe = probeOf(request, { method: 'HEAD', target: bucket })
  const guess = regionToUse(target, pipeline)
  const plain: PlannedAttempt = { target: 'plain', source: 'plain', headers: {} }
  const response = await send(await sign(probe, plain, guess, pipeline), pipeline, signal, record)
  response.body.destroy()
  const actual = regionFromAnswer(response.status, response.fields)
  if (actual !== 'unknown') pipeline.regions.learn(target.bucket, actual)
  else if (response.status < 300) pipeline.regions.learn(target.bucket, guess)
  // Some stores name the region in the document only, and an answer to HEAD has none.
  else if (response.status === 400) {
    const answer = await forward(questionWithDocument(request, bucket), pipeline, signal, record)
    answer.response.body.destroy()
  }
}

/** Its answer does not matter: what tells the region is learned on the way. */
function questionWithDocument(request: RewrittenRequest, bucket: Target): RewrittenRequest {
  return probeOf(request, { method: 'GET', target: bucket, query: new Map([['location', '']]) })
}

function bucketOf(request: RewrittenRequest): string {
  return request.target.type === 'service' ? 'service' : request.target.bucket
}

function sign(
  request: RewrittenRequest,
  attempt: PlannedAttempt,
  region: string,
  pipeline: World,
): Soon<UpstreamRequest> {
  try {
    const signed = signAttempt(request, attempt, region, pipeline)
    return signed instanceof Promise ? signed.catch(noCredentials) : signed
  } catch (cause) {
    return noCredentials(cause)
  }
}

function noCredentials(cause: unknown): never {
  if (cause instanceof S3Error) throw cause
  throw new S3Error('ServiceUnavailable', {
    message: 'The proxy has no credentials for the upstream at the moment. Try again.',
    cause,
  })
}

async function send(
  request: UpstreamRequest,
  pipeline: World,
  signal: Cancellation,
  record: RequestRecord,
): Promise<UpstreamResponse> {
  record.sends()
  const response = await pipeline.transport(request, signal)
  record.answered(response)
  return response
}
