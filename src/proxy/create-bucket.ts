import type { Cancellation } from '../upstream/types.js'
import type { ClassifiedRequest, Pipeline } from './messages.js'
import { mayDo } from './authorize.js'
import { S3Error } from '../s3/error.js'
import type { RequestRecord } from './record.js'
import type { Target } from '../s3/target.js'
import { forward } from './forward.js'
import { probeOf } from './probe.js'

/**
 * rclone creates the bucket before it uploads, and takes AccessDenied for the end. An identity that may write there but
 * not manage is therefore told what S3 tells the owner of a bucket that exists: nothing is created, and the upload goes
 * on. Where the bucket does not exist, authorize refuses.
 *
 * @throws S3Error BucketAlreadyOwnedByYou, ServiceUnavailable; UpstreamFailure
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 */
export function answerNeedlessCreation(
  request: ClassifiedRequest,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<void> | undefined {
  const { operation, target, identity } = request
  if (operation.name !== 'CreateBucket' || target.type !== 'bucket') return undefined
  const { bucket } = target
  if (mayDo(identity.grants, 'manage', { type: 'bucket', bucket })) return undefined
  if (!mayDo(identity.grants, 'write', { type: 'somewhere', bucket })) return undefined
  return answerWhereThere(request, target, pipeline, signal, record)
}

async function answerWhereThere(
  request: ClassifiedRequest,
  target: Extract<Target, { type: 'bucket' }>,
  pipeline: Pipeline,
  signal: Cancellation,
  record: RequestRecord,
): Promise<void> {
  const { response } = await forward(probeOf(request, { method: 'HEAD', target }), pipeline, signal, record)
  response.body.resume()
  if (response.status >= 500) throw new S3Error('ServiceUnavailable')
  if (response.status !== 200) return
  throw new S3Error('BucketAlreadyOwnedByYou', {
    message: 'Your previous request to create the named bucket succeeded and you already own it.',
    extra: { BucketName: target.bucket },
  })
}
