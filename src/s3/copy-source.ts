import { S3Error } from './error.js'
import { decodeBytes, encodePath, encodeQueryPart } from './encode.js'
import { type Bucket, type ObjectKey, type VersionId, parseBucket, parseObjectKey, parseVersionId } from './names.js'

/** The object that a copy reads. */
export interface CopySource {
  readonly bucket: Bucket
  readonly objectKey: ObjectKey
  readonly version: { readonly type: 'latest' } | { readonly type: 'id'; readonly versionId: VersionId }
}

const VERSION = 'versionId='

/**
 * Parses `x-amz-copy-source`: `bucket/key` or `/bucket/key`, percent-encoded wholly or in part, then `?versionId=` in
 * the clear. A bare `+` is a space, as S3 reads it. A `?` that belongs to the object key must be encoded.
 *
 * @throws S3Error InvalidArgument, InvalidURI, InvalidBucketName, KeyTooLongError; NotImplemented for access points
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export function parseCopySource(value: string): CopySource {
  const mark = value.indexOf('?')
  const name = decode(mark < 0 ? value : value.slice(0, mark))
  if (/^\/?arn:/i.test(name)) {
    throw new S3Error('NotImplemented', {
      message: 'Copy sources that name an access point are not implemented. Name the bucket.',
    })
  }
  const [, bucket, objectKey] = /^([^/]*)\/(.+)$/s.exec(name.replace(/^\//, '')) ?? []
  if (bucket === undefined || objectKey === undefined) throw invalid('Name the source as bucket/object-key.')
  return {
    bucket: parseBucket(bucket),
    objectKey: parseObjectKey(objectKey),
    version: mark < 0 ? { type: 'latest' } : versionOf(value.slice(mark + 1)),
  }
}

/** The header's value for the upstream, strictly encoded. */
export function formatCopySource({ bucket, objectKey, version }: CopySource): string {
  const suffix = version.type === 'latest' ? '' : `?${VERSION}${encodeQueryPart(version.versionId)}`
  return `${encodePath(bucket)}/${encodePath(objectKey)}${suffix}`
}

function versionOf(rawQuery: string): CopySource['version'] {
  if (!rawQuery.startsWith(VERSION))
    throw invalid('Only ?versionId= may follow the object key; encode other "?" as %3F.')
  return { type: 'id', versionId: parseVersionId(decodeBytes(rawQuery.slice(VERSION.length))) }
}

function decode(raw: string): string {
  return decodeBytes(raw.replaceAll('+', ' '))
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidArgument', { message, extra: { ArgumentName: 'x-amz-copy-source' } })
}
