import type { Fields } from '../s3/fields.js'
import { encodeQuery, type Query } from '../s3/query.js'
import { canonicalValue, mayHaveBlanks } from './canonical-request.js'
import { type HeaderKind, headerKind } from './header-kind.js'
import { checkTarget, checkValues } from './signable.js'
import { SignedHead } from './signed-head.js'
import { sha256, signatureOf } from './signing-key.js'
import { signingMoment } from './signing-moment.js'
import { formatTimestamp } from './timestamp.js'
import type { AwsCredentials } from './types.js'
import { unsignable } from './unsignable.js'

export interface TargetToSign {
  readonly method: string
  /** Strictly encoded: RFC 3986's unreserved characters, `/`, and `%XX` in upper case for all others. */
  readonly path: string
  /** decoded */
  readonly query: Query
  readonly credentials: AwsCredentials
  readonly region: string
  readonly now: Date
}

export interface RequestToSign extends TargetToSign {
  /** Lower-case names, byte strings (latin1). `host` and `x-amz-content-sha256` must be among them. */
  readonly headers: Readonly<Record<string, string>>
}

export interface SignedRequest {
  /** The request-target to send, byte for byte. */
  readonly path: string
  /** What was given, with authorization, x-amz-date and (for temporary credentials) x-amz-security-token. */
  readonly headers: Record<string, string>
}

/** What the signer says itself. */
const OURS: ReadonlySet<string> = new Set(['authorization', 'x-amz-date', 'x-amz-security-token'])

/** Signs a request to S3 as {@link signHead} does, and leaves what it was given as it is; its date, token and signature are replaced. */
export function signRequest(request: RequestToSign): SignedRequest {
  const names = Object.keys(request.headers).filter((name) => !OURS.has(name))
  const values = names.map((name) => request.headers[name] as string)
  const head = sign(names, values, request)
  return { path: head.path, headers: { ...head.headers() } }
}

/**
 * Signs a request to S3 with SigV4 in the Authorization header, which comes with x-amz-date and (for temporary credentials)
 * x-amz-security-token behind the headers that are given. What comes of it must be sent exactly so.
 *
 * S3 computes over the bytes of header values, which is what byte strings are.
 *
 * @param fields lower-case names, byte strings (latin1); `x-amz-content-sha256` must be among them
 * @param injected more of them, which come behind
 * @param host comes behind these
 * @throws S3Error InvalidArgument where a header to be signed is not UTF-8; InternalError where path, query or headers
 *   are not what they must be, or a header would be there twice, rather than to send what was not signed
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signHead(
  fields: Fields,
  injected: Readonly<Record<string, string>>,
  host: string,
  target: TargetToSign,
): SignedHead {
  const names: string[] = []
  const values: string[] = []
  for (const [name, value] of fields) {
    names.push(name)
    values.push(value)
  }
  for (const name in injected) {
    names.push(name)
    values.push(injected[name] as string)
  }
  names.push('host')
  values.push(host)
  return sign(names, values, target)
}

/** What no value has to be looked at more closely for. */
const PLAIN = /^[\t\x20-\x7e]*$/

function sign(names: string[], values: string[], target: TargetToSign): SignedHead {
  const { method, path, credentials, region } = target
  const query = target.query.size === 0 ? '' : encodeQuery(target.query)
  checkTarget(path, target.query)
  const timestamp = formatTimestamp(target.now)
  names.push('x-amz-date')
  values.push(timestamp)
  if (credentials.sessionToken !== 'none') {
    names.push('x-amz-security-token')
    values.push(credentials.sessionToken.reveal())
  }
  const kind = headerKind(names)
  if ((values[kind.hostAt] ?? '') === '') throw unsignable('no host')
  if ((values[kind.hashAt] ?? '') === '') throw unsignable('no x-amz-content-sha256')
  let all = ''
  for (let at = 0; at < values.length; at += 1) all += values[at] as string
  const isPlain = PLAIN.test(all)
  if (!isPlain) checkValues(names, values, kind)
  const { signingKey, credential, head } = signingMoment(credentials, region, timestamp)
  const signature = signatureOf(signingKey, head, sha256(canonicalRequest(method, path, query, kind, values)))
  const authorization = `${credential}, SignedHeaders=${kind.signedList}, Signature=${signature}`
  return new SignedHead(method, query === '' ? path : `${path}?${query}`, isPlain, kind, values, authorization)
}

function canonicalRequest(
  method: string,
  path: string,
  query: string,
  kind: HeaderKind,
  values: readonly string[],
): string {
  const { signedAt, signedStarts, signedList, hashAt } = kind
  const start = `${method}\n${path}\n${query}`
  const end = `\n\n${signedList}\n${values[hashAt] as string}`
  let lines = ''
  for (let i = 0; i < signedAt.length; i += 1) {
    lines += (signedStarts[i] as string) + (values[signedAt[i] as number] as string)
  }
  const text = start + lines + end
  if (!mayHaveBlanks(text)) return text
  lines = ''
  for (const [i, at] of signedAt.entries()) lines += (signedStarts[i] as string) + canonicalValue(values[at] as string)
  return start + lines + end
}
