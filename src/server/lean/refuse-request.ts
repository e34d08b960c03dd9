import { HeadTooLong } from './head-buffer.js'
import { Malformed } from '../../http1/malformed.js'
import type { RequestHead } from './request-head.js'
import { S3Error } from '../../s3/error.js'
import type { Service } from './service.js'

/** Why a request whose head is good is not given to the handler. */
export function refusalOf(head: RequestHead, { connections, outOfOrder }: Service): S3Error | 'none' {
  if (head.expects === 'unknown') return new S3Error('ExpectationFailed')
  if (connections.draining()) {
    return new S3Error('ServiceUnavailable', { message: 'Shutting down. Reconnect and try again.' })
  }
  const reason = outOfOrder()
  return reason === 'none' ? 'none' : new S3Error('ServiceUnavailable', { cause: new Error(reason) })
}

/** What bytes are answered with that are no request; `none` where the fault is ours. */
export function errorOf(cause: unknown): S3Error | 'none' {
  if (cause instanceof HeadTooLong) return new S3Error('RequestHeaderSectionTooLarge', { cause })
  return cause instanceof Malformed ? new S3Error('BadRequest', { cause }) : 'none'
}
