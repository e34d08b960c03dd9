import { S3Error } from '../s3/error.js'
import type { Fields } from '../s3/fields.js'
import { canonicalValue } from './canonical-request.js'
import { formatTimestamp, parseDateHeader, parseTimestamp, timestampMs } from './timestamp.js'
import type { Authorization, CredentialScope, SignedAuthorization } from './types.js'
import { parseUsualHeader } from './usual-header.js'

export const ALGORITHM = 'AWS4-HMAC-SHA256'
const ASYMMETRIC = 'AWS4-ECDSA-P256-SHA256'
const SCOPE_FORM = '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"'
/** Seven days, the longest that a presigned request may live. */
const MAX_EXPIRES = 604_800
const PARTS = new Set(['Credential', 'SignedHeaders', 'Signature'])
const PRESIGNED = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature'] as const

/**
 * What the client says of its version-4 signature, from the Authorization header or the query; nothing is verified.
 *
 * `query` is decoded. Spaces around the header's commas do not matter and its parts come in any order (s3cmd sends no
 * spaces, others do).
 *
 * @throws S3Error InvalidRequest (no x-amz-content-sha256), NotImplemented (SigV4A), InvalidArgument (another
 *   scheme; header and query at once), AuthorizationHeaderMalformed, AuthorizationQueryParametersError, AccessDenied (no
 *   valid date)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function parseAuthorization(fields: Fields, query: ReadonlyMap<string, string>): Authorization {
  const header = fields.get('authorization')
  const presigned = query.size > 0 && PRESIGNED.some((name) => query.has(name))
  if (header !== undefined && presigned) throw severalMechanisms()
  if (header !== undefined) return fromHeader(header, fields)
  return presigned ? fromQuery(query, fields) : { type: 'none' }
}

/** Two signatures on one request: nobody could say which one counts. */
export function severalMechanisms(): S3Error {
  return new S3Error('InvalidArgument', {
    message:
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    extra: { ArgumentName: 'Authorization' },
  })
}

/** S3's two ways of saying that the client's words about its signature are wrong. */
export function malformed(
  type: SignedAuthorization['type'],
  detail: string,
  extra: Readonly<Record<string, string>> = {},
): S3Error {
  return type === 'header'
    ? new S3Error('AuthorizationHeaderMalformed', {
        message: `The authorization header is malformed; ${detail}`,
        extra,
      })
    : new S3Error('AuthorizationQueryParametersError', { message: detail, extra })
}

function fromHeader(header: string, fields: Fields): SignedAuthorization {
  const usual = parseUsualHeader(header)
  if (usual === 'another') return fromAnyHeader(header, fields)
  const payloadHash = neededPayloadHash(fields)
  const { scope, signedHeaders, signature } = usual
  return {
    type: 'header',
    scope,
    signedHeaders,
    signature,
    timestamp: headerTimestamp(fields),
    expires: Infinity,
    payloadHash,
  }
}

function fromAnyHeader(header: string, fields: Fields): SignedAuthorization {
  const [scheme = '', ...rest] = canonicalValue(header).split(' ')
  refuseAsymmetric(scheme)
  if (scheme !== ALGORITHM) {
    throw new S3Error('InvalidArgument', {
      message: 'Unsupported Authorization Type',
      extra: { ArgumentName: 'Authorization' },
    })
  }
  const parts = new Map<string, string>()
  for (const part of rest.join(' ').split(/ ?, ?/)) {
    const [name, value] = splitOnce(part)
    if (!PARTS.has(name) || parts.has(name)) {
      throw malformed('header', 'it must have Credential, SignedHeaders and Signature, each of them once.')
    }
    parts.set(name, value)
  }
  const need = (name: string): string => {
    const value = parts.get(name) ?? ''
    if (value === '') throw malformed('header', `missing ${name}.`)
    return value
  }
  const payloadHash = neededPayloadHash(fields)
  return {
    type: 'header',
    scope: parseScope('header', need('Credential')),
    signedHeaders: parseSignedHeaders('header', need('SignedHeaders')),
    signature: need('Signature'),
    timestamp: headerTimestamp(fields),
    expires: Infinity,
    payloadHash,
  }
}

function neededPayloadHash(fields: Fields): string {
  const payloadHash = fields.get('x-amz-content-sha256') ?? ''
  if (payloadHash !== '') return payloadHash
  throw new S3Error('InvalidRequest', { message: 'Missing required header for this request: x-amz-content-sha256' })
}

function fromQuery(query: ReadonlyMap<string, string>, fields: Fields): SignedAuthorization {
  const need = (name: string): string => {
    const value = query.get(name) ?? ''
    if (value === '') {
      throw malformed(
        'presigned',
        'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
      )
    }
    return value
  }
  const algorithm = need('X-Amz-Algorithm')
  refuseAsymmetric(algorithm)
  if (algorithm !== ALGORITHM) throw malformed('presigned', `X-Amz-Algorithm only supports "${ALGORITHM}".`)
  const timestamp = need('X-Amz-Date')
  if (parseTimestamp(timestamp) === 'invalid') {
    throw malformed('presigned', "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
  }
  return {
    type: 'presigned',
    scope: parseScope('presigned', need('X-Amz-Credential')),
    signedHeaders: parseSignedHeaders('presigned', need('X-Amz-SignedHeaders')),
    signature: need('X-Amz-Signature'),
    timestamp,
    expires: parseExpires(need('X-Amz-Expires')),
    payloadHash: presignedPayloadHash(query.get('X-Amz-Content-Sha256'), fields.get('x-amz-content-sha256')),
  }
}

function refuseAsymmetric(algorithm: string): void {
  if (algorithm === ASYMMETRIC) {
    throw new S3Error('NotImplemented', {
      message: `${ASYMMETRIC} (SigV4A) is not supported. Please use ${ALGORITHM}.`,
    })
  }
}

/** An access key id may hold slashes of its own (not AWS's, but stores' that let users choose): the last four are ours. */
function parseScope(type: SignedAuthorization['type'], credential: string): CredentialScope {
  const parts = credential.split('/')
  const [date = '', region = '', service = '', terminal = ''] = parts.slice(-4)
  const accessKeyId = parts.slice(0, -4).join('/')
  const whole = /^[\x21-\x7e]+$/.test(accessKeyId) && /^\d{8}$/.test(date) && [region, service].every(isWord)
  if (!whole || terminal !== 'aws4_request') {
    const where = type === 'header' ? 'the Credential' : 'Error parsing the X-Amz-Credential parameter; the Credential'
    throw malformed(type, `${where} is mal-formed; expecting ${SCOPE_FORM}.`)
  }
  return { accessKeyId, date, region, service }
}

function parseSignedHeaders(type: SignedAuthorization['type'], list: string): readonly string[] {
  const names = list.toLowerCase().split(';')
  // RFC 9110's token, so that no name can forge a line of the canonical request.
  const valid = names.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) && new Set(names).size === names.length
  if (!valid) throw malformed(type, 'SignedHeaders must be names of headers, separated by ";", each of them once.')
  return names
}

function headerTimestamp(fields: Fields): string {
  const amzDate = fields.get('x-amz-date')
  if (amzDate !== undefined && !Number.isNaN(timestampMs(amzDate))) return amzDate
  const date = amzDate === undefined ? parseDateHeader(fields.get('date') ?? '') : 'invalid'
  if (date === 'invalid') {
    throw new S3Error('AccessDenied', { message: 'AWS authentication requires a valid Date or x-amz-date header' })
  }
  return formatTimestamp(date)
}

function parseExpires(text: string): number {
  if (!/^-?\d+$/.test(text)) throw malformed('presigned', 'X-Amz-Expires should be a number')
  const expires = Number(text)
  if (expires < 1) throw malformed('presigned', 'X-Amz-Expires must be positive')
  if (expires > MAX_EXPIRES) {
    throw malformed(
      'presigned',
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${MAX_EXPIRES} seconds`,
    )
  }
  return expires
}

/** SDKs put the hash into the query (Go, JavaScript) or into a header; two that differ could mean two bodies. */
function presignedPayloadHash(inQuery: string | undefined, inHeader: string | undefined): string {
  const hash = inQuery ?? inHeader ?? 'UNSIGNED-PAYLOAD'
  if ((inHeader !== undefined && inHeader !== hash) || !isWord(hash)) {
    throw malformed('presigned', 'X-Amz-Content-Sha256 is invalid or differs from the x-amz-content-sha256 header.')
  }
  return hash
}

function isWord(text: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(text)
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
