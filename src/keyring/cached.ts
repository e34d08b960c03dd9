import { LRUCache } from 'lru-cache'
import { flatText } from '../s3/flat-text.js'
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

/**
 * A memory of at most `max` objects and as many uploads, the least recently used forgotten first; 0 remembers none.
 *
 * An object takes at most 100 bytes and its names (bucket, object key, version id; twice that where they are not ASCII), which
 * test/e2e/memory-size.test.ts holds it to; an upload as much, and its id.
 */
export function rememberedVersions(max: number): KeyMemory {
  const objects = lru<RememberedKey | 'plain'>(max)
  const uploads = lru<RememberedKey>(max)
  const shared = sharedKeys()
  const lookUps = { hits: 0, misses: 0 }
  return {
    get: (scope) => {
      const found = objects.get(objectName(scope))
      if (found === undefined) lookUps.misses += 1
      else lookUps.hits += 1
      return found ?? 'unknown'
    },
    set: (scope, value) => {
      const name = objectName(scope)
      // Nearly always it is what is known already, and has just become the one that was used last.
      if (!isSame(objects.get(name), value)) objects.set(name, value === 'plain' ? value : shared(value))
    },
    forget: (scope) => objects.delete(objectName(scope)),
    getUpload: (scope, uploadId) => uploads.get(uploadName(scope, uploadId)) ?? 'unknown',
    setUpload: (scope, uploadId, value) => uploads.set(uploadName(scope, uploadId), shared(value)),
    forgetUpload: (scope, uploadId) => uploads.delete(uploadName(scope, uploadId)),
    lookUps: () => lookUps,
  }
}

function isSame(one: RememberedKey | 'plain' | undefined, other: RememberedKey | 'plain'): boolean {
  if (one === other) return true
  if (one === undefined || one === 'plain' || other === 'plain') return false
  return one.keyVersion === other.keyVersion && one.keyring === other.keyring
}

/** One object for all that have the same key version. A keyring of single objects has one for each. */
const MOST_SHARED = 10_000

function sharedKeys(): (value: RememberedKey) => RememberedKey {
  const known = new Map<string, RememberedKey>()
  return ({ keyring, keyVersion }) => {
    const name = `${keyring} ${keyVersion}`
    const found = known.get(name)
    if (found?.keyring === keyring) return found
    const made = Object.freeze({ keyring: flatText(keyring), keyVersion: flatText(keyVersion) })
    if (known.size >= MOST_SHARED) known.clear()
    known.set(flatText(name), made)
    return made
  }
}

export interface Store<V> {
  get(name: string): V | undefined
  set(name: string, value: V): unknown
  delete(name: string): unknown
}

/**
 * At most `max` values, the least recently used forgotten first; 0 keeps none. The package makes room for all of them at once (28
 * bytes each), so it does not begin before there is something to keep. Names are kept as {@link flatText}.
 */
export function lru<V extends object | string>(max: number): Store<V> {
  let cache: LRUCache<string, V> | undefined
  return {
    get: (name) => cache?.get(name),
    set: (name, value) => {
      if (max === 0) return
      cache ??= new LRUCache<string, V>({ max })
      cache.set(cache.has(name) ? name : flatText(name), value)
    },
    delete: (name) => cache?.delete(name),
  }
}

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
