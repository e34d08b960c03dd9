import type { Readable } from 'node:stream'
import type { CredentialSource, RegionDirectory, Transport } from '../upstream/types.js'
import type { Authorization, PayloadMode, VerifiedSignature } from '../sigv4/types.js'
import type { AccessKeyConfig, Grant, UpstreamConfig } from '../config/types.js'
import type { LengthRange } from '../s3/check-post-policy.js'
import type { KeyMemory, Store } from '../keyring/cached.js'
import type { Candidate } from '../keyring/candidates.js'
import type { CompiledRules } from '../keyring/select.js'
import type { ClientKey } from '../s3/client-key.js'
import type { CopySource } from '../s3/copy-source.js'
import type { DataKey, KeyReference, ObjectScope } from '../keyring/port.js'
import type { Fields } from '../s3/fields.js'
import type { ObjectETag } from '../s3/md5-etag.js'
import type { Operation } from '../s3/operations.js'
import type { Query } from '../s3/query.js'
import type { RequestObserver } from './event.js'
import type { Target } from '../s3/target.js'
import type { UploadChecksum } from '../s3/upload-id.js'
import type { Version2Authorization } from '../sigv2/types.js'

/** Who a client proved to be, what it may do, and whose credentials its requests travel under. */
export interface Identity {
  readonly name: string
  /** For metrics: see IdentityConfig. */
  readonly class: string
  readonly authentication: AccessKeyConfig | { readonly type: 'anonymous' }
  readonly grants: readonly Grant[]
  readonly credentials: CredentialSource
}

/** Everything the pipeline needs beside the request: configuration made ready, and the world as arguments. */
export interface Pipeline {
  readonly baseDomains: readonly string[]
  readonly clientRegions: readonly string[]
  readonly upstream: UpstreamConfig
  readonly identities: ReadonlyMap<string, Identity>
  /** Anonymous identities by the name that listeners know them by. */
  readonly anonymous: ReadonlyMap<string, Identity>
  readonly rules: CompiledRules
  readonly memory: KeyMemory
  /** Which MD5 goes with which ETag, where that was seen. A hint for speed, as `memory` is. */
  readonly etags: ETagMemory
  readonly transport: Transport
  readonly regions: RegionDirectory
  readonly now: () => Date
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number
  readonly randomBytes: (size: number) => Buffer
  readonly observe: RequestObserver
  /** Causes of refusals, for the log only. */
  readonly warn: (message: string, detail: Readonly<Record<string, unknown>>) => void
}

export interface ETagMemory {
  readonly objects: Store<ObjectETag>
  /** By upload, for ids that do not say it. */
  readonly uploads: Store<UploadChecksum>
}

/** Stage 1: the request as received. */
export interface ParsedRequest {
  readonly method: string
  readonly rawPath: string
  readonly rawQuery: string
  readonly query: Query
  readonly fields: Fields
  readonly host: string
  /** Declared length of the body in bytes as it travels; `chunked` where only its end tells. */
  readonly length: number | 'chunked'
}

/**
 * Stage 2: the caller is proven. `query` has lost what signs a presigned version-2 request, and `fields` has what its
 * signer had moved into the query.
 */
export interface AuthenticatedRequest extends ParsedRequest {
  readonly identity: Identity
  readonly authorization: Authorization | Version2Authorization
  /** What chunk signatures go on from; only a version-4 signature leaves it. */
  readonly verified: VerifiedSignature | 'none'
  readonly payload: PayloadMode
  readonly form: PostForm | 'none'
}

/** A browser's form, read up to its file and verified against its policy. */
export interface PostForm {
  readonly type: 'form'
  /** By lower-case name, `${filename}` expanded. May hold a customer key: never to be logged. */
  readonly fields: ReadonlyMap<string, string>
  readonly boundary: string
  /** The version of the signature that its policy has. */
  readonly signed: 'v4' | 'v2' | 'none'
  /** What the file's length must be in. */
  readonly range: LengthRange
  /** Bytes of the body from the file's first on. */
  readonly remaining: number
  /** The first of them, which came with the fields. */
  readonly rest: Buffer
  /** The others. */
  readonly body: Readable
}

/** Stage 3: what is asked. `fields` now also holds what a presigner had moved into the query. */
export interface ClassifiedRequest extends AuthenticatedRequest {
  readonly operation: Operation
  readonly target: Target
  readonly copySource: CopySource | 'none'
}

/** Stage 4: the identity may do it. For small documents, the document has been read, verified and checked as well. */
export interface AuthorizedRequest extends ClassifiedRequest {
  readonly authorized: true
  readonly document: Document
}

/** A small request document, read here because its content decides something; `none` for every other body. */
export type Document = { readonly type: 'none' } | { readonly type: 'read'; readonly bytes: Buffer }

/** Where the customer key of one side of a request comes from. */
export type KeyPlan =
  /** No key is sent: the operation takes none, or the rules say that the scope is plain. */
  | { readonly type: 'none' }
  /** Exactly this key: writes, and everything that belongs to a multipart upload. */
  | { readonly type: 'one'; readonly dataKey: DataKey; readonly scope: ObjectScope }
  /** One of these, in order; for requests that can be sent again. */
  | {
      readonly type: 'candidates'
      readonly reference: Extract<KeyReference, { type: 'encrypted' }>
      readonly scope: ObjectScope
      readonly candidates: readonly Candidate[]
    }
  /** The client brought its own and the rule lets it: sent as it is, never logged, never remembered. */
  | {
      readonly type: 'relayed'
      readonly key: ClientKey
      readonly scope: ObjectScope
      /** Whether the answer to a read may show that the object is under no key at all. */
      readonly plaintext: 'allow' | 'deny'
    }

/** Stage 5: the keys are there, or known how to get. */
export interface KeyedRequest extends AuthorizedRequest {
  readonly targetKey: KeyPlan
  readonly sourceKey: KeyPlan
  /** The multipart upload's id as the upstream knows it. */
  readonly uploadId: string | 'none'
  /** What the id tells of the upload's checksum; `unknown` without one. */
  readonly uploadChecksum: UploadChecksum | 'unknown'
}

/** Stage 6: all that does not depend on which candidate is tried. */
export interface RewrittenRequest extends KeyedRequest {
  readonly upstreamQuery: Query
  /** Headers for the upstream without host, authorization and customer keys. */
  readonly upstreamHeaders: Fields
  readonly upstreamBody: UpstreamBody
  /** The MD5 that goes with the body, base64, known when all of it has gone; `none` where none does. */
  readonly sentMD5: () => string | 'none'
}

export type UpstreamBody =
  | { readonly type: 'none' }
  | { readonly type: 'bytes'; readonly bytes: Buffer }
  /** Opened at most once, when everything before it has succeeded. */
  | { readonly type: 'stream'; readonly open: () => Readable }
  /** A form of our own around the client's file; sent once. Customer key and signature become fields of it. */
  | {
      readonly type: 'form'
      readonly form: PostForm
      readonly fields: readonly (readonly [string, string])[]
      readonly boundary: string
    }

/** The key that one side of a request travels with: a keyring's, the client's own, or none. */
export type SentKey = DataKey | ClientKey | 'plain'

/** What one attempt sent, as far as its answer must be checked against it. */
export interface Attempt {
  readonly target: SentKey
  readonly source: SentKey
}
