import type { PlannedAttempt } from './attempts.js'
import type { Pipeline, RewrittenRequest } from './messages.js'
import { Readable } from 'node:stream'
import type { Target } from '../s3/target.js'
import type { UpstreamRequest } from '../upstream/types.js'
import { encodePath } from '../s3/encode.js'
import { endpointFor } from '../upstream/address.js'
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

/** The path for the upstream: bucket and object key, decoded once by the parser, encoded once here. */
export function upstreamPath(target: Target, bucketInHost: boolean): string {
  switch (target.type) {
    case 'service':
      return '/'
    case 'bucket':
      return bucketInHost ? '/' : `/${encodePath(target.bucket)}`
    case 'object':
      return bucketInHost
        ? `/${encodePath(target.objectKey)}`
        : `/${encodePath(target.bucket)}/${encodePath(target.objectKey)}`
  }
}

function bodyOf(body: RewrittenRequest['upstreamBody']): UpstreamRequest['body'] {
  switch (body.type) {
    case 'none':
      return { type: 'none' }
    case 'bytes':
      return { type: 'stream', stream: Readable.from([body.bytes], { objectMode: false }) }
    case 'stream':
      return { type: 'stream', stream: body.open() }
  }
}
