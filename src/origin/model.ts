import type { Policy } from './bucket-policy.js'
import type { ChecksumAlgorithm } from './checksums.js'
import type { Faults } from './faults.js'

/** What the store knows of a customer key: a salted HMAC, from which the key cannot be had. */
export type Protection =
  { readonly type: 'plain' } | { readonly type: 'customer-key'; readonly salt: Buffer; readonly mac: Buffer }

/** A run of bytes at rest: under a customer key it is AES-256-CTR ciphertext that starts at `iv`. */
export interface Piece {
  readonly blocks: readonly Buffer[]
  /** bytes */
  readonly size: number
  readonly iv: Buffer
}

export type Checksum =
  | { readonly type: 'none' }
  | {
      readonly type: 'checksum'
      readonly algorithm: ChecksumAlgorithm
      /** base64, with `-N` where it is composite */
      readonly value: string
      readonly coverage: 'FULL_OBJECT' | 'COMPOSITE'
    }

export interface PartSummary {
  readonly partNumber: number
  readonly size: number
  readonly checksum: Checksum
}

/** Response headers that a writer may set on an object: Content-Type, Cache-Control, x-amz-meta-* …, lower-case. */
export type StoredHeaders = Readonly<Record<string, string>>

export interface Tag {
  readonly key: string
  readonly value: string
}

export interface ObjectLock {
  readonly mode: 'none' | 'GOVERNANCE' | 'COMPLIANCE'
  readonly until: Date
  readonly hold: 'none' | 'ON' | 'OFF'
}

export interface ObjectVersion {
  readonly type: 'object'
  /** `null` for objects written without versioning. */
  readonly versionId: string
  readonly lastModified: Date
  readonly pieces: readonly Piece[]
  readonly size: number
  readonly protection: Protection
  /** without quotes */
  readonly etag: string
  readonly headers: StoredHeaders
  readonly storageClass: string
  readonly checksum: Checksum
  /** Empty for an object that was not uploaded in parts. */
  readonly parts: readonly PartSummary[]
  tags: readonly Tag[]
  lock: ObjectLock
  /** Of an archived object that was restored: until when it can be read; 1970 where it was not. */
  restoredUntil: Date
}

export interface DeleteMarker {
  readonly type: 'delete-marker'
  readonly versionId: string
  readonly lastModified: Date
}

export type Version = ObjectVersion | DeleteMarker

export interface UploadedPart {
  readonly partNumber: number
  readonly etag: string
  readonly piece: Piece
  readonly checksum: Checksum
  readonly lastModified: Date
}

export interface Upload {
  readonly uploadId: string
  readonly objectKey: string
  readonly initiated: Date
  readonly protection: Protection
  readonly headers: StoredHeaders
  readonly storageClass: string
  readonly tags: readonly Tag[]
  readonly lock: ObjectLock
  readonly checksum:
    | { readonly type: 'none' }
    | {
        readonly type: 'checksum'
        readonly algorithm: ChecksumAlgorithm
        readonly coverage: 'FULL_OBJECT' | 'COMPOSITE'
      }
  readonly parts: Map<number, UploadedPart>
}

export type EncryptionType = 'SSE-C'

export interface CorsRule {
  readonly methods: readonly string[]
  readonly origins: readonly string[]
  readonly headers: readonly string[]
  readonly exposed: readonly string[]
  /** seconds, as written, `''` where nothing is said */
  readonly maxAge: string
}

export interface BucketState {
  readonly name: string
  readonly region: string
  readonly created: Date
  versioning: 'never' | 'Enabled' | 'Suspended'
  /** Encryption types that no write may use: SSE-C is blocked by default on AWS since April 2026. */
  blocked: readonly EncryptionType[]
  tags: readonly Tag[]
  cors: readonly CorsRule[]
  policy: Policy | 'none'
  objectLock: boolean
  /** Versions of each object key, newest first; never empty. */
  readonly objects: Map<string, readonly Version[]>
  readonly uploads: Map<string, Upload>
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Everything that a running origin holds. */
export interface State {
  readonly buckets: Map<string, BucketState>
  readonly credentials: ReadonlyMap<string, Credentials>
  /** Region of requests that name no bucket, and of new buckets. */
  readonly region: string
  /** Lower-case names under which `<bucket>.<name>` is the virtual-hosted style. */
  readonly baseDomains: readonly string[]
  /** Smallest part of an upload but the last, bytes. */
  readonly minimumPartSize: number
  readonly blockedOnNewBuckets: readonly EncryptionType[]
  readonly faults: Faults
  readonly now: () => Date
}

export const OWNER = {
  id: '9f2c1d0e4b7a86531f0e2d4c6b8a97e5d3c1b0a29f8e7d6c5b4a392817f6e5d4',
  name: 'embedded-origin',
} as const
