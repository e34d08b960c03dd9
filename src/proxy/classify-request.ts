import type { AuthenticatedRequest, ClassifiedRequest } from './messages.js'
import { classify, hoistedFields } from '../s3/classify.js'
import type { Fields } from '../s3/fields.js'
import { S3Error } from '../s3/error.js'
import { parseCopySource } from '../s3/copy-source.js'
import { parseTarget } from '../s3/target.js'

/**
 * The third stage: which operation on what. An operation that the table does not know, or refuses on purpose, ends here.
 *
 * @throws S3Error NotImplemented, MethodNotAllowed, InvalidArgument, InvalidURI, InvalidBucketName, KeyTooLongError
 */
export function classifyRequest(request: AuthenticatedRequest, baseDomains: readonly string[]): ClassifiedRequest {
  const fields = withHoisted(request)
  const target = parseTarget(request.rawPath, request.host, baseDomains)
  const operation = classify({ method: request.method, target, query: request.query, fields })
  if (operation.handling !== 'forward') {
    throw new S3Error('NotImplemented', { message: `${operation.name}: ${operation.handling.refuse}` })
  }
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
function withHoisted(request: AuthenticatedRequest): Fields {
  if (request.authorization.type !== 'presigned') return request.fields
  const hoisted = hoistedFields(request.query)
  if (hoisted.size === 0) return request.fields
  const fields = new Map(request.fields)
  for (const [name, text] of hoisted) {
    const value = Buffer.from(text, 'utf8').toString('latin1')
    const sent = fields.get(name)
    if (sent !== undefined && sent !== value) {
      throw new S3Error('InvalidArgument', {
        message: `${name} is in the query and, with another value, in the headers. Send it once.`,
        extra: { ArgumentName: name },
      })
    }
    if (/[\0\r\n]/.test(value)) {
      throw new S3Error('InvalidArgument', {
        message: `${name} in the query holds a character that no header may hold.`,
        extra: { ArgumentName: name },
      })
    }
    fields.set(name, value)
  }
  return fields
}
