import { S3Error } from '../s3/error.js'
import { parseBucket } from '../s3/names.js'

const NAME = 'must be the name of a bucket: 3 to 255 of letters, digits, `.`, `_` and `-`, without `..`'

/** Why this is not the name of a bucket, or `ok`. */
export function bucketProblem(name: string): string {
  try {
    parseBucket(name)
    return 'ok'
  } catch (error) {
    if (error instanceof S3Error) return NAME
    throw error
  }
}

/** As {@link bucketProblem}, for the bucket of a rule: a name or `*`. */
export function ruleBucketProblem(name: string): string {
  if (name === '*') return 'ok'
  if (name.includes('*'))
    return 'must be a whole name or a lone *: which of two patterns decides about a key must be plain'
  return bucketProblem(name)
}

/** As {@link bucketProblem}, for the bucket of a grant, which may be a pattern with `*`. */
export function bucketPatternProblem(pattern: string): string {
  if (!pattern.includes('*')) return bucketProblem(pattern)
  return /^[A-Za-z0-9._*-]{1,255}$/.test(pattern) && !pattern.includes('..')
    ? 'ok'
    : 'must be the name of a bucket, or a pattern of letters, digits, `.`, `_`, `-` and *'
}

/** Why no object key can start with this, or `ok`. */
export function prefixProblem(prefix: string): string {
  if (/\p{Surrogate}/u.test(prefix)) return 'is not Unicode text'
  return Buffer.byteLength(prefix, 'utf8') <= 1024 ? 'ok' : 'is longer than an object key can be: 1024 bytes'
}
