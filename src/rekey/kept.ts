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

const LOCK_MODE = 'x-amz-object-lock-mode'
const RETAIN_UNTIL = 'x-amz-object-lock-retain-until-date'

/**
 * S3 takes the description of an object over by itself, in the form that it has. A store that loses some of it (MinIO:
 * `Expires`) is told all of it, where an object has what would be lost.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export function copyHeaders(head: Fields, now: Date, loses: readonly string[]): Record<string, string> {
  const isTold = loses.some((name) => head.has(name))
  const told = [...head].filter(([name]) => TOLD.includes(name) || (isTold && isDescription(name)))
  return { ...inForce(Object.fromEntries(told), now), 'x-amz-metadata-directive': isTold ? 'REPLACE' : 'COPY' }
}

const isDescription = (name: string): boolean => DESCRIBING.includes(name) || name.startsWith(META)

/** Without a retention that is over: HEAD shows it for ever, and S3 takes no date in the past. */
export function inForce(headers: Readonly<Record<string, string>>, now: Date): Record<string, string> {
  const until = Date.parse(headers[RETAIN_UNTIL] ?? '')
  const isOver = until <= now.getTime()
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !isOver || (name !== LOCK_MODE && name !== RETAIN_UNTIL)),
  )
}

/**
 * With a retention that may be over, see {@link inForce}.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 */
export function uploadHeaders(head: Fields): Record<string, string> {
  const { algorithm } = checksumOf(head)
  return {
    ...Object.fromEntries([...head].filter(([name]) => TOLD.includes(name) || isDescription(name))),
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

/** What a copy must have as its source has it, by name, in a form that can be compared. */
export type Kept = Readonly<Record<string, string>>

const TAGS = 'number of tags'
const ALGORITHM = 'checksum algorithm'
const VALUE = 'checksum'
/** A store gives these to a copy by itself where the source has none: the bucket's default retention, a new checksum. */
const ADDED: readonly string[] = [LOCK_MODE, RETAIN_UNTIL, TAGS, ALGORITHM, VALUE]

/** What a HEAD tells of it at this time. */
export function keptOf(head: Fields, now: Date): Kept {
  const told = Object.fromEntries(
    [...head].filter(([name]) => name === 'content-length' || TOLD.includes(name) || isDescription(name)),
  )
  const lasting = inForce(told, now)
  const until = lasting[RETAIN_UNTIL]
  const checksum = checksumOf(head)
  const tags = head.get('x-amz-tagging-count')
  return {
    // These go without saying.
    'x-amz-storage-class': 'STANDARD',
    'x-amz-object-lock-legal-hold': 'OFF',
    ...lasting,
    ...(until === undefined ? {} : { [RETAIN_UNTIL]: inOneForm(until) }),
    ...(tags === undefined ? {} : { [TAGS]: tags }),
    ...(checksum.algorithm === 'none' ? {} : { [ALGORITHM]: checksum.algorithm }),
    // A checksum of checksums depends on where the parts were cut.
    ...(checksum.algorithm === 'none' || isComposite(checksum) ? {} : { [VALUE]: checksum.value }),
  }
}

/** Names of what a copy should have kept and has not; empty where all is well. */
export function differences(before: Kept, after: Kept): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => {
    const [was, is] = [before[name], after[name]]
    if (was === undefined && ADDED.includes(name)) return false
    // Parts have another checksum than the whole.
    if (name === VALUE && is === undefined) return false
    return was !== is
  })
}

const isComposite = ({ type, value }: ObjectChecksum): boolean => type === 'COMPOSITE' || /-\d+$/.test(value)

/** A time may be written with other fractions of a second. */
function inOneForm(time: string): string {
  const ms = Date.parse(time)
  return Number.isNaN(ms) ? time : new Date(ms).toISOString()
}
