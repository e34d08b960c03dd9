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

/** The object key for a log's line, where it may stand there; undefined is left out of JSON. */
export const clearKey = (objectKey: string | 'none', mode: ObjectKeyMode): string | undefined =>
  mode === 'clear' ? given(objectKey) : undefined

/** Its hash, where that stands for it. */
export const hashedKey = (bucket: string, objectKey: string | 'none', mode: ObjectKeyMode): string | undefined =>
  mode === 'hashed' && objectKey !== 'none' ? objectKeyHash(bucket, objectKey) : undefined

/** A field's value for JSON, which leaves it out where it is `none`. */
export const given = <V extends string | number>(value: V | 'none'): V | undefined =>
  value === 'none' ? undefined : value
