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
  pipeline: Pick<Pipeline, 'identities' | 'anonymous' | 'baseDomains' | 'clientRegions' | 'now'>,
  listenerAnonymous: string | 'none',
): AuthenticatedRequest {
  const authorization = parseAuthorization(request.fields, request.query)
  if (authorization.type === 'none') {
    const identity = pipeline.anonymous.get(listenerAnonymous)
    if (listenerAnonymous === 'none' || identity === undefined) throw new S3Error('AccessDenied')
    refuseBrowsers(request, pipeline.baseDomains)
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

/**
 * A web page whose name was made to resolve to 127.0.0.1 could use a listener that asks for no signature: its requests
 * say so by their Host, or by an Origin. Programs that belong here name the loopback address or a base domain.
 */
function refuseBrowsers({ host, fields }: ParsedRequest, baseDomains: readonly string[]): void {
  const name = host.replace(/:\d*$/, '').toLowerCase()
  const local = name === '' || name === 'localhost' || /^(?:127(?:\.\d{1,3}){3}|\[::1\])$/.test(name)
  const ours = baseDomains.some((domain) => name === domain || name.endsWith(`.${domain}`))
  if ((local || ours) && !fields.has('origin')) return
  throw new S3Error('AccessDenied', {
    message:
      'Access Denied. Requests without a signature must name localhost, a loopback address or a base domain as their ' +
      'host, and must not come from a web page.',
    cause: 'an anonymous request with another Host, or with an Origin',
  })
}

function knownIdentity(accessKeyId: string, identities: ReadonlyMap<string, Identity>) {
  const identity = identities.get(accessKeyId)
  if (identity?.authentication.type !== 'sigv4') {
    throw new S3Error('InvalidAccessKeyId', { extra: { AWSAccessKeyId: accessKeyId } })
  }
  return { identity, secretAccessKey: identity.authentication.secretAccessKey }
}
