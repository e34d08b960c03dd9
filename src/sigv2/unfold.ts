import type { Fields } from '../s3/fields.js'
import { hoistedFields, withHoisted } from '../s3/hoisted.js'
import type { Query } from '../s3/query.js'
import type { Version2Authorization } from './types.js'

const SIGNING = new Set(['AWSAccessKeyId', 'Expires', 'Signature'])
/** boto3 repeats these headers in the query, where they mean nothing to S3: their headers must come as they were signed. */
const REPEATED = new Set(['content-md5', 'content-type'])

/** The request as its signer meant it. */
export interface Unfolded {
  readonly query: Query
  readonly fields: Fields
}

/**
 * A presigned request without the parameters that sign it, and with the `x-amz-*` parameters as the headers that they stand
 * for (boto2 and boto3 move such headers into the query; S3 signs them like headers).
 *
 * @throws S3Error InvalidArgument where a parameter cannot be a header, or came as a header with another value
 */
export function unfoldVersion2({ type }: Version2Authorization, query: Query, fields: Fields): Unfolded {
  if (type === 'version-2-header') return { query, fields }
  const asked = [...query].filter(([name]) => !SIGNING.has(name) && !REPEATED.has(name) && !/^x-amz-/i.test(name))
  return { query: new Map(asked), fields: withHoisted(fields, hoistedFields(query, new Set())) }
}
