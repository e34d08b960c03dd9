import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { CredentialScope, SecretAccessKey } from './types.js'

/** A day changes once, regions are few: more scopes than this for one secret are not worth remembering. */
const REMEMBERED_SCOPES = 16
const remembered = new WeakMap<SecretAccessKey, Map<string, Buffer>>()

/**
 * The HMAC key of one secret, day, region and service, 32 bytes. Four HMACs are saved where it is remembered.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signingKeyOf(secret: SecretAccessKey, scope: CredentialScope): Buffer {
  const known = remembered.get(secret)?.get(scopeText(scope))
  if (known !== undefined) return known
  let key: Buffer = Buffer.from(`AWS4${secret.reveal()}`, 'utf8')
  for (const part of [scope.date, scope.region, scope.service, 'aws4_request']) {
    key = createHmac('sha256', key).update(part, 'utf8').digest()
  }
  return key
}

/**
 * Keeps a signing key for the next request; the memory goes with the secret. Only for what was verified, or signed here: whoever
 * knows an access key id can name any day and region, and would push out the keys that are in use.
 */
export function rememberSigningKey(secret: SecretAccessKey, scope: CredentialScope, key: Buffer): void {
  const keys = remembered.get(secret) ?? new Map<string, Buffer>()
  remembered.set(secret, keys)
  const name = scopeText(scope)
  if (keys.has(name)) return
  const oldest = keys.size < REMEMBERED_SCOPES ? undefined : keys.keys().next().value
  if (oldest !== undefined) keys.delete(oldest)
  keys.set(name, key)
}

/** `20130524/us-east-1/s3/aws4_request` */
export function scopeText(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`
}

/** Hex. A string is hashed as the byte string (latin1) that it is. */
export function sha256(bytes: string | Buffer): string {
  return createHash('sha256')
    .update(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    .digest('hex')
}

/** Hex signature of an ASCII string to sign. */
export function signatureOf(signingKey: Buffer, stringToSign: string): string {
  return createHmac('sha256', signingKey).update(stringToSign, 'latin1').digest('hex')
}

/** Whether a client's signature is the expected one; the time taken does not depend on where they differ. */
export function sameSignature(expected: string, provided: string): boolean {
  const [a, b] = [Buffer.from(expected, 'latin1'), Buffer.from(provided, 'latin1')]
  return a.length === b.length && timingSafeEqual(a, b)
}
