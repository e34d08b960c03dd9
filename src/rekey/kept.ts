import type { Fields } from '../s3/fields.js'

/** What a copy must be told because S3 takes it from the request alone, even with `x-amz-metadata-directive: COPY`. */
const TOLD = [
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-object-lock-legal-hold',
]
/** What CopyObject takes over by itself, and a multipart upload must be told as well. */
const DESCRIBING = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]
const META = 'x-amz-meta-'
const CHECKSUM = /^x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256|md5)$/

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export function copyHeaders(head: Fields): Record<string, string> {
  return Object.fromEntries([...head].filter(([name]) => TOLD.includes(name)))
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export function uploadHeaders(head: Fields): Record<string, string> {
  const { algorithm } = checksumOf(head)
  return {
    ...Object.fromEntries(
      [...head].filter(([name]) => TOLD.includes(name) || DESCRIBING.includes(name) || name.startsWith(META)),
    ),
    ...(algorithm === 'none' ? {} : { 'x-amz-checksum-algorithm': algorithm.toUpperCase() }),
    ...(wholeChecksum(head) === 'none' ? {} : { 'x-amz-checksum-type': 'FULL_OBJECT' }),
  }
}

export interface ObjectChecksum {
  readonly algorithm: string | 'none'
  readonly type: string | 'none'
  readonly value: string
}

/** The additional checksum that HEAD told of. */
export function checksumOf(head: Fields): ObjectChecksum {
  for (const [name, value] of head) {
    const algorithm = CHECKSUM.exec(name)?.[1]
    if (algorithm !== undefined) return { algorithm, type: head.get('x-amz-checksum-type') ?? 'none', value }
  }
  return { algorithm: 'none', type: 'none', value: '' }
}

/**
 * The checksum that a multipart copy of the object will have too, whatever its parts: only CRCs of the whole object can
 * be put together from parts.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function wholeChecksum(head: Fields): ObjectChecksum | 'none' {
  const checksum = checksumOf(head)
  return checksum.type === 'FULL_OBJECT' && checksum.algorithm.startsWith('crc') ? checksum : 'none'
}

/** The size in bytes that a HEAD told. */
export const sizeOf = (head: Fields): number => Number(head.get('content-length') ?? Number.NaN)

/** Names of what a copy should have kept and has not; empty where all is well. */
export function differences(before: Fields, after: Fields): readonly string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => name === 'content-length' || TOLD.includes(name) || DESCRIBING.includes(name) || name.startsWith(META),
  )
  const changed = names.filter((name) => !isSame(name, before.get(name), after.get(name)))
  // Permission to count tags is one of its own, so only two numbers can differ.
  const tags = [before, after].map((head) => head.get('x-amz-tagging-count') ?? 'unknown')
  if (!tags.includes('unknown') && tags[0] !== tags[1]) changed.push('tags')
  const [was, is] = [checksumOf(before), checksumOf(after)]
  if (was.algorithm !== 'none' && was.algorithm !== is.algorithm) changed.push('checksum algorithm')
  // A checksum of checksums depends on where the parts were cut.
  if (was.algorithm === is.algorithm && ![was, is].some(isComposite) && was.value !== is.value) changed.push('checksum')
  return changed
}

const isComposite = ({ type, value }: ObjectChecksum): boolean => type === 'COMPOSITE' || /-\d+$/.test(value)

/** STANDARD goes without saying; a time may be written with other fractions of a second. */
function isSame(name: string, before: string | undefined, after: string | undefined): boolean {
  if (name === 'x-amz-storage-class') return (before ?? 'STANDARD') === (after ?? 'STANDARD')
  if (name === 'x-amz-object-lock-legal-hold') return (before ?? 'OFF') === (after ?? 'OFF')
  if (name.endsWith('until-date') && before !== undefined && after !== undefined) {
    return Date.parse(before) === Date.parse(after)
  }
  return before === after
}
