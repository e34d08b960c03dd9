import type { Pipeline, RewrittenRequest } from './messages.js'
import type { UpstreamResponse } from '../upstream/types.js'
import { probeOf, versionQuery } from './probe.js'
import { regionToUse } from '../upstream/region-to-use.js'
import { signAttempt } from './sign-attempt.js'

const MAKES_OBJECT = new Set(['PutObject', 'CopyObject', 'CompleteMultipartUpload', 'PostObject'])

/** How long the removal of an unencrypted object may take. */
const UNDO_TIMEOUT_MS = 30_000

/**
 * Takes back a write that the upstream stored without confirming encryption: the client is told that it failed, so
 * nothing may stay in the clear. The version that was just made where the store keeps versions, else the object.
 *
 * @returns what was done, for the log
 */
export async function undoWrite(
  request: RewrittenRequest,
  response: UpstreamResponse,
  pipeline: Pipeline,
): Promise<string> {
  const { operation, target } = request
  if (target.type !== 'object' || !MAKES_OBJECT.has(operation.name)) {
    return 'no object was made'
  }
  const versionId = response.fields.get('x-amz-version-id')
  const removal = probeOf(request, { method: 'DELETE', target, query: versionQuery(versionId) })
  try {
    const plain = { target: 'plain', source: 'plain', headers: {} } as const
    const signed = await signAttempt(removal, plain, regionToUse(target, pipeline), pipeline)
    const answer = await pipeline.transport(signed, AbortSignal.timeout(UNDO_TIMEOUT_MS))
    answer.body.destroy()
    return answer.status < 300
      ? `the unencrypted object was removed${versionId === undefined ? '' : ` (version ${versionId})`}`
      : `REMOVING THE UNENCRYPTED OBJECT FAILED with status ${answer.status}: remove it by hand`
  } catch (cause) {
    pipeline.warn('removing an unencrypted object failed', { cause })
    return 'REMOVING THE UNENCRYPTED OBJECT FAILED: remove it by hand'
  }
}
