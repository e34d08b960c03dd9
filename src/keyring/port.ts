import type { CustomerKey } from '../s3/customer-key.js'
import type { Bucket, ObjectKey, VersionId } from '../s3/names.js'

/** What a data key belongs to. `bucketIdentity` is the bucket's name unless a rule says otherwise (design: keys). */
export interface ObjectScope {
  readonly bucket: Bucket
  readonly bucketIdentity: string
  readonly objectKey: ObjectKey
  /** The version that the request names; `latest` where it names none. */
  readonly version: { readonly type: 'latest' } | { readonly type: 'id'; readonly versionId: VersionId }
}

/** A 256-bit secret for one object, and where it came from. The key prints no bytes. */
export interface DataKey {
  readonly keyring: string
  readonly keyVersion: string
  readonly key: CustomerKey
}

/** A result that a keyring in memory has at once and one behind a network has later. */
export type Soon<T> = T | Promise<T>

/**
 * Turns the name of an object into its data key.
 *
 * Every method may throw or reject with S3Error: AccessDenied (the key is refused, or no version fits a write),
 * ServiceUnavailable (the key service is away or throttles; the client should try again). Nothing else.
 */
export interface Keyring {
  readonly name: string
  readonly type: 'derived' | 'fixed' | 'objects' | 'kms-mac'
  /** Ids of all key versions, the one that is active now first; empty where keys belong to single objects. */
  readonly keyVersions: () => readonly string[]
  /** The data key under the active key version: what a write uses. @throws S3Error AccessDenied where none is. */
  forWrite(scope: ObjectScope): Soon<DataKey>
  /** Ids of the key versions that may have encrypted this object, the active one first, then newest to oldest. */
  candidates(scope: ObjectScope): readonly string[]
  /** The data key under one key version; `unknown` where this keyring has no such version for this object. */
  forVersion(scope: ObjectScope, keyVersion: string): Soon<DataKey | 'unknown'>
}

/** The rules' answer for one object: where its keys come from and what may be read or sent beside them. */
export type KeyReference =
  | { readonly type: 'plain'; readonly clientKeys: 'reject' | 'relay' }
  | {
      readonly type: 'encrypted'
      /** The keyring that writes use and reads try first. */
      readonly keyring: Keyring
      /** Further keyrings that reads try, in order. */
      readonly alsoRead: readonly Keyring[]
      readonly bucketIdentity: string
      /** Whether objects that are not encrypted with a customer key may be read here. */
      readonly plaintext: 'allow' | 'deny'
      /** What a client's own SSE-C headers mean here. */
      readonly clientKeys: 'reject' | 'relay'
      /** What a client's wish for another server-side encryption means here. */
      readonly clientEncryption: 'drop' | 'reject'
    }
