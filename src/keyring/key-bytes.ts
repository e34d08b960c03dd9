import { createSecretKey, type KeyObject } from 'node:crypto'

const KEY_LENGTH = 32

export type KeyBytes =
  { readonly type: 'key'; readonly key: KeyObject } | { readonly type: 'refused'; readonly message: string }

const refused = (message: string): KeyBytes => ({ type: 'refused', message })

/** A key of exactly 32 bytes that is not one byte 32 times over. No message holds any of it. */
export function keyFromBytes(bytes: Buffer): KeyBytes {
  if (bytes.length !== KEY_LENGTH) {
    return refused(`is ${bytes.length} bytes long instead of ${KEY_LENGTH}`)
  }
  if (bytes.every((byte) => byte === bytes[0])) return refused('is one byte repeated, which is no key')
  return { type: 'key', key: createSecretKey(bytes) }
}

/** The same from base64, strictly: RFC 4648's alphabet, padded, no white space, no stray bits at the end. */
export function keyFromBase64(text: string): KeyBytes {
  const bytes = Buffer.from(text, 'base64')
  if (text === '') return refused('is empty')
  if (bytes.toString('base64') !== text) return refused('is not base64 as RFC 4648, section 4, has it')
  const result = keyFromBytes(bytes)
  bytes.fill(0)
  return result
}
