import { readPolicy } from '../bucket-policy.js'
import { emptyAnswer, type Answer, type BucketCall } from '../call.js'
import { Refusal } from '../refusal.js'
import { readSmallBody } from '../request-document.js'

/** @throws Refusal NoSuchBucketPolicy */
export function getBucketPolicy({ bucket }: BucketCall): Answer {
  if (bucket.policy === 'none') throw new Refusal('NoSuchBucketPolicy', { extra: { BucketName: bucket.name } })
  const bytes = Buffer.from(bucket.policy.text)
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { type: 'bytes', size: bytes.length, bytes: [bytes] },
  }
}

/** @throws Refusal MalformedPolicy */
export async function putBucketPolicy(call: BucketCall): Promise<Answer> {
  const body = await readSmallBody(call)
  if (body.length > 20 * 1024) throw new Refusal('PolicyTooLarge')
  call.bucket.policy = readPolicy(body.toString('utf8'), call.bucket.name)
  return emptyAnswer(204)
}

export function deleteBucketPolicy({ bucket }: BucketCall): Answer {
  bucket.policy = 'none'
  return emptyAnswer(204)
}
