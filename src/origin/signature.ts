import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createScope, getCanonicalHeaders, getCanonicalQuery, getSigningKey } from '@smithy/signature-v4'
import type { Fields } from '../s3/fields.js'
import type { Claim } from './authorization.js'
import { encodePath, type Query } from './encoding.js'
import type { Credentials, State } from './model.js'
import { Refusal } from './refusal.js'
import { Sha256 } from './sha256.js'

const FIFTEEN_MINUTES_MS = 900_000

/** What a verified signature leaves for the chunks that follow it. */
export interface Verified {
  readonly signingKey: Uint8Array
  readonly scope: string
  readonly timestamp: string
  readonly signature: string
}

export interface SignedRequest {
  readonly method: string
  /** Decoded path: `/bucket/objectKey`, or `/objectKey` under a bucket's own host. */
  readonly path: string
  readonly query: Query
  readonly fields: Fields
  /** x-amz-content-sha256, or what stands for it. */
  readonly payloadHash: string
}

/** Verifies that the claim's credentials signed this request now, and all of it that S3 wants signed. */
export async function verify(claim: Claim, request: SignedRequest, state: State): Promise<Verified> {
  const credentials = state.credentials.get(claim.accessKeyId)
  if (credentials === undefined) {
    throw new Refusal('InvalidAccessKeyId', { extra: { AWSAccessKeyId: claim.accessKeyId } })
  }
  if (claim.sessionToken !== (credentials.sessionToken ?? '')) throw new Refusal('InvalidToken')
  checkTime(claim, state.now())
  checkSigned(claim, request.fields)

  const canonical = canonicalRequest(claim, request)
  const scope = createScope(claim.date, claim.region, claim.service)
  const toSign = `AWS4-HMAC-SHA256\n${claim.timestamp}\n${scope}\n${sha256(canonical)}`
  const signingKey = await getSigningKey(Sha256, identityOf(credentials), claim.date, claim.region, claim.service)
  const expected = createHmac('sha256', signingKey).update(toSign).digest('hex')
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(claim.signature))) {
    throw new Refusal('SignatureDoesNotMatch', {
      extra: {
        AWSAccessKeyId: claim.accessKeyId,
        StringToSign: toSign,
        SignatureProvided: claim.signature,
        StringToSignBytes: hexBytes(toSign),
        CanonicalRequest: canonical,
        CanonicalRequestBytes: hexBytes(canonical),
      },
    })
  }
  return { signingKey, scope, timestamp: claim.timestamp, signature: claim.signature }
}

function identityOf(credentials: Credentials): { accessKeyId: string; secretAccessKey: string } {
  return { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey }
}

/** Built by @smithy/signature-v4 over what was received; S3's canonical path is the decoded one, encoded strictly. */
function canonicalRequest(claim: Claim, request: SignedRequest): string {
  const signed = new Set(claim.signedHeaders)
  const headers: Record<string, string> = {}
  for (const name of signed) headers[name] = Buffer.from(request.fields.get(name) ?? '', 'latin1').toString('utf8')
  const query = Object.fromEntries([...request.query].filter(([name]) => name !== 'X-Amz-Signature'))
  const shape = { method: request.method, protocol: 'https:', hostname: '', path: '', headers, query }
  const canonical = getCanonicalHeaders(shape, undefined, signed)
  const names = Object.keys(canonical).sort()
  return [
    request.method,
    encodePath(request.path),
    getCanonicalQuery(shape),
    ...names.map((name) => `${name}:${canonical[name] ?? ''}`),
    '',
    names.join(';'),
    request.payloadHash,
  ].join('\n')
}

function checkTime(claim: Claim, now: Date): void {
  const signed = timeOf(claim.timestamp)
  if (claim.type === 'header') {
    if (Math.abs(now.getTime() - signed) <= FIFTEEN_MINUTES_MS) return
    throw new Refusal('RequestTimeTooSkewed', {
      extra: {
        RequestTime: claim.timestamp,
        ServerTime: now.toISOString(),
        MaxAllowedSkewMilliseconds: String(FIFTEEN_MINUTES_MS),
      },
    })
  }
  if (signed - now.getTime() > FIFTEEN_MINUTES_MS) {
    throw new Refusal('AccessDenied', { message: 'Request is not valid yet' })
  }
  const end = signed + claim.expires * 1000
  if (now.getTime() > end) {
    throw new Refusal('AccessDenied', {
      message: 'Request has expired',
      extra: {
        'X-Amz-Expires': String(claim.expires),
        Expires: new Date(end).toISOString(),
        ServerTime: now.toISOString(),
      },
    })
  }
}

/** Host and every x-amz-* header must be signed. @see SigV4, "Canonical headers" */
function checkSigned(claim: Claim, fields: Fields): void {
  const signed = new Set(claim.signedHeaders)
  const missing = [...fields.keys()].filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.has(name),
  )
  // the payload's hash is part of the canonical request by itself in a presigned one
  const named = missing.filter((name) => claim.type === 'header' || name !== 'x-amz-content-sha256')
  if (named.length > 0) {
    throw new Refusal('AccessDenied', {
      message: 'There were headers present in the request which were not signed',
      extra: { HeadersNotSigned: named.join(', ') },
    })
  }
}

function timeOf(timestamp: string): number {
  return Date.parse(timestamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hexBytes(text: string): string {
  return Buffer.from(text)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ')
}
