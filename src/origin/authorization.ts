import type { Fields } from '../s3/fields.js'
import type { Query } from './encoding.js'
import { Refusal } from './refusal.js'

/** What a request says of its signature; nothing of it is verified yet. */
export interface Claim {
  readonly type: 'header' | 'presigned'
  readonly accessKeyId: string
  /** yyyymmdd, region, service */
  readonly date: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** yyyymmddThhmmssZ */
  readonly timestamp: string
  /** seconds; Infinity for a header */
  readonly expires: number
  readonly sessionToken: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * Reads the signature's place and parts. `headers` go with the answer to a request that has none: S3 tells strangers a
 * bucket's region.
 * @throws Refusal: no signature, two of them, SigV2, malformed ones
 */
export function readClaim(fields: Fields, query: Query, headers: Readonly<Record<string, string>> = {}): Claim {
  const header = fields.get('authorization')
  const inQuery = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature') || query.has('X-Amz-Credential')
  if (header !== undefined && inQuery) {
    throw new Refusal('InvalidArgument', {
      message:
        'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
      extra: { ArgumentName: 'Authorization' },
    })
  }
  if (header !== undefined) return fromHeader(header, fields)
  if (inQuery) return fromQuery(query)
  throw new Refusal('AccessDenied', { headers })
}

function unsupported(): Refusal {
  return new Refusal('InvalidRequest', {
    message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
  })
}

function fromHeader(header: string, fields: Fields): Claim {
  const [algorithm = '', ...rest] = header.trim().split(/\s+/)
  if (algorithm.startsWith('AWS4-ECDSA')) throw new Refusal('NotImplemented', { extra: { Header: 'Authorization' } })
  if (algorithm !== ALGORITHM) throw unsupported()
  const parts = new Map(
    rest
      .join('')
      .split(',')
      .map((part) => part.split(/=(.*)/s) as [string, string | undefined])
      .map(([name, value]) => [name, value ?? ''] as const),
  )
  const timestamp = fields.get('x-amz-date') ?? isoOf(fields.get('date'))
  return {
    type: 'header',
    ...scopeOf(parts.get('Credential'), 'AuthorizationHeaderMalformed', timestamp),
    signedHeaders: listOf(parts.get('SignedHeaders'), 'AuthorizationHeaderMalformed'),
    signature: signatureOf(parts.get('Signature'), 'AuthorizationHeaderMalformed'),
    timestamp,
    expires: Infinity,
    sessionToken: fields.get('x-amz-security-token') ?? '',
  }
}

function fromQuery(query: Query): Claim {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) {
    throw new Refusal('AuthorizationQueryParametersError', {
      message: 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
    })
  }
  const timestamp = query.get('X-Amz-Date') ?? ''
  const expires = query.get('X-Amz-Expires') ?? ''
  if (!/^\d{1,7}$/.test(expires) || Number(expires) > 604_800) {
    throw new Refusal('AuthorizationQueryParametersError', {
      message:
        'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    })
  }
  if (!/^\d{8}T\d{6}Z$/.test(timestamp)) {
    throw new Refusal('AuthorizationQueryParametersError', {
      message: "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
    })
  }
  return {
    type: 'presigned',
    ...scopeOf(query.get('X-Amz-Credential'), 'AuthorizationQueryParametersError', timestamp),
    signedHeaders: listOf(query.get('X-Amz-SignedHeaders'), 'AuthorizationQueryParametersError'),
    signature: signatureOf(query.get('X-Amz-Signature'), 'AuthorizationQueryParametersError'),
    timestamp,
    expires: Number(expires),
    sessionToken: query.get('X-Amz-Security-Token') ?? '',
  }
}

type Malformed = 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError'

function scopeOf(
  credential: string | undefined,
  code: Malformed,
  timestamp: string,
): Pick<Claim, 'accessKeyId' | 'date' | 'region' | 'service'> {
  const found = /^(.+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(credential ?? '')
  if (found === null)
    throw new Refusal(code, {
      message: 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    })
  const [, accessKeyId = '', date = '', region = '', service = ''] = found
  if (service !== 's3')
    throw new Refusal(code, { message: `incorrect service "${service}". This endpoint belongs to "s3".` })
  if (!/^\d{8}T\d{6}Z$/.test(timestamp)) {
    throw new Refusal('AccessDenied', { message: 'AWS authentication requires a valid Date or x-amz-date header' })
  }
  if (!timestamp.startsWith(date)) {
    throw new Refusal(code, {
      message: `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`,
    })
  }
  return { accessKeyId, date, region, service }
}

function listOf(value: string | undefined, code: Malformed): readonly string[] {
  if (value === undefined || value === '') throw new Refusal(code, { message: 'missing SignedHeaders' })
  return value.toLowerCase().split(';')
}

function signatureOf(value: string | undefined, code: Malformed): string {
  if (!/^[0-9a-f]{64}$/.test(value ?? '')) throw new Refusal(code, { message: 'missing or mal-formed Signature' })
  return value ?? ''
}

/** The `Date` header in SigV4's form, `''` where it has none or an unreadable one. */
function isoOf(date: string | undefined): string {
  const time = date === undefined ? NaN : Date.parse(date)
  return Number.isNaN(time) ? '' : new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '')
}
