import { createHmac, createSecretKey, hash, timingSafeEqual, type KeyObject } from 'node:crypto'
import { flatText } from '../s3/flat-text.js'
import { type Hmac, hmacSha256 } from './hmac.js'
import type { CredentialScope, SecretAccessKey } from './types.js'

/** A day changes once, regions are few: more scopes than this for one secret are not worth remembering. */
const REMEMBERED_SCOPES = 16
const remembered = new WeakMap<SecretAccessKey, ScopedKey[]>()
/** Made for remembered keys only: it pays from the second signature on. */
const prepared = new WeakMap<KeyObject, Hmac>()

type Scope = Pick<CredentialScope, 'date' | 'region' | 'service'>

interface ScopedKey {
  readonly scope: Scope
  readonly signingKey: KeyObject
}

/**
 * The HMAC key of one secret, day, region and service, 32 bytes. Four HMACs are saved where it is remembered.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signingKeyOf(secret: SecretAccessKey, scope: CredentialScope): KeyObject {
  const known = recall(remembered.get(secret), scope)
  if (known !== undefined) return known
  let key: Buffer = Buffer.from(`AWS4${secret.reveal()}`, 'utf8')
  for (const part of [scope.date, scope.region, scope.service, 'aws4_request']) {
    key = createHmac('sha256', key).update(part, 'utf8').digest()
  }
  return createSecretKey(key)
}

/** The same for what is signed here: remembered. */
export function keptSigningKey(secret: SecretAccessKey, scope: CredentialScope): KeyObject {
  const known = recall(remembered.get(secret), scope)
  if (known !== undefined) return known
  const signingKey = signingKeyOf(secret, scope)
  rememberSigningKey(secret, scope, signingKey)
  return signingKey
}

/**
 * Keeps a signing key for the next request; the memory goes with the secret. Only for what was verified, or signed here: whoever
 * knows an access key id can name any day and region, and would push out the keys that are in use.
 */
export function rememberSigningKey(secret: SecretAccessKey, scope: CredentialScope, signingKey: KeyObject): void {
  const keys = remembered.get(secret) ?? []
  if (recall(keys, scope) !== undefined) return
  keys.push({ scope: ownText(scope), signingKey })
  prepared.set(signingKey, hmacSha256(signingKey))
  if (keys.length > REMEMBERED_SCOPES) keys.shift()
  remembered.set(secret, keys)
}

/** The newest first: it is today's. No name is made of the scope, which would cost each request more than the comparison. */
function recall(keys: readonly ScopedKey[] | undefined, wanted: Scope): KeyObject | undefined {
  if (keys === undefined) return undefined
  for (let at = keys.length - 1; at >= 0; at -= 1) {
    const { scope, signingKey } = keys[at] as ScopedKey
    if (scope.date === wanted.date && scope.region === wanted.region && scope.service === wanted.service) {
      return signingKey
    }
  }
  return undefined
}

/** Without the head of the request that the scope was cut out of. */
function ownText({ date, region, service }: Scope): Scope {
  return { date: flatText(date), region: flatText(region), service: flatText(service) }
}

/** `20130524/us-east-1/s3/aws4_request` */
export function scopeText(scope: Scope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`
}

/** Hex. A string is hashed as the byte string (latin1) that it is. */
export function sha256(bytes: string | Buffer): string {
  if (typeof bytes !== 'string') return hash('sha256', bytes)
  // Text is hashed as UTF-8, which for ASCII is the same: one copy less, and none that stays in a buffer, for there may be keys in it.
  return hash('sha256', Buffer.byteLength(bytes, 'utf8') === bytes.length ? bytes : Buffer.from(bytes, 'latin1'))
}

/** Of no byte at all, which is what most bodies of requests are. */
export const EMPTY_SHA256 = sha256('')

/**
 * Hex signature of an ASCII string to sign.
 *
 * @param behind its end, where what comes before is the same for many
 */
export function signatureOf(signingKey: KeyObject, stringToSign: string, behind = ''): string {
  const sign = prepared.get(signingKey)
  if (sign !== undefined) return sign(stringToSign, behind)
  return createHmac('sha256', signingKey)
    .update(stringToSign + behind, 'latin1')
    .digest('hex')
}

/** Characters of a signature in hex. */
const HEX_LENGTH = 64
/** Kept, because two new ones would cost more than the comparison. The signature of a request opens nothing after it. */
const ours = Buffer.alloc(HEX_LENGTH)
const theirs = Buffer.alloc(HEX_LENGTH)

/** Whether a client's signature is the expected one; the time taken does not depend on where they differ. */
export function sameSignature(expected: string, provided: string): boolean {
  if (expected.length !== provided.length) return false
  if (expected.length !== HEX_LENGTH)
    return timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(provided, 'latin1'))
  ours.write(expected, 'latin1')
  theirs.write(provided, 'latin1')
  return timingSafeEqual(ours, theirs)
}
