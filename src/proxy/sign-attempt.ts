import type { PlannedAttempt } from './attempts.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import { Readable } from 'node:stream'
import type { UpstreamRequest } from '../upstream/types.js'
import { type Endpoint, endpointFor, upstreamPath } from '../upstream/address.js'
import { signFormAttempt } from './sign-form.js'
import { signRequest } from '../sigv4/sign.js'

/**
 * The seventh stage: puts host and customer keys in and signs. What comes out is frozen: no later stage changes a
 * header, a path or a query.
 */
export async function signAttempt(
  request: RewrittenRequest,
  attempt: PlannedAttempt,
  region: string,
  pipeline: Pick<Pipeline, 'upstream' | 'now'>,
): Promise<UpstreamRequest> {
  const { target, upstreamBody } = request
  const endpoint = endpointFor(pipeline.upstream, region, target.type === 'service' ? 'service' : target.bucket)
  if (request.operation.permission === 'none') return unsigned(request, endpoint)
  if (upstreamBody.type === 'form' && target.type === 'object') {
    const path = upstreamPath({ type: 'bucket', bucket: target.bucket }, endpoint.bucketInHost)
    return signFormAttempt(request, upstreamBody, attempt, region, endpoint, path, pipeline)
  }
  const credentials = await request.identity.credentials()
  const signed = signRequest({
    method: request.method,
    path: upstreamPath(target, endpoint.bucketInHost),
    query: request.upstreamQuery,
    headers: { ...request.upstreamHeaders, ...attempt.headers, host: endpoint.hostHeader },
    credentials,
    region,
    now: pipeline.now(),
  })
  return Object.freeze({
    method: request.method,
    hostname: endpoint.hostname,
    port: endpoint.port,
    path: signed.path,
    headers: Object.freeze(signed.headers),
    body: bodyOf(upstreamBody),
  })
}

/** A preflight: S3 wants no credentials for it, and gets none. */
function unsigned({ method, target, upstreamHeaders }: RewrittenRequest, endpoint: Endpoint): UpstreamRequest {
  const headers = { ...upstreamHeaders, host: endpoint.hostHeader }
  return Object.freeze({
    method,
    hostname: endpoint.hostname,
    port: endpoint.port,
    path: upstreamPath(target, endpoint.bucketInHost),
    headers: Object.freeze(headers),
    body: { type: 'none' } as const,
  })
}

function bodyOf(body: RewrittenRequest['upstreamBody']): UpstreamRequest['body'] {
  switch (body.type) {
    case 'none':
      return { type: 'none' }
    case 'form':
      throw new Error('a form without its object')
    case 'bytes':
      return { type: 'stream', stream: Readable.from([body.bytes], { objectMode: false }) }
    case 'stream':
      return { type: 'stream', stream: body.open() }
  }
}
