import type { Pipeline, RewrittenRequest } from './messages.js'
import { EMPTY_SHA256 } from './forward.js'
import type { UpstreamResponse } from '../upstream/types.js'
import { signAttempt } from './sign-attempt.js'

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
  if (target.type !== 'object' || (operation.name !== 'PutObject' && operation.name !== 'CopyObject')) {
    return 'no object was made'
  }
  const versionId = response.fields.get('x-amz-version-id')
  const removal: RewrittenRequest = {
    ...request,
    method: 'DELETE',
    targetKey: { type: 'none' },
    sourceKey: { type: 'none' },
    upstreamQuery: new Map(versionId === undefined ? [] : [['versionId', versionId]]),
    upstreamHeaders: { 'x-amz-content-sha256': EMPTY_SHA256 },
    upstreamBody: { type: 'none' },
  }
  try {
    const region = pipeline.regions.regionOf(target.bucket)
    const { region: configured } = pipeline.upstream
    const used = region !== 'unknown' ? region : configured.type === 'fixed' ? configured.region : configured.first
    const signed = await signAttempt(removal, { target: 'plain', source: 'plain', headers: {} }, used, pipeline)
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
