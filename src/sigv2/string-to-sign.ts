import { S3Error } from '../s3/error.js'
import { trimBlanks, type Fields } from '../s3/fields.js'
import type { Query } from '../s3/query.js'
import { pathSpellings } from '../sigv4/path-spellings.js'
import { SUB_RESOURCES } from './sub-resources.js'

export interface Version2Parts {
  readonly method: string
  /** The bucket that the Host header names, or `undefined` in path style. */
  readonly bucketInHost: string | undefined
  /** As sent, not decoded. */
  readonly rawPath: string
  /** As sent, without the `?`. */
  readonly rawQuery: string
  /** The same, decoded. */
  readonly query: Query
  /** With what a presigner had moved into the query. */
  readonly fields: Fields
}

/**
 * Version 2's strings to sign, byte strings (latin1): one, and others that mean the same thing where signers differ on how to
 * write it (`acl=` for `acl`, `/bucket/` for `/bucket`), so that nobody gains by it.
 *
 * The path is taken as sent, or as the AWS SDKs for Java sign it. Nothing in here can hold a line feed but the last
 * line, so that no two requests that mean different things have one string, see {@link refuseAmbiguous}.
 *
 * @param expires `Expires` of a presigned request, else `none`: then the date is a header
 * @throws S3Error InvalidArgument
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationRequestCanonicalization
 */
export function stringsToSign(parts: Version2Parts, expires: string | 'none'): readonly string[] {
  const { method, fields } = parts
  const dateLine = fields.has('x-amz-date') ? '' : (fields.get('date') ?? '')
  const date = expires === 'none' ? dateLine : expires
  const contentMD5 = fields.get('content-md5') ?? ''
  const head = `${method}\n${contentMD5}\n${fields.get('content-type') ?? ''}\n${date}\n${amzHeaders(fields)}`
  return resources(parts).map((resource) => `${head}${resource}`)
}

/** A line for every `x-amz-*` header, sorted by name; repeated ones were joined by `,` when they were read. */
function amzHeaders(fields: Fields): string {
  const names: string[] = []
  for (const name of fields.keys()) if (name.startsWith('x-amz-')) names.push(name)
  let lines = ''
  for (const name of names.sort()) lines += `${name}:${trimBlanks(fields.get(name) ?? '')}\n`
  return lines
}

function resources(parts: Version2Parts): readonly string[] {
  const queries = signedQueries(parts)
  return paths(parts).flatMap((path) => queries.map((query) => `${path}${query}`))
}

/** A bucket without its slash is signed with it by botocore. Both are the bucket. */
function paths({ bucketInHost, rawPath }: Version2Parts): readonly string[] {
  if (bucketInHost !== undefined) return pathSpellings(rawPath).map((path) => `/${bucketInHost}${path}`)
  return /^\/[^/]+$/.test(rawPath) ? [rawPath, `${rawPath}/`] : pathSpellings(rawPath)
}

const NO_QUERY: readonly string[] = ['']

function signedQueries({ rawQuery, query }: Version2Parts): readonly string[] {
  if (query.size === 0) return NO_QUERY
  const signed = [...query].filter(([name]) => SUB_RESOURCES.has(name)).sort(([a], [b]) => (a < b ? -1 : 1))
  if (signed.length === 0) return NO_QUERY
  for (const [name, value] of signed) refuseAmbiguous(name, value)
  const written = rawQuery.split('&')
  const bare = signed.map(([name, value]) => (value === '' ? name : `${name}=${bytes(value)}`))
  const asSent = signed.map(([name, value]) =>
    value !== '' || written.includes(`${name}=`) ? `${name}=${bytes(value)}` : name,
  )
  return [...new Set([bare, asSent].map((list) => `?${list.join('&')}`))]
}

/**
 * Values are signed decoded, so `?versionId=1&response-expires=x` and a response-expires of `x&versionId=1` would sign
 * alike: whoever holds a presigned request could move its version into a harmless value, and so get another one.
 */
function refuseAmbiguous(name: string, value: string): void {
  const inside = value.split('&').slice(1)
  if (!inside.some((text) => SUB_RESOURCES.has(text.split('=', 1)[0] as string))) return
  throw new S3Error('InvalidArgument', {
    message: `The value of ${name} reads like another signed parameter. Sign the request with AWS4-HMAC-SHA256.`,
    extra: { ArgumentName: name },
  })
}

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
