import { createHmac, createSecretKey, hash, timingSafeEqual, type KeyObject } from 'node:crypto'
import { hmacSha256 } from './hmac.js'
import type { CredentialScope, SecretAccessKey } from './types.js'

/** A day changes once, regions are few: more scopes than this for one secret are not worth remembering. */
const REMEMBERED_SCOPES = 16
const remembered = new WeakMap<SecretAccessKey, ScopedKey[]>()
/** Made for remembered keys only: it pays from the second signature on. */
const prepared = new WeakMap<KeyObject, (text: string) => string>()

interface ScopedKey {
  readonly scope: CredentialScope
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
  keys.push({ scope, signingKey })
  prepared.set(signingKey, hmacSha256(signingKey))
  if (keys.length > REMEMBERED_SCOPES) keys.shift()
  remembered.set(secret, keys)
}

/** The newest first: it is today's. No name is made of the scope, which would cost each request more than the comparison. */
function recall(keys: readonly ScopedKey[] | undefined, wanted: CredentialScope): KeyObject | undefined {
  if (keys === undefined) return undefined
  for (let at = keys.length - 1; at >= 0; at -= 1) {
    const { scope, signingKey } = keys[at] as ScopedKey
    if (scope.date === wanted.date && scope.region === wanted.region && scope.service === wanted.service) {
      return signingKey
    }
  }
  return undefined
}

/** `20130524/us-east-1/s3/aws4_request` */
export function scopeText(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`
}

/** Hex. A string is hashed as the byte string (latin1) that it is. */
export function sha256(bytes: string | Buffer): string {
  return hash('sha256', typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
}

/** Hex signature of an ASCII string to sign. */
export function signatureOf(signingKey: KeyObject, stringToSign: string): string {
  const sign = prepared.get(signingKey)
  if (sign !== undefined) return sign(stringToSign)
  return createHmac('sha256', signingKey).update(stringToSign, 'latin1').digest('hex')
}

/** Whether a client's signature is the expected one; the time taken does not depend on where they differ. */
export function sameSignature(expected: string, provided: string): boolean {
  const [a, b] = [Buffer.from(expected, 'latin1'), Buffer.from(provided, 'latin1')]
  return a.length === b.length && timingSafeEqual(a, b)
}
