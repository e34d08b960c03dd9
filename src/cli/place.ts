import { InvalidArgumentError } from 'commander'
import { S3Error } from '../s3/error.js'
import { type Bucket, parseBucket } from '../s3/names.js'

/** A bucket, or the objects in it under a prefix. */
export interface Place {
  readonly bucket: Bucket
  /** `''` is all. */
  readonly prefix: string
}

/** For commander's arguments: `s3://BUCKET` or `s3://BUCKET/PREFIX`, taken literally, without percent-encoding. */
export function parsePlace(text: string): Place {
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? []
  if (bucket === undefined) throw new InvalidArgumentError('must be s3://BUCKET or s3://BUCKET/PREFIX')
  try {
    return { bucket: parseBucket(bucket), prefix }
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    throw new InvalidArgumentError('names a bucket that cannot be: 3 to 255 of letters, digits, `.`, `_` and `-`')
  }
}
