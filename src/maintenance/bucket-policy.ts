import { parseBucketPolicy, type BucketPolicy } from '../s3/bucket-policy.js'
import type { Bucket } from '../s3/names.js'
import type { MaintenanceAnswer, UpstreamAccess } from './access.js'
import { MaintenanceError, refusedBy } from './error.js'

/** Asks for a bucket's policy, whatever the answer is. */
export function askForPolicy(access: Pick<UpstreamAccess, 'send'>, bucket: Bucket): Promise<MaintenanceAnswer> {
  const query = new Map([['policy', '']])
  return access.send({ method: 'GET', target: { type: 'bucket', bucket }, query, headers: {}, body: 'none' })
}

/** A bucket's policy; `none` where it has none. @throws MaintenanceError */
export async function readPolicy(access: Pick<UpstreamAccess, 'send'>, bucket: Bucket): Promise<BucketPolicy | 'none'> {
  const answer = await askForPolicy(access, bucket)
  if (answer.status === 404 && answer.code === 'NoSuchBucketPolicy') return 'none'
  if (answer.status !== 200) throw refusedBy(`the policy of ${bucket} (GetBucketPolicy)`, answer)
  const policy = parseBucketPolicy(answer.body.toString('utf8'))
  if (policy === 'unreadable') throw new MaintenanceError(`the policy of ${bucket} is not a policy's JSON`)
  return policy
}

/**
 * Sets a bucket's policy. S3 knows no condition for it: who changes it in the same moment wins or loses.
 *
 * @throws MaintenanceError
 */
export async function writePolicy(
  access: Pick<UpstreamAccess, 'send'>,
  bucket: Bucket,
  policy: BucketPolicy,
): Promise<void> {
  const answer = await access.send({
    method: 'PUT',
    target: { type: 'bucket', bucket },
    query: new Map([['policy', '']]),
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(policy)),
  })
  if (answer.status >= 300) throw refusedBy(`setting the policy of ${bucket} (PutBucketPolicy)`, answer)
}
