import type { AuthenticatedRequest, ClassifiedRequest } from './messages.js'
import { classified } from './stage-requests.js'
import { classify } from '../s3/classify.js'
import { hoistedFields, withHoisted } from '../s3/hoisted.js'
import type { Fields } from '../s3/fields.js'
import { S3Error } from '../s3/error.js'
import { parseCopySource } from '../s3/copy-source.js'
import { keyOfForm } from '../s3/post-form.js'
import { parseObjectKey } from '../s3/names.js'
import { type Target, parseTarget } from '../s3/target.js'
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
  if (operation.name === 'PostObject') {
    return classified(request, fields, operation, targetOfForm(request, target), 'none')
  }
  return classified(request, fields, operation, target, source === undefined ? 'none' : parseCopySource(source))
}

/** A form is sent to the bucket and names its object in a field. */
function targetOfForm({ form }: AuthenticatedRequest, target: Target): Target {
  if (form === 'none' || target.type !== 'bucket') {
    throw new S3Error('InvalidRequest', {
      message:
        'A form (multipart/form-data to a bucket) is authenticated by its fields. Send no Authorization header, and no query, with it.',
    })
  }
  return { type: 'object', bucket: target.bucket, objectKey: parseObjectKey(keyOfForm(form.fields)) }
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
