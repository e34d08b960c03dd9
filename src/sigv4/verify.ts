import type { KeyObject } from 'node:crypto'
import { S3Error } from '../s3/error.js'
import type { Fields } from '../s3/fields.js'
import { malformed } from './authorization.js'
import { canonicalRequest } from './canonical-request.js'
import { hexBytes, withoutSecrets } from './mismatch.js'
import { pathSpellings } from './path-spellings.js'
import { rememberSigningKey, sameSignature, sha256, signatureOf, signingKeyOf } from './signing-key.js'
import { stringToSignHead } from './string-to-sign.js'
import { showTime, timestampMs } from './timestamp.js'
import type { SecretAccessKey, SignedAuthorization, VerifiedSignature } from './types.js'
import { rememberUsualHeader } from './usual-header.js'

/** Milliseconds by which a client's clock may differ, and a presigned request may come early. */
const MAX_SKEW = 15 * 60 * 1000

export interface SignatureToVerify {
  readonly method: string
  readonly rawPath: string
  readonly rawQuery: string
  readonly fields: Fields
  readonly authorization: SignedAuthorization
  readonly secretAccessKey: SecretAccessKey
  readonly now: Date
  /** Regions that the credential scope may name; empty: any. */
  readonly regions: readonly string[]
}

/**
 * Whether the request was signed with this secret, now, for S3 and one of the regions, and with all that S3 wants signed:
 * `host` and every `x-amz-*` header.
 *
 * @throws S3Error AuthorizationHeaderMalformed or AuthorizationQueryParametersError (scope), RequestTimeTooSkewed,
 *   AccessDenied (expired, too early, headers not signed), InvalidRequest (no single Host), SignatureDoesNotMatch
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export function verifySignature(input: SignatureToVerify): VerifiedSignature {
  const { authorization, secretAccessKey } = input
  checkScope(authorization, input.regions)
  checkTime(authorization, input.now)
  checkSignedHeaders(authorization, input.fields)
  const host = oneHost(input.fields)
  const { scope, timestamp, signature } = authorization
  const signingKey = signingKeyOf(secretAccessKey, scope)
  const asSent = whatWasSigned(input, input.rawPath, input.fields)
  if (!isSigned(asSent, signingKey, signature) && !isSignedOtherwise(input, host, signingKey)) {
    throw mismatch(authorization, asSent)
  }
  rememberSigningKey(secretAccessKey, scope, signingKey)
  rememberUsualHeader(scope)
  return { scope, timestamp, signature, signingKey }
}

/** The string to sign is `head`, then `hash`. */
interface Signed {
  readonly canonical: string
  readonly head: string
  readonly hash: string
}

const headOf = stringToSignHead()

function whatWasSigned(input: SignatureToVerify, rawPath: string, fields: Fields): Signed {
  const { scope, timestamp, signedHeaders, payloadHash, type } = input.authorization
  const { method, rawQuery } = input
  const presigned = type === 'presigned'
  const canonical = canonicalRequest({ method, rawPath, rawQuery, fields, signedHeaders, payloadHash, presigned })
  return { canonical, head: headOf(timestamp, scope), hash: sha256(canonical) }
}

function isSigned({ head, hash }: Signed, signingKey: KeyObject, signature: string): boolean {
  return sameSignature(signatureOf(signingKey, head, hash), signature)
}

/** With the other ways to write path and host that mean the same: few clients need them. */
function isSignedOtherwise(input: SignatureToVerify, host: string, signingKey: KeyObject): boolean {
  const { rawPath, fields, authorization } = input
  const hosts = [fields, ...otherHosts(host).map((other) => new Map(fields).set('host', other))]
  const spellings = pathSpellings(rawPath).flatMap((path) => hosts.map((named) => [path, named] as const))
  return spellings
    .slice(1)
    .some(([path, named]) => isSigned(whatWasSigned(input, path, named), signingKey, authorization.signature))
}

function checkScope({ type, scope, timestamp }: SignedAuthorization, regions: readonly string[]): void {
  const prefix = type === 'header' ? '' : 'Error parsing the X-Amz-Credential parameter; '
  if (scope.service !== 's3') {
    throw malformed(type, `${prefix}incorrect service "${scope.service}". This endpoint belongs to "s3".`)
  }
  const [expected] = regions
  if (expected !== undefined && !regions.includes(scope.region)) {
    throw malformed(type, `${prefix}the region '${scope.region}' is wrong; expecting '${expected}'`, {
      Region: expected,
    })
  }
  if (!timestamp.startsWith(scope.date)) {
    throw malformed(
      type,
      `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${timestamp.slice(0, 8)}".`,
    )
  }
}

function checkTime({ type, timestamp, expires }: SignedAuthorization, now: Date): void {
  const signed = timestampMs(timestamp)
  const early = Number.isNaN(signed) ? Infinity : signed - now.getTime()
  if (type === 'header' && Math.abs(early) > MAX_SKEW) {
    throw new S3Error('RequestTimeTooSkewed', {
      extra: { RequestTime: timestamp, ServerTime: showTime(now), MaxAllowedSkewMilliseconds: String(MAX_SKEW) },
    })
  }
  if (early > MAX_SKEW) {
    throw new S3Error('AccessDenied', {
      message: 'Request is not yet valid',
      extra: { 'X-Amz-Date': timestamp, ServerTime: showTime(now) },
    })
  }
  if (-early > expires * 1000) {
    const end = showTime(new Date(now.getTime() + early + expires * 1000))
    throw new S3Error('AccessDenied', {
      message: 'Request has expired',
      extra: { 'X-Amz-Expires': String(expires), Expires: end, ServerTime: showTime(now) },
    })
  }
}

/** `x-amz-content-sha256` need not be listed, as with S3: it is signed anyway, as the canonical request's last line. */
function checkSignedHeaders({ signedHeaders }: SignedAuthorization, fields: Fields): void {
  let unsigned = signedHeaders.includes('host') ? '' : 'host'
  for (const name of fields.keys()) {
    if (!name.startsWith('x-amz-') || name === 'x-amz-content-sha256' || signedHeaders.includes(name)) continue
    unsigned += unsigned === '' ? name : `, ${name}`
  }
  if (unsigned === '') return
  throw new S3Error('AccessDenied', {
    message: 'There were headers present in the request which were not signed',
    extra: { HeadersNotSigned: unsigned },
  })
}

function oneHost(fields: Fields): string {
  const host = fields.get('host') ?? ''
  if (host !== '' && !host.includes(',')) return host
  throw new S3Error('InvalidRequest', { message: 'The request must have one Host header' })
}

/**
 * The Host header with and without the default ports: some clients sign `host:443` and send `host`, or the other way
 * round; boto 2 presigns `host:8443:8443`, which is no host at all. They name the same server, so nobody gains by it. A
 * port of another number is never left out.
 */
function otherHosts(host: string): readonly string[] {
  if (/:(?:443|80)$/.test(host)) return [host.replace(/:\d+$/, '')]
  const [port] = /:\d*$/.exec(host) ?? []
  return port === undefined ? [`${host}:443`, `${host}:80`] : [`${host}${port}`]
}

/** Tells what was signed here, as S3 does, so that both sides can be compared; keys and tokens of the client left out. */
function mismatch(authorization: SignedAuthorization, { canonical, head, hash }: Signed): S3Error {
  const shown = withoutSecrets(canonical)
  const stringToSign = head + hash
  return new S3Error('SignatureDoesNotMatch', {
    extra: {
      AWSAccessKeyId: authorization.scope.accessKeyId,
      StringToSign: stringToSign,
      SignatureProvided: authorization.signature,
      StringToSignBytes: hexBytes(stringToSign),
      CanonicalRequest: Buffer.from(shown, 'latin1').toString('utf8'),
      CanonicalRequestBytes: hexBytes(shown),
    },
  })
}
