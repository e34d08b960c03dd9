import { S3Error } from '../s3/error.js'
import type { Fields } from '../s3/fields.js'
import type { Query } from '../s3/query.js'
import { severalMechanisms } from '../sigv4/authorization.js'
import type { Version2Authorization } from './types.js'

const HEADER = /^AWS[ \t]/
/** `AWS AKID:signature`; stores other than AWS have access keys with colons in them, base64 has none. */
const HEADER_PARTS = /^AWS[ \t]+([\x21-\x7e]+):[ \t]*([A-Za-z0-9+/=]+)[ \t]*$/

/**
 * What the client says of a version-2 signature, from the Authorization header or the query; `none` where it has no such
 * signature (it may have another). Nothing is verified.
 *
 * @param query decoded
 * @throws S3Error InvalidArgument (header without its parts; another signature beside this one), AccessDenied (a presigned
 *   request without all of its parameters, or with an Expires that is no time)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 */
export function parseVersion2(fields: Fields, query: Query): Version2Authorization | { readonly type: 'none' } {
  const header = fields.get('authorization')
  if (query.has('AWSAccessKeyId') || query.has('Signature')) {
    if (header !== undefined || hasVersion4(query)) throw severalMechanisms()
    return fromQuery(query)
  }
  if (header === undefined || !HEADER.test(header)) return { type: 'none' }
  if (hasVersion4(query)) throw severalMechanisms()
  const [, accessKeyId, signature] = HEADER_PARTS.exec(header) ?? []
  if (accessKeyId === undefined || signature === undefined) {
    throw new S3Error('InvalidArgument', {
      message: 'AWS authorization header is invalid.  Expected AwsAccessKeyId:signature',
      extra: { ArgumentName: 'Authorization' },
    })
  }
  return { type: 'version-2-header', accessKeyId, signature }
}

function fromQuery(query: Query): Version2Authorization {
  const [accessKeyId = '', signature = '', expires = ''] = ['AWSAccessKeyId', 'Signature', 'Expires'].map((name) =>
    query.get(name),
  )
  if (accessKeyId === '' || signature === '' || expires === '') {
    throw new S3Error('AccessDenied', {
      message: 'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    })
  }
  // Bounded, so that it is a time that can be shown.
  if (!/^(?:-\d{1,12}|\d{1,15})$/.test(expires)) {
    throw new S3Error('AccessDenied', {
      message: `Invalid date (should be seconds since epoch): ${expires.slice(0, 64)}`,
    })
  }
  return { type: 'version-2-presigned', accessKeyId, signature, expires }
}

function hasVersion4(query: Query): boolean {
  return ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature'].some((name) => query.has(name))
}
