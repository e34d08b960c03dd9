import { isUtf8 } from 'node:buffer'
import { encodePath } from '../s3/encode.js'
import { S3Error } from '../s3/error.js'
import { encodeQuery, type Query } from '../s3/query.js'
import { ALGORITHM } from './authorization.js'
import { canonicalLines, mayHaveBlanks } from './canonical-request.js'
import { type SignedNames, signedNames } from './signed-names.js'
import { keptSigningKey, scopeText, sha256, signatureOf } from './signing-key.js'
import { stringToSignHead } from './string-to-sign.js'
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

const ASCII_LINE = /^[\t\x20-\x7f]*$/
const LINE = /^[\t\x20-\xff]*$/
const UNRESERVED_PATH = /^\/[A-Za-z0-9\-._~/]*$/
const ENCODED_PATH = /^\/(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/

const headOf = stringToSignHead()

/** Signs a request to S3 as {@link signHeaders} does, and leaves what it was given as it is. */
export function signRequest(request: RequestToSign): SignedRequest {
  const headers = { ...request.headers }
  const path = signHeaders(headers, request)
  return { path, headers }
}

/**
 * Signs a request to S3 with SigV4 in the Authorization header, which is put into `headers`, with x-amz-date and (for
 * temporary credentials) x-amz-security-token; the client's own are replaced. What comes of it must be sent exactly so.
 *
 * S3 computes over the bytes of header values, which is what byte strings are.
 *
 * @param headers as in {@link RequestToSign}
 * @returns the request-target to send, byte for byte
 * @throws S3Error InvalidArgument where a header to be signed is not UTF-8; InternalError where path, query or headers
 *   are not what they must be, rather than to send what was not signed
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signHeaders(headers: Record<string, string>, target: TargetToSign): string {
  const { method, path, credentials, region } = target
  const query = target.query.size === 0 ? '' : encodeQuery(target.query)
  const timestamp = formatTimestamp(target.now)
  headers['x-amz-date'] = timestamp
  if (credentials.sessionToken !== 'none') headers['x-amz-security-token'] = credentials.sessionToken.reveal()
  else if ('x-amz-security-token' in headers) delete headers['x-amz-security-token']
  checkTarget(path, target.query)
  const { names, list } = namesToSign(headers)
  let lines = ''
  for (const name of names) lines += `${name}:${headers[name] as string}\n`
  if (mayHaveBlanks(lines)) lines = canonicalLines(names, (name) => headers[name] as string)
  const payloadHash = headers['x-amz-content-sha256'] as string
  const canonical = `${method}\n${path}\n${query}\n${lines}\n${list}\n${payloadHash}`
  const scope = { accessKeyId: credentials.accessKeyId, date: timestamp.slice(0, 8), region, service: 's3' }
  const where = scopeText(scope)
  const signingKey = keptSigningKey(credentials.secretAccessKey, scope)
  const signature = signatureOf(signingKey, headOf(timestamp, scope), sha256(canonical))
  headers['authorization'] =
    `${ALGORITHM} Credential=${scope.accessKeyId}/${where}, SignedHeaders=${list}, Signature=${signature}`
  return query === '' ? path : `${path}?${query}`
}

/**
 * `__proto__`, an empty name, more than 1000 parameters: the reference would leave them out, so that nobody could say whether they
 * are signed as they should be.
 */
function checkTarget(path: string, query: Query): void {
  if (!UNRESERVED_PATH.test(path) && !isStrictlyEncoded(path)) throw unsignable('the path is not strictly encoded')
  if (query.size > 0 && (query.size > 1000 || query.has('') || query.has('__proto__'))) {
    throw unsignable('a query that the reference does not sign')
  }
}

function isStrictlyEncoded(path: string): boolean {
  if (!ENCODED_PATH.test(path)) return false
  try {
    return encodePath(decodeURIComponent(path)) === path
  } catch {
    return false
  }
}

/** Checks every header, whether it is signed or not. */
function namesToSign(headers: Readonly<Record<string, string>>): SignedNames {
  if ((headers['host'] ?? '') === '') throw unsignable('no host')
  if ((headers['x-amz-content-sha256'] ?? '') === '') throw unsignable('no x-amz-content-sha256')
  const all = Object.keys(headers)
  const signed = signedNames(all)
  let values = ''
  for (const name of all) {
    // its own, of an attempt before, is replaced
    if (name !== 'authorization') values += headers[name] as string
  }
  if (!ASCII_LINE.test(values)) checkValues(headers, signed.names)
  return signed
}

/** Where not all of them are ASCII. */
function checkValues(headers: Readonly<Record<string, string>>, signed: readonly string[]): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name !== 'authorization' && !LINE.test(value)) throw unsignable(`${name} is not a byte string of one line`)
  }
  for (const name of signed) checkUtf8(name, headers[name] as string)
}

/** S3 takes header values for UTF-8. */
function checkUtf8(name: string, value: string): void {
  if (isUtf8(Buffer.from(value, 'latin1'))) return
  throw new S3Error('InvalidArgument', {
    message: `The value of the header ${name} is not valid UTF-8.`,
    extra: { ArgumentName: name },
  })
}
