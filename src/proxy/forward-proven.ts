import type { Cancellation } from '../upstream/types.js'
import { type Forwarded, forward } from './forward.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import { customerKeyMD5, provesEncryption } from '../s3/customer-key.js'
import { probeOf, versionQuery } from './probe.js'
import type { RequestRecord } from './record.js'
import { S3Error } from '../s3/error.js'
import { plainRefused } from './check-answer.js'

/**
 * Forwards a request. The answers to SelectObjectContent and GetObjectAttributes prove nothing, and some stores ignore
 * the key of a plain object (RGW): where the rule says `plaintext: deny`, a HEAD with the same key asks first whether the
 * object is under it.
 *
 * @throws S3Error AccessDenied (a plain object), InternalError (the proof is about another key), ServiceUnavailable
 *   (nobody could tell); what {@link forward} throws
 */
export function forwardProven(
  request: RewrittenRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<Forwarded> {
  return mustAskFirst(request)
    ? askThenForward(request, pipeline, signal, record)
    : forward(request, pipeline, signal, record)
}

async function askThenForward(
  request: RewrittenRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<Forwarded> {
  const versionId = request.upstreamQuery.get('versionId')
  const probe = probeOf(request, { method: 'HEAD', target: request.target, query: versionQuery(versionId) })
  const head = await forward({ ...probe, targetKey: request.targetKey }, pipeline, signal, record)
  head.response.body.resume()
  const { target } = head.attempt
  if (head.response.status !== 200 || target === 'plain') return expectRefusal(request, pipeline, signal, record)
  const proof = provesEncryption(head.response.fields, customerKeyMD5(target.key))
  if (proof === 'missing') throw plainRefused(record)
  if (proof === 'mismatch') {
    record.outcome = 'encryption-unproven'
    throw new S3Error('InternalError', {
      cause: 'encryption mismatch: a HEAD was answered with the proof of another key',
    })
  }
  const { targetKey } = request
  if (targetKey.type !== 'candidates' || !('keyring' in target)) return forward(request, pipeline, signal, record)
  const fitting = { type: 'one', dataKey: target, scope: targetKey.scope } as const
  return forward({ ...request, targetKey: fitting }, pipeline, signal, record)
}

function mustAskFirst({ operation, targetKey }: RewrittenRequest): boolean {
  if (operation.keyUse !== 'read' || operation.proof) return false
  if (targetKey.type === 'candidates') return targetKey.reference.plaintext === 'deny'
  return targetKey.type === 'relayed' && targetKey.plaintext === 'deny'
}

/** The HEAD was refused, so the request will be too, with S3's own words. Anything else is not to be believed. */
async function expectRefusal(
  request: RewrittenRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<Forwarded> {
  const answer = await forward(request, pipeline, signal, record)
  if (answer.response.status >= 300) return answer
  answer.response.body.destroy()
  throw new S3Error('ServiceUnavailable', {
    message: 'The upstream could not be asked whether the object is encrypted. Try again.',
    cause: `HEAD was refused where ${request.operation.name} was not`,
  })
}
