import { S3Error } from './error.js'
import { decodeBytes } from './encode.js'
import { flatText } from './flat-text.js'
import { type Bucket, type ObjectKey, parseBucket, parseObjectKey } from './names.js'

/** What a request is about. */
export type Target =
  | { readonly type: 'service' }
  | { readonly type: 'bucket'; readonly bucket: Bucket }
  | { readonly type: 'object'; readonly bucket: Bucket; readonly objectKey: ObjectKey }

const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i

/**
 * Splits a request-target at its first `?`, both halves raw as the signature covers them. Absolute-form (RFC 9112,
 * 3.2.2) is reduced to its path: which bucket is meant is for the signed Host header to say. A bare `#` is refused:
 * some servers would end the path there.
 *
 * @throws S3Error InvalidURI
 */
export function splitTarget(rawTarget: string): { rawPath: string; rawQuery: string } {
  const origin = rawTarget.startsWith('/') ? rawTarget : originForm(rawTarget)
  if (origin.includes('#')) throw new S3Error('InvalidURI')
  const mark = origin.indexOf('?')
  return mark < 0
    ? { rawPath: origin, rawQuery: '' }
    : { rawPath: origin.slice(0, mark), rawQuery: origin.slice(mark + 1) }
}

function originForm(rawTarget: string): string {
  const form = ABSOLUTE_FORM.exec(rawTarget)
  if (form === null) throw new S3Error('InvalidURI')
  const origin = rawTarget.slice(form[0].length)
  return origin.startsWith('/') ? origin : `/${origin}`
}

/**
 * Path style, or virtual-hosted style where the host is a bucket's name before one of the base domains. `/b` and `/b/`
 * are the bucket; `/b//x` is the object `/x`. The path is decoded once and never normalised; a bare `+` is a space, as
 * S3 reads it (libs3 sends it so).
 *
 * @param host the Host header; port and case do not matter
 * @param baseDomains lower-case; a host that is one of them is path style, else the longest one that fits counts
 * @throws S3Error InvalidURI, InvalidBucketName, KeyTooLongError
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
export function parseTarget(rawPath: string, host: string, baseDomains: readonly string[]): Target {
  if (!rawPath.startsWith('/')) throw new S3Error('InvalidURI')
  const rest = rawPath.slice(1)
  const hosted = bucketInHost(host, baseDomains)
  if (hosted !== undefined) return inBucket(parseBucket(hosted), rest)
  if (rest === '') return { type: 'service' }
  const slash = rest.indexOf('/')
  const bucket = parseBucket(decodeName(slash < 0 ? rest : rest.slice(0, slash)))
  return inBucket(bucket, slash < 0 ? '' : rest.slice(slash + 1))
}

function inBucket(bucket: Bucket, rawKey: string): Target {
  if (rawKey === '') return { type: 'bucket', bucket }
  return { type: 'object', bucket, objectKey: parseObjectKey(decodeName(rawKey)) }
}

function decodeName(raw: string): string {
  return decodeBytes(raw.includes('+') ? raw.replaceAll('+', ' ') : raw)
}

/** The last host that names no bucket: clients in path style all have the same one. */
let pathStyle: { readonly host: string; readonly baseDomains: readonly string[] } = { host: '', baseDomains: [] }

/** The bucket that a Host header names before one of the base domains, unchecked; `undefined` in path style. */
export function bucketInHost(host: string, baseDomains: readonly string[]): string | undefined {
  if (host === pathStyle.host && baseDomains === pathStyle.baseDomains) return undefined
  const bucket = findBucket(hostName(host), baseDomains)
  if (bucket === undefined) pathStyle = { host: flatText(host), baseDomains }
  return bucket
}

function findBucket(name: string, baseDomains: readonly string[]): string | undefined {
  let base = ''
  for (const domain of baseDomains) {
    if (name === domain) return undefined
    if (domain.length > base.length && name.endsWith(domain) && name[name.length - domain.length - 1] === '.') {
      base = domain
    }
  }
  return base === '' ? undefined : name.slice(0, -base.length - 1)
}

/** Without port and without the root's dot. */
function hostName(host: string): string {
  const name = host.trim().toLowerCase()
  const colon = name.lastIndexOf(':')
  const bare = colon < 0 || !/^\d*$/.test(name.slice(colon + 1)) ? name : name.slice(0, colon)
  return bare.endsWith('.') ? bare.slice(0, -1) : bare
}
