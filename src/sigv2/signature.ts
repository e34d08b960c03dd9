import { createHmac } from 'node:crypto'
import type { SecretAccessKey } from '../sigv4/types.js'

/**
 * Version 2's one signature: base64 of HMAC-SHA1 with the secret itself as the key. Requests sign their string to sign,
 * browser forms their policy in base64.
 *
 * @param text a byte string (latin1)
 */
export function version2Signature(secret: SecretAccessKey, text: string): string {
  return createHmac('sha1', secret.reveal()).update(text, 'latin1').digest('base64')
}
