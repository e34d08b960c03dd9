import { S3Error } from '../s3/error.js'

/** Rather than to send what was not signed. */
export function unsignable(reason: string): S3Error {
  return new S3Error('InternalError', { cause: new Error(`refused to sign: ${reason}`) })
}
