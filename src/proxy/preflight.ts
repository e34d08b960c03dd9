import type { AuthenticatedRequest, Identity, ParsedRequest, Pipeline } from './messages.js'
import { S3Error } from '../s3/error.js'
import { matchesBucket } from './authorize.js'

/** All that a preflight says; nothing else of it travels on. */
const FIELDS = ['host', 'origin', 'access-control-request-method', 'access-control-request-headers']

/** Whoever it is that asks: no grants, and no credentials to lend. */
const STRANGER: Identity = {
  name: 'none',
  class: 'none',
  authentication: { type: 'anonymous' },
  grants: [],
  credentials: () => Promise.reject(new Error('a preflight has no credentials')),
}

/**
 * A browser asks before it sends a request of another site's page, and sends no credentials with the question. S3
 * answers strangers from the bucket's CORS configuration alone; so the question goes there unsigned, without its query
 * (which for a presigned URL holds a signature) and with nothing else of the client.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
 */
export function asPreflight(request: ParsedRequest): AuthenticatedRequest {
  const fields = new Map([...request.fields].filter(([name]) => FIELDS.includes(name)))
  return {
    ...request,
    fields,
    query: new Map(),
    identity: STRANGER,
    authorization: { type: 'none' },
    verified: 'none',
    payload: { type: 'unsigned' },
    form: 'none',
  }
}

/** Strangers hear nothing of buckets that no identity here has to do with. @throws S3Error AccessDenied */
export function demandServed(
  bucket: string,
  { identities, anonymous }: Pick<Pipeline, 'identities' | 'anonymous'>,
): void {
  for (const { grants } of [...identities.values(), ...anonymous.values()]) {
    if (grants.some((grant) => matchesBucket(grant.bucket, bucket))) return
  }
  throw new S3Error('AccessDenied', { cause: 'a preflight for a bucket that no identity has a grant for' })
}
