import type { AuthenticatedRequest, ClassifiedRequest, RewrittenRequest } from './messages.js'
import { EMPTY_SHA256 } from '../sigv4/signing-key.js'
import type { Fields } from '../s3/fields.js'
import type { Query } from '../s3/query.js'
import type { Target } from '../s3/target.js'

/** What a question of the proxy's own takes over from the request that it is about: whose bucket it is, and who pays. */
const TAKEN_OVER = ['x-amz-expected-bucket-owner', 'x-amz-request-payer']

/**
 * A question of the proxy's own for the upstream, on the way of a client's request and with its identity's credentials:
 * no body, no customer key, none of the client's conditions.
 */
export function probeOf(
  request: ClassifiedRequest,
  asked: { readonly method: 'HEAD' | 'GET' | 'DELETE'; readonly target: Target; readonly query?: Query },
): RewrittenRequest {
  return {
    ...request,
    authorized: true,
    document: { type: 'none' },
    method: asked.method,
    target: asked.target,
    targetKey: { type: 'none' },
    sourceKey: { type: 'none' },
    uploadId: 'none',
    uploadChecksum: 'unknown',
    upstreamQuery: asked.query ?? new Map(),
    upstreamHeaders: probeHeaders(request),
    upstreamBody: { type: 'none' },
    sentMD5: () => 'none',
  }
}

/** The query that names the version of an object, where one is known. */
export function versionQuery(versionId: string | undefined): Query {
  return new Map(versionId === undefined ? [] : [['versionId', versionId]])
}

function probeHeaders({ fields }: AuthenticatedRequest): Fields {
  const headers = new Map([['x-amz-content-sha256', EMPTY_SHA256]])
  for (const name of TAKEN_OVER) {
    const value = fields.get(name)
    if (value !== undefined) headers.set(name, value)
  }
  return headers
}
