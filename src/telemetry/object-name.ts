import type { Config } from '../config/types.js'
import { hash } from 'node:crypto'

/** Whether object keys stand in a log in clear, hashed or not at all. */
export type ObjectKeyMode = Config['log']['objectKeys']

/**
 * The first 16 hex digits of SHA-256 over the bucket, a NUL and the object key, so that lines of all replicas and days
 * belong together and the line of a known object can be found (`printf 'bucket\0key' | sha256sum`). The other side of it:
 * who guesses a name can check the guess. Where that matters, `omitted` is the setting.
 */
export function objectKeyHash(bucket: string, objectKey: string): string {
  return hash('sha256', `${bucket}\0${objectKey}`, 'hex').slice(0, 16)
}

/** The fields of a log's line that name an object. */
export function objectKeyFields(
  bucket: string,
  objectKey: string | 'none',
  mode: ObjectKeyMode,
): { readonly objectKey?: string; readonly objectKeyHash?: string } {
  if (mode === 'omitted' || objectKey === 'none') return {}
  return mode === 'clear' ? { objectKey } : { objectKeyHash: objectKeyHash(bucket, objectKey) }
}
