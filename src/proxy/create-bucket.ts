import type { ClassifiedRequest, Pipeline } from './messages.js'
import { mayDo } from './authorize.js'
import { S3Error } from '../s3/error.js'
import type { RequestRecord } from './record.js'
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
export async function answerNeedlessCreation(
  request: ClassifiedRequest,
  pipeline: Pipeline,
  signal: AbortSignal,
  record: RequestRecord,
): Promise<void> {
  const { operation, target, identity } = request
  if (operation.name !== 'CreateBucket' || target.type !== 'bucket') return
  const { bucket } = target
  if (mayDo(identity.grants, 'manage', { type: 'bucket', bucket })) return
  if (!mayDo(identity.grants, 'write', { type: 'somewhere', bucket })) return
  const { response } = await forward(probeOf(request, { method: 'HEAD', target }), pipeline, signal, record)
  response.body.resume()
  if (response.status >= 500) throw new S3Error('ServiceUnavailable')
  if (response.status !== 200) return
  throw new S3Error('BucketAlreadyOwnedByYou', {
    message: 'Your previous request to create the named bucket succeeded and you already own it.',
    extra: { BucketName: bucket },
  })
}
