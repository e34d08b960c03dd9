import type { AuthenticatedRequest, ClassifiedRequest } from './messages.js'
import { classify } from '../s3/classify.js'
import { hoistedFields, withHoisted } from '../s3/hoisted.js'
import type { Fields } from '../s3/fields.js'
import { S3Error } from '../s3/error.js'
import { parseCopySource } from '../s3/copy-source.js'
import { parseTarget } from '../s3/target.js'
import { unsignedSelector } from '../sigv2/sub-resources.js'

/**
 * The third stage: which operation on what. An operation that the table does not know, or refuses on purpose, ends here.
 *
 * @throws S3Error NotImplemented, MethodNotAllowed, InvalidArgument, InvalidRequest (version 2 does not cover the operation), InvalidURI, InvalidBucketName, KeyTooLongError
 */
export function classifyRequest(request: AuthenticatedRequest, baseDomains: readonly string[]): ClassifiedRequest {
  const fields = fieldsOf(request)
  const target = parseTarget(request.rawPath, request.host, baseDomains)
  const operation = classify({ method: request.method, target, query: request.query, fields })
  if (operation.handling !== 'forward') {
    throw new S3Error('NotImplemented', { message: `${operation.name}: ${operation.handling.refuse}` })
  }
  if (request.authorization.type.startsWith('version-2')) refuseUnsigned(operation.required)
  const source = fields.get('x-amz-copy-source')
  if (source !== undefined && operation.customerKey !== 'target-and-source') {
    throw new S3Error('InvalidArgument', {
      message: `x-amz-copy-source has no meaning for ${operation.name}. Leave it out.`,
      extra: { ArgumentName: 'x-amz-copy-source' },
    })
  }
  return { ...request, fields, operation, target, copySource: source === undefined ? 'none' : parseCopySource(source) }
}

/** Presigners move headers into the query, where the signature covers them: here they are headers again. */
function fieldsOf({ authorization, fields, query }: AuthenticatedRequest): Fields {
  return authorization.type === 'presigned' ? withHoisted(fields, hoistedFields(query)) : fields
}

/** Version 2 signs few query parameters: whoever holds such a request must not make another operation of it. */
function refuseUnsigned(required: readonly string[]): void {
  const name = unsignedSelector(required)
  if (name === 'none') return
  throw new S3Error('InvalidRequest', {
    message: `The query parameter ${name} is not covered by a version 2 signature. Please use AWS4-HMAC-SHA256.`,
    extra: { ArgumentName: name },
  })
}
