import type { AuthenticatedRequest, Identity, ParsedRequest, Pipeline } from './messages.js'
import { S3Error } from '../s3/error.js'
import { parseAuthorization } from '../sigv4/authorization.js'
import { parsePayloadMode } from '../sigv4/payload-mode.js'
import { verifySignature } from '../sigv4/verify.js'

/**
 * The second stage: proves who is calling. Without a signature nobody gets in, but for the identity that a loopback
 * listener names.
 *
 * @throws S3Error AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed and what the
 *   parsers of sigv4 throw
 */
export function authenticate(
  request: ParsedRequest,
  pipeline: Pick<Pipeline, 'identities' | 'anonymous' | 'clientRegions' | 'now'>,
  listenerAnonymous: string | 'none',
): AuthenticatedRequest {
  const authorization = parseAuthorization(request.fields, request.query)
  if (authorization.type === 'none') {
    const identity = pipeline.anonymous.get(listenerAnonymous)
    if (listenerAnonymous === 'none' || identity === undefined) throw new S3Error('AccessDenied')
    const payload = parsePayloadMode(request.fields, authorization)
    return { ...request, identity, authorization, verified: 'none', payload }
  }
  const identity = knownIdentity(authorization.scope.accessKeyId, pipeline.identities)
  const verified = verifySignature({
    method: request.method,
    rawPath: request.rawPath,
    rawQuery: request.rawQuery,
    fields: request.fields,
    authorization,
    secretAccessKey: identity.secretAccessKey,
    now: pipeline.now(),
    regions: pipeline.clientRegions,
  })
  const payload = parsePayloadMode(request.fields, authorization)
  return { ...request, identity: identity.identity, authorization, verified, payload }
}

function knownIdentity(accessKeyId: string, identities: ReadonlyMap<string, Identity>) {
  const identity = identities.get(accessKeyId)
  if (identity?.authentication.type !== 'sigv4') {
    throw new S3Error('InvalidAccessKeyId', { extra: { AWSAccessKeyId: accessKeyId } })
  }
  return { identity, secretAccessKey: identity.authentication.secretAccessKey }
}
