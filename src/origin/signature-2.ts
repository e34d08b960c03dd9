import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Fields } from '../s3/fields.js'
import type { Query } from './encoding.js'
import type { State } from './model.js'
import { Refusal } from './refusal.js'

/** What a request says of a version-2 signature; nothing of it is verified yet. */
export interface Claim2 {
  readonly accessKeyId: string
  readonly signature: string
  /** seconds since 1970 of a presigned request */
  readonly expires: string | 'none'
}

const FIFTEEN_MINUTES_MS = 900_000
/** Parts of the resource that are signed with it, as S3 documents them and boto, minio-go and the AWS SDKs sign them. */
const SIGNED =
  /^(?:accelerate|acl|analytics|cors|delete|encryption|intelligent-tiering|inventory|legal-hold|lifecycle|location|logging|metrics|notification|object-lock|partNumber|policy|replication|requestPayment|response-(?:cache-control|content-disposition|content-encoding|content-language|content-type|expires)|restore|retention|select|select-type|tagging|torrent|uploadId|uploads|versionId|versioning|versions|website)$/

/** @throws Refusal InvalidArgument (malformed, two signatures), AccessDenied (parts of a presigned one are missing) */
export function readClaim2(fields: Fields, query: Query): Claim2 | 'none' {
  const header = fields.get('authorization')
  const other = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature') || query.has('X-Amz-Credential')
  const inQuery = query.has('AWSAccessKeyId') || query.has('Signature')
  const inHeader = header !== undefined && /^AWS\s/.test(header)
  if (!inQuery && !inHeader) return 'none'
  if (other || (inQuery && header !== undefined)) {
    throw new Refusal('InvalidArgument', {
      message:
        'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
      extra: { ArgumentName: 'Authorization' },
    })
  }
  if (inHeader) {
    const colon = header.lastIndexOf(':')
    if (colon < 0) {
      throw new Refusal('InvalidArgument', {
        message: 'AWS authorization header is invalid.  Expected AwsAccessKeyId:signature',
        extra: { ArgumentName: 'Authorization' },
      })
    }
    return { accessKeyId: header.slice(4, colon).trim(), signature: header.slice(colon + 1).trim(), expires: 'none' }
  }
  const [accessKeyId = '', signature = '', expires = ''] = ['AWSAccessKeyId', 'Signature', 'Expires'].map((name) =>
    query.get(name),
  )
  if (accessKeyId === '' || signature === '' || !/^-?\d+$/.test(expires)) {
    throw new Refusal('AccessDenied', {
      message: 'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    })
  }
  return { accessKeyId, signature, expires }
}

/** The headers that count: a presigned request's `x-amz-*` parameters are headers to S3. */
export function fieldsOfClaim2(claim: Claim2, fields: Fields, query: Query): Fields {
  if (claim.expires === 'none') return fields
  const moved = [...query].map(([name, value]) => [name.toLowerCase(), value] as const)
  const text = (value: string) => Buffer.from(value, 'utf8').toString('latin1')
  return new Map([
    ...moved.filter(([name]) => name.startsWith('x-amz-')).map(([name, value]) => [name, text(value)] as const),
    ...fields,
  ])
}

export interface SignedRequest2 {
  readonly method: string
  /** The bucket of a host of its own, and the path as it was sent: `/bucket/object%20key`. */
  readonly resource: string
  readonly query: Query
  readonly fields: Fields
}

/** @throws Refusal InvalidAccessKeyId, InvalidToken, AccessDenied, RequestTimeTooSkewed, SignatureDoesNotMatch */
export function verify2(claim: Claim2, request: SignedRequest2, state: State): void {
  const credentials = state.credentials.get(claim.accessKeyId)
  if (credentials === undefined) {
    throw new Refusal('InvalidAccessKeyId', { extra: { AWSAccessKeyId: claim.accessKeyId } })
  }
  const token = request.fields.get('x-amz-security-token') ?? ''
  if (token !== (credentials.sessionToken ?? '')) throw new Refusal('InvalidToken')
  checkTime(claim, request.fields, state.now())
  // S3 reads `/bucket` as `/bucket/`; the shorter one is signed by some, too.
  const resources = /^\/[^/]+$/.test(request.resource) ? [`${request.resource}/`, request.resource] : [request.resource]
  const [toSign = '', ...others] = resources.map((resource) => stringToSign(claim, { ...request, resource }))
  const given = Buffer.from(claim.signature)
  const fits = [toSign, ...others].some((text) => {
    const expected = createHmac('sha1', credentials.secretAccessKey).update(text, 'latin1').digest('base64')
    return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected))
  })
  if (fits) return
  throw new Refusal('SignatureDoesNotMatch', {
    extra: {
      AWSAccessKeyId: claim.accessKeyId,
      StringToSign: Buffer.from(toSign, 'latin1').toString('utf8'),
      SignatureProvided: claim.signature,
      StringToSignBytes: (Buffer.from(toSign, 'latin1').toString('hex').match(/../g) ?? []).join(' '),
    },
  })
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html */
function stringToSign({ expires }: Claim2, { method, resource, query, fields }: SignedRequest2): string {
  const field = (name: string): string => fields.get(name)?.trim() ?? ''
  const date = fields.has('x-amz-date') ? '' : field('date')
  const amz = [...fields.keys()].filter((name) => name.startsWith('x-amz-')).sort()
  const signed = [...query.keys()].filter((name) => SIGNED.test(name)).sort()
  const parameters = signed.map((name) => [name, query.get(name) ?? ''].filter((text) => text !== '').join('='))
  return [
    method,
    field('content-md5'),
    field('content-type'),
    expires === 'none' ? date : expires,
    ...amz.map((name) => `${name}:${field(name)}`),
    `${resource}${parameters.length === 0 ? '' : `?${Buffer.from(parameters.join('&'), 'utf8').toString('latin1')}`}`,
  ].join('\n')
}

function checkTime({ expires }: Claim2, fields: Fields, now: Date): void {
  if (expires !== 'none') {
    if (now.getTime() <= Number(expires) * 1000) return
    throw new Refusal('AccessDenied', {
      message: 'Request has expired',
      extra: { Expires: new Date(Number(expires) * 1000).toISOString(), ServerTime: now.toISOString() },
    })
  }
  const text = fields.get('x-amz-date') ?? fields.get('date') ?? ''
  const compact = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
  const time = Date.parse(text.replace(compact, '$1-$2-$3T$4:$5:$6Z'))
  if (Number.isNaN(time)) {
    throw new Refusal('AccessDenied', { message: 'AWS authentication requires a valid Date or x-amz-date header' })
  }
  if (Math.abs(now.getTime() - time) > FIFTEEN_MINUTES_MS) {
    throw new Refusal('RequestTimeTooSkewed', {
      extra: {
        RequestTime: text,
        ServerTime: now.toISOString(),
        MaxAllowedSkewMilliseconds: String(FIFTEEN_MINUTES_MS),
      },
    })
  }
}
