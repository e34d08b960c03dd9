import type { PlannedAttempt } from './attempts.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import type { UpstreamRequest } from '../upstream/types.js'
import { type Endpoint, endpointFor, upstreamPath } from '../upstream/address.js'
import { signFormAttempt } from './sign-form.js'
import type { AwsCredentials } from '../sigv4/types.js'
import type { Soon } from '../keyring/port.js'
import { SignedUpstreamRequest } from '../upstream/signed-request.js'
import { signHead } from '../sigv4/sign.js'
import { whenKnown } from '../keyring/soon.js'
import { wholeBody } from './whole-body.js'

/**
 * The seventh stage: puts host and customer keys in and signs. What comes out cannot be changed: no later stage changes a
 * header, a path or a query. It is there at once where the credentials are.
 *
 * @throws what there is where there are no credentials (or rejects with it); S3Error as the signer does
 */
export function signAttempt(
  request: RewrittenRequest,
  attempt: PlannedAttempt,
  region: string,
  pipeline: Pick<Pipeline, 'upstream' | 'now'>,
): Soon<UpstreamRequest> {
  const { target, upstreamBody } = request
  const endpoint = endpointFor(pipeline.upstream, region, target.type === 'service' ? 'service' : target.bucket)
  if (request.operation.permission === 'none') return unsigned(request, endpoint)
  if (upstreamBody.type === 'form' && target.type === 'object') {
    const path = upstreamPath({ type: 'bucket', bucket: target.bucket }, endpoint.bucketInHost)
    return signFormAttempt(request, upstreamBody, attempt, region, endpoint, path, pipeline)
  }
  return whenKnown(request.identity.credentials(), (credentials) =>
    signWith(credentials, request, attempt, region, endpoint, pipeline),
  )
}

function signWith(
  credentials: AwsCredentials,
  request: RewrittenRequest,
  attempt: PlannedAttempt,
  region: string,
  endpoint: Endpoint,
  pipeline: Pick<Pipeline, 'now'>,
): UpstreamRequest {
  const head = signHead(request.upstreamHeaders, attempt.headers, endpoint.hostHeader, {
    method: request.method,
    path: upstreamPath(request.target, endpoint.bucketInHost),
    query: request.upstreamQuery,
    credentials,
    region,
    now: pipeline.now(),
  })
  return new SignedUpstreamRequest(endpoint, head, bodyOf(request.upstreamBody))
}

/** A preflight: S3 wants no credentials for it, and gets none. */
function unsigned({ method, target, upstreamHeaders }: RewrittenRequest, endpoint: Endpoint): UpstreamRequest {
  const { hostname, port, hostHeader, bucketInHost } = endpoint
  const headers = Object.freeze({ ...Object.fromEntries(upstreamHeaders), host: hostHeader })
  return Object.freeze({ method, hostname, port, path: upstreamPath(target, bucketInHost), headers, body: NO_BODY })
}

const NO_BODY = Object.freeze({ type: 'none' })

function bodyOf(body: RewrittenRequest['upstreamBody']): UpstreamRequest['body'] {
  switch (body.type) {
    case 'none':
      return NO_BODY
    case 'form':
      throw new Error('a form without its object')
    case 'bytes':
      return { type: 'stream', stream: wholeBody(() => body.bytes) }
    case 'stream':
      return { type: 'stream', stream: body.open() }
  }
}
