import { LRUCache } from 'lru-cache'
import type { ObjectScope } from './port.js'

/** Ids of a keyring and of a key version in it; no key bytes. */
export interface RememberedKey {
  readonly keyring: string
  readonly keyVersion: string
}

/**
 * What fitted an object the last time, and what a multipart upload was created with. A hint for speed: all of it may
 * be forgotten, or have become wrong, at any time.
 */
export interface KeyMemory {
  get(scope: ObjectScope): RememberedKey | 'plain' | 'unknown'
  set(scope: ObjectScope, value: RememberedKey | 'plain'): void
  forget(scope: ObjectScope): void
  getUpload(scope: ObjectScope, uploadId: string): RememberedKey | 'unknown'
  setUpload(scope: ObjectScope, uploadId: string, value: RememberedKey): void
  forgetUpload(scope: ObjectScope, uploadId: string): void
  /** How often `get` found something, and how often not. */
  lookUps(): { readonly hits: number; readonly misses: number }
}

/** A memory of at most `max` objects and as many uploads, the least recently used forgotten first; 0 remembers none. */
export function rememberedVersions(max: number): KeyMemory {
  const objects = lru<RememberedKey | 'plain'>(max)
  const uploads = lru<RememberedKey>(max)
  const lookUps = { hits: 0, misses: 0 }
  return {
    get: (scope) => {
      const found = objects.get(objectName(scope))
      if (found === undefined) lookUps.misses += 1
      else lookUps.hits += 1
      return found ?? 'unknown'
    },
    set: (scope, value) => objects.set(objectName(scope), value),
    forget: (scope) => objects.delete(objectName(scope)),
    getUpload: (scope, uploadId) => uploads.get(uploadName(scope, uploadId)) ?? 'unknown',
    setUpload: (scope, uploadId, value) => uploads.set(uploadName(scope, uploadId), value),
    forgetUpload: (scope, uploadId) => uploads.delete(uploadName(scope, uploadId)),
    lookUps: () => lookUps,
  }
}

export interface Store<V> {
  get(name: string): V | undefined
  set(name: string, value: V): unknown
  delete(name: string): unknown
}

/** At most `max` values, the least recently used forgotten first; 0 keeps none. */
export const lru = <V extends object | string>(max: number): Store<V> =>
  max > 0 ? new LRUCache<string, V>({ max }) : { get: () => undefined, set: () => undefined, delete: () => undefined }

/**
 * At most `max` values, the least recently used forgotten first, and each `ttlMs` after it was set, by this clock.
 *
 * @param now milliseconds
 */
export function timedStore<V extends object>(max: number, ttlMs: number, now: () => number): Store<V> {
  return new LRUCache<string, V>({ max, ttl: ttlMs, ttlResolution: 0, perf: { now } })
}

/** Neither a bucket's name nor a version id has a space, so no two scopes share this text. */
const objectName = ({ bucket, version, objectKey }: ObjectScope) =>
  `${bucket} ${version.type === 'id' ? version.versionId : ''} ${objectKey}`

/** Whatever an upload id holds, its length tells where it ends. */
const uploadName = ({ bucket, objectKey }: ObjectScope, uploadId: string) =>
  `${bucket} ${uploadId.length} ${uploadId}${objectKey}`
