import aws4 from 'aws4'
import { S3Error } from '../s3/error.js'
import { encodeQuery, type Query } from '../s3/query.js'
import { canonicalValue } from './canonical-request.js'
import { formatTimestamp } from './timestamp.js'
import type { AwsCredentials } from './types.js'

export interface RequestToSign {
  readonly method: string
  /** Strictly encoded: RFC 3986's unreserved characters, `/`, and `%XX` in upper case for all others. */
  readonly path: string
  /** decoded */
  readonly query: Query
  /** Lower-case names, byte strings (latin1). `host` and `x-amz-content-sha256` must be among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly credentials: AwsCredentials
  readonly region: string
  readonly now: Date
}

export interface SignedRequest {
  /** The request-target to send, byte for byte. */
  readonly path: string
  /** What was given, with authorization, x-amz-date and (for temporary credentials) x-amz-security-token. */
  readonly headers: Record<string, string>
}

/** Signed beside `x-amz-*`. Others change on the way (user-agent, accept-encoding, expect), and a signed one must not. */
const SIGNED = new Set(['host', 'content-md5', 'content-type', 'range'])
/** Replaced here, whoever set them before. */
const OURS = new Set(['authorization', 'x-amz-date', 'x-amz-security-token'])
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Signs a request to S3 with SigV4 in the Authorization header. What comes back must be sent exactly so.
 *
 * S3 computes over the bytes of header values, aws4 over text that it encodes as UTF-8: it gets the text of which the
 * bytes are the UTF-8, and the bytes go on the wire.
 *
 * @throws S3Error InvalidArgument where a header to be signed is not UTF-8; InternalError where path, query or headers
 *   are not what they must be, rather than to send what was not signed
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signRequest(input: RequestToSign): SignedRequest {
  const { path, credentials, now } = input
  const query = encodeQuery(input.query)
  const headers = new Map(Object.entries(input.headers).filter(([name]) => !OURS.has(name)))
  headers.set('x-amz-date', formatTimestamp(now))
  if (credentials.sessionToken !== 'none') headers.set('x-amz-security-token', credentials.sessionToken.reveal())
  checkInput(path, headers)
  const signed = [...headers].filter(([name]) => SIGNED.has(name) || name.startsWith('x-amz-'))
  const text = new Map(signed.map(([name, value]) => [name, decodeUtf8(name, value)]))
  const target = query === '' ? path : `${path}?${query}`
  const request = {
    method: input.method,
    path: target,
    service: 's3',
    region: input.region,
    headers: Object.fromEntries(text),
    // aws4 leaves Range unsigned unless it is told to.
    extraHeadersToInclude: { range: true },
  }
  const signer = new aws4.RequestSigner(request, {
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey.reveal(),
  })
  // aws4's own would also fold U+00A0, U+3000 and other spaces that S3, which sees bytes, leaves alone.
  signer.canonicalHeaders = () =>
    [...text.keys()]
      .sort()
      .map((name) => `${name}:${canonicalValue(text.get(name) ?? '')}`)
      .join('\n')
  const canonicalOf = signer.canonicalString.bind(signer)
  let canonical = ''
  signer.canonicalString = () => (canonical = canonicalOf())
  const authorization = signer.sign().headers?.['Authorization']
  // aws4 reads the target back: a path that it would write otherwise, `__proto__`, an empty name or more than 1000
  // parameters would be signed as something else than what is sent.
  const [, canonicalPath, canonicalQuery] = canonical.split('\n')
  if (typeof authorization !== 'string' || canonicalPath !== path || canonicalQuery !== query) {
    throw unsignable('the request-target was not signed as it is')
  }
  headers.set('authorization', authorization)
  return { path: target, headers: Object.fromEntries(headers) }
}

function checkInput(path: string, headers: ReadonlyMap<string, string>): void {
  if (!/^\/(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/.test(path) || !isUtf8(path)) {
    throw unsignable('the path is not strictly encoded')
  }
  for (const name of ['host', 'x-amz-content-sha256']) {
    if ((headers.get(name) ?? '') === '') throw unsignable(`no ${name}`)
  }
  for (const [name, value] of headers) {
    if (name !== name.toLowerCase()) throw unsignable(`${name} is not in lower case`)
    if (!/^[\t\x20-\xff]*$/.test(value)) throw unsignable(`${name} is not a byte string of one line`)
  }
}

function isUtf8(path: string): boolean {
  try {
    return decodeURIComponent(path) !== ''
  } catch {
    return false
  }
}

function decodeUtf8(name: string, value: string): string {
  try {
    return UTF8.decode(Buffer.from(value, 'latin1'))
  } catch (cause) {
    throw new S3Error('InvalidArgument', {
      message: `The value of the header ${name} is not valid UTF-8.`,
      extra: { ArgumentName: name },
      cause,
    })
  }
}

function unsignable(reason: string): S3Error {
  return new S3Error('InternalError', { cause: new Error(`refused to sign: ${reason}`) })
}
