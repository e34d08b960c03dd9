import { S3Error } from './error.js'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** A bucket's name that is safe to put into a path or a host name. */
export type Bucket = Branded<'Bucket'>
/** An object's name inside its bucket: decoded Unicode text, at most 1024 bytes in UTF-8. */
export type ObjectKey = Branded<'ObjectKey'>
/** A version id as S3 gave it, or the literal `null` of objects from before versioning. */
export type VersionId = Branded<'VersionId'>

const BUCKET = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{1,253})[A-Za-z0-9]$/

/**
 * A bucket's name, 3 to 255 of letters, digits, `.`, `_` and `-`: today's rules and the older ones of us-east-1.
 * No name with `..`, `/`, `@`, `:` or `#` gets past here, because a name may become part of the upstream's host.
 *
 * @throws S3Error InvalidBucketName
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function parseBucket(name: string): Bucket {
  if (!BUCKET.test(name) || name.includes('..')) {
    throw new S3Error('InvalidBucketName', { extra: { BucketName: name.slice(0, 255) } })
  }
  return name as Bucket
}

const MAX_KEY_BYTES = 1024

/**
 * An object key: 1 to 1024 bytes of UTF-8.
 *
 * @throws S3Error KeyTooLongError, InvalidURI (empty)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
export function parseObjectKey(text: string): ObjectKey {
  if (text.length === 0) throw new S3Error('InvalidURI')
  // No UTF-16 code unit takes more than three bytes.
  const size = text.length * 3 <= MAX_KEY_BYTES ? 0 : Buffer.byteLength(text, 'utf8')
  if (size > MAX_KEY_BYTES) {
    throw new S3Error('KeyTooLongError', { extra: { Size: String(size), MaxSizeAllowed: String(MAX_KEY_BYTES) } })
  }
  return text as ObjectKey
}

/** A version id: 1 to 1024 characters that need no escape in a query. @throws S3Error InvalidArgument */
export function parseVersionId(text: string): VersionId {
  if (!/^[\x21-\x7e]{1,1024}$/.test(text)) {
    throw new S3Error('InvalidArgument', {
      message: 'Invalid version id specified',
      extra: { ArgumentName: 'versionId' },
    })
  }
  return text as VersionId
}
