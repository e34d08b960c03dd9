import type { AccessKeyConfig, SignatureVersion } from '../config/types.js'
import type { AuthenticatedRequest, Identity, ParsedRequest, Pipeline } from './messages.js'
import { S3Error } from '../s3/error.js'
import { bucketInHost } from '../s3/target.js'
import { ALGORITHM, parseAuthorization } from '../sigv4/authorization.js'
import { asPreflight } from './preflight.js'
import { authenticated } from './stage-requests.js'
import { parsePayloadMode } from '../sigv4/payload-mode.js'
import { parseVersion2 } from '../sigv2/authorization.js'
import { unfoldVersion2 } from '../sigv2/unfold.js'
import { verifySignature } from '../sigv4/verify.js'
import { verifyVersion2 } from '../sigv2/verify.js'
import type { Version2Authorization } from '../sigv2/types.js'

type Needs = Pick<Pipeline, 'identities' | 'anonymous' | 'baseDomains' | 'clientRegions' | 'now'>

/**
 * The second stage: proves who is calling. Without a signature nobody gets in, but for the identity that a loopback
 * listener names; a browser's preflight, which never has one, goes on as a stranger's.
 *
 * @throws S3Error AccessDenied, InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed, InvalidRequest (a version of the
 *   signature that the identity may not use) and what the parsers of sigv4 and sigv2 throw
 */
export function authenticate(
  request: ParsedRequest,
  pipeline: Needs,
  listenerAnonymous: string | 'none',
): AuthenticatedRequest {
  if (request.method === 'OPTIONS') return asPreflight(request)
  const version2 = parseVersion2(request.fields, request.query)
  if (version2.type !== 'none') return authenticateVersion2(request, version2, pipeline)
  const authorization = parseAuthorization(request.fields, request.query)
  if (authorization.type === 'none') {
    const identity = anonymousIdentity(request, pipeline, listenerAnonymous)
    const payload = parsePayloadMode(request.fields, authorization)
    return authenticated(request, request, identity, authorization, 'none', payload)
  }
  const { identity, accessKey } = knownIdentity(authorization.scope.accessKeyId, 'v4', pipeline.identities)
  const verified = verifySignature({
    method: request.method,
    rawPath: request.rawPath,
    rawQuery: request.rawQuery,
    fields: request.fields,
    authorization,
    secretAccessKey: accessKey.secretAccessKey,
    now: pipeline.now(),
    regions: pipeline.clientRegions,
  })
  const payload = parsePayloadMode(request.fields, authorization)
  return authenticated(request, request, identity, authorization, verified, payload)
}

/**
 * Who a request without a signature is, on a listener that has somebody for it.
 *
 * @throws S3Error AccessDenied
 */
export function anonymousIdentity(
  request: ParsedRequest,
  { anonymous, baseDomains }: Pick<Pipeline, 'anonymous' | 'baseDomains'>,
  listenerAnonymous: string | 'none',
): Identity {
  const identity = anonymous.get(listenerAnonymous)
  if (listenerAnonymous === 'none' || identity === undefined) throw new S3Error('AccessDenied')
  refuseBrowsers(request, baseDomains)
  return identity
}

/**
 * Version 2 signs no body. Where the client describes its body all the same (x-amz-content-sha256 is signed like every
 * x-amz-* header), it is read so, or framing would be stored as content; chunk signatures it cannot have.
 */
function authenticateVersion2(
  request: ParsedRequest,
  authorization: Version2Authorization,
  pipeline: Needs,
): AuthenticatedRequest {
  const { identity, accessKey } = knownIdentity(authorization.accessKeyId, 'v2', pipeline.identities)
  const unfolded = unfoldVersion2(authorization, request.query, request.fields)
  verifyVersion2({
    method: request.method,
    bucketInHost: bucketInHost(request.host, pipeline.baseDomains),
    rawPath: request.rawPath,
    rawQuery: request.rawQuery,
    query: unfolded.query,
    fields: unfolded.fields,
    authorization,
    secretAccessKey: accessKey.secretAccessKey,
    now: pipeline.now(),
    presignedLifetimeMs: accessKey.presignedV2LifetimeMs,
  })
  const payload = parsePayloadMode(unfolded.fields, { type: 'none' })
  return authenticated(request, unfolded, identity, authorization, 'none', payload)
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

/**
 * The identity with this access key, if it may use this version of the signature.
 *
 * @throws S3Error InvalidAccessKeyId, InvalidRequest
 */
export function knownIdentity(
  accessKeyId: string,
  version: SignatureVersion,
  identities: ReadonlyMap<string, Identity>,
): { readonly identity: Identity; readonly accessKey: AccessKeyConfig } {
  const identity = identities.get(accessKeyId)
  if (identity?.authentication.type !== 'access-key') {
    throw new S3Error('InvalidAccessKeyId', { extra: { AWSAccessKeyId: accessKeyId } })
  }
  const accessKey = identity.authentication
  if (!accessKey.signatures.includes(version)) {
    throw new S3Error('InvalidRequest', {
      message: `The authorization mechanism you have provided is not supported. ${version === 'v2' ? `Please use ${ALGORITHM}.` : 'Please use AWS signature version 2.'}`,
      cause: `identity ${identity.name} has no ${version} among its signatures`,
    })
  }
  return { identity, accessKey }
}
