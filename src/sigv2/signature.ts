import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { SecretAccessKey } from '../sigv4/types.js'

/** The secret as a key, made once; it goes with the secret. */
const keys = new WeakMap<SecretAccessKey, KeyObject>()

/**
 * Version 2's one signature: base64 of HMAC-SHA1 with the secret itself as the key. Requests sign their string to sign,
 * browser forms their policy in base64.
 *
 * @param text a byte string (latin1)
 */
export function version2Signature(secret: SecretAccessKey, text: string): string {
  return createHmac('sha1', keyOf(secret)).update(text, 'latin1').digest('base64')
}

function keyOf(secret: SecretAccessKey): KeyObject {
  const known = keys.get(secret)
  if (known !== undefined) return known
  const key = createSecretKey(secret.reveal(), 'utf8')
  keys.set(secret, key)
  return key
}
